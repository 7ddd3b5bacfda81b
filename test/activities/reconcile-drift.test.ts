import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDrift } from '../../activities/reconcile/drift.js';
import { deploymentWorkflowId } from '../../domain/ids.js';
import type { DriftNotice, LaneView, LiveRelease } from '../../domain/messages.js';
import { MEMO, QUEUE, WORKFLOW } from '../../domain/messages.js';
import {
  definition,
  environment,
  ID,
  REF,
  registered,
  run,
  startEcsWorld,
  TARGET,
  type EcsWorld,
} from '../support/ecs.js';
import { deploymentOf } from '../support/notices.js';
import { connect, type TestTemporal } from '../support/temporal.js';

const HOUR = 3_600_000;
let temporal: TestTemporal;
let world: EcsWorld;
let lane: LaneView | undefined;
let acts: ReturnType<typeof createDrift>;

beforeAll(async () => {
  temporal = await connect();
});
afterAll(() => temporal.close());
beforeEach(async () => {
  world = await startEcsWorld();
  lane = undefined;
  acts = createDrift({
    config: world.config,
    aws: { ecs: () => world.client },
    client: temporal.client,
    readLane: async () => lane,
  });
});
afterEach(() => world.close());

const find = (): Promise<DriftNotice[]> =>
  environment().run<[], DriftNotice[], () => Promise<DriftNotice[]>>(acts.findDrift);
const laneOf = (revision: string, more: Partial<LaneView> = {}): LaneView => {
  const live: LiveRelease = {
    ...{ id: 'staging.api.before12', release: 'v1', tag: 'v1', digests: {}, revision, verified: true },
    ...{ at: new Date(Date.now() - HOUR).toISOString(), by: 'alice' },
  };
  return { ...TARGET, waiting: [], waitingCount: 0, verified: [], live, ...more };
};

async function deployedByHand(): Promise<{ before: string; after: string }> {
  const before = world.aws.standing(REF).revision ?? '';
  world.aws.taskDefinition(definition('foreign', world.reference('v1')));
  world.aws.deploy({ ...REF, taskDefinition: 'foreign' });
  await world.settle();
  return { before, after: world.aws.standing(REF).revision ?? '' };
}

describe('findDrift', () => {
  it('finds a revision that somebody else deployed', async () => {
    const { before, after } = await deployedByHand();
    lane = laneOf(before);
    const [drift, ...more] = await find();
    expect(more).toEqual([]);
    expect(drift).toMatchObject({ ...TARGET, revision: after });
    expect(drift?.message).toContain(
      'api on staging runs foreign:1; the last deployment that succeeded there',
    );
  });

  it('finds none where the lane’s last success runs, or nothing is known, or a deployment runs', async () => {
    const { before, after } = await deployedByHand();
    expect(await find()).toEqual([]);
    lane = laneOf(after);
    expect(await find()).toEqual([]);
    const running = { id: ID, kind: 'deploy', tag: 'v2', actor: 'bob', queuedAt: '', ready: true } as const;
    lane = laneOf(before, { running });
    expect(await find()).toEqual([]);
  });

  it('waits until a rollout has settled', async () => {
    const before = world.aws.standing(REF).revision ?? '';
    world.aws.taskDefinition(definition('foreign', world.reference('v1')));
    world.aws.deploy({ ...REF, taskDefinition: 'foreign' });
    lane = laneOf(before);
    expect(await find()).toEqual([]);
    await world.settle();
    expect(await find()).toHaveLength(1);
  });

  it('does not tell of a deployment of ours that failed last and was left as it is', async () => {
    const first = await registered(world, 'v2');
    await run(world.activities.update, { ...TARGET, id: ID, revision: first.revision, look: first.look });
    await world.settle();
    lane = laneOf(first.look.revision ?? '');
    // Nobody knows it any more, or it succeeded before what is live now: somebody has gone back by hand.
    expect(await find()).toHaveLength(1);
    const finishedAt = new Date().toISOString();
    await temporal.client.workflow.start(WORKFLOW.deployment, {
      workflowId: deploymentWorkflowId(ID),
      taskQueue: QUEUE.main,
      args: [],
      memo: { [MEMO.deployment]: deploymentOf({ id: ID, outcome: 'failed', finishedAt }) },
    });
    expect(await find()).toEqual([]);
  });

  it('finds nothing where AWS does not answer, and is not broken by it', async () => {
    lane = laneOf('another');
    await world.aws.close();
    expect(await find()).toEqual([]);
  });
});

describe('tellDrift', () => {
  it('is one workflow for what runs and what should, however often it is found', async () => {
    const drift: DriftNotice = {
      ...TARGET,
      revision: 'r:2',
      message: 'runs r:2',
      at: '2026-01-02T03:04:05.000Z',
    };
    const started: string[] = [];
    const client = {
      workflow: {
        start: async (...[type, options]: Parameters<typeof temporal.client.workflow.start>) => {
          started.push(options.workflowId);
          return await temporal.client.workflow.start(type as string, options);
        },
      },
    } as unknown as typeof temporal.client;
    const { tellDrift } = createDrift({
      config: world.config,
      aws: { ecs: () => world.client },
      client,
      readLane: async () => undefined,
    });
    await tellDrift(drift);
    await tellDrift({ ...drift, at: 'later' });
    await tellDrift({ ...drift, message: 'runs r:3' });
    expect(started).toHaveLength(3);
    expect(started[0]).toMatch(/^notice\/drift\/staging\.api\.[0-9a-f]{12}$/);
    expect(started[1]).toBe(started[0]);
    expect(started[2]).not.toBe(started[0]);
    const { type } = await temporal.client.workflow.getHandle(started[0] ?? '').describe();
    expect(type).toBe(WORKFLOW.driftNotice);
  });
});
