import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { later, refuse } from '../../activities/failure.js';
import { deliveryWorkflowId } from '../../domain/ids.js';
import type { DeploymentRequest } from '../../domain/deployment.js';
import type { Route } from '../../domain/merges/routes.js';
import type { Delivered, MergesNews } from '../../domain/messages.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { Merge } from '../../domain/promotion/promotion.js';
import type { FindMergesInput, MergesFound } from '../../domain/promotion/effects.js';
import type { delivery } from '../../workflows/delivery.js';
import { mergeOf } from '../support/merges.js';
import { eventually } from '../support/scripted.js';
import { connect, type TestTemporal } from '../support/temporal.js';

const sha = (letter: string): string => letter.repeat(40);
const PUSH = {
  ...{ event: 'push', ref: 'refs/heads/main' },
  ...{ before: sha('b'), after: sha('c'), sender: 'carol' },
} as const satisfies Delivered;

interface Script {
  findMerges(input: FindMergesInput): Promise<MergesFound>;
  describeMerges(input: { merges: Merge[] }): Promise<Merge[]>;
  routeMerges(input: { newest: Record<string, Merge> }): Promise<Route[]>;
  tellPromotions(input: { app: string; news: MergesNews }): Promise<void>;
  startBuild(input: { app: string; commit: string }): Promise<void>;
  requestDeployment(request: DeploymentRequest): Promise<unknown>;
  tellTests(input: { id: number }): Promise<number>;
}

const request = { id: 'staging.docs.mergeaaaa' } as DeploymentRequest;
const defaults: Script = {
  findMerges: async () => ({ head: PUSH.after, apps: { api: [mergeOf(1), mergeOf(2)] } }),
  describeMerges: async ({ merges }) => merges.map((merge) => ({ ...merge, mergedBy: 'bob' })),
  routeMerges: async ({ newest }) => Object.keys(newest).map((app) => ({ app, to: 'promotion' as const })),
  tellPromotions: async () => undefined,
  startBuild: async () => undefined,
  requestDeployment: async () => ({ id: request.id, position: 0, again: false }),
  tellTests: async () => 0,
};

let acts: Script;
let calls: { name: string; input: unknown }[];
const called = (name: keyof Script) => calls.filter((call) => call.name === name).map(({ input }) => input);

let temporal: TestTemporal;
let stop: () => Promise<void>;
let count = 0;

async function startWorker(): Promise<void> {
  const activities = Object.fromEntries(
    (Object.keys(defaults) as (keyof Script)[]).map((name) => [
      name,
      async (input: never): Promise<unknown> => {
        calls.push({ name, input });
        return await acts[name](input);
      },
    ]),
  );
  const worker = await temporal.createWorker({
    taskQueue: QUEUE.main,
    activities,
    shutdownGraceTime: '100ms',
  });
  const running = worker.run();
  stop = async () => {
    worker.shutdown();
    await running;
  };
}

beforeAll(async () => {
  temporal = await connect();
  await startWorker();
});
afterAll(async () => {
  await stop();
  await temporal.close();
});
beforeEach(() => {
  acts = { ...defaults };
  calls = [];
});
afterEach(() => (acts = { ...defaults }));

const start = (delivered: Delivered): Promise<WorkflowHandle<typeof delivery>> =>
  temporal.client.workflow.start<typeof delivery>(WORKFLOW.delivery, {
    workflowId: deliveryWorkflowId(`delivery-${(count += 1)}`),
    taskQueue: QUEUE.main,
    args: [delivered],
  });

describe('a push', () => {
  it('tells the queue of each app what it brought, as GitHub describes it', async () => {
    acts.findMerges = async () => ({
      head: PUSH.after,
      apps: { api: [mergeOf(1), mergeOf(2)], frontend: [mergeOf(2)] },
    });
    const end = await (await start(PUSH)).result();
    expect(end).toEqual({ head: PUSH.after, merges: { api: 2, frontend: 1 }, refused: [] });
    expect(called('findMerges')).toEqual([{ before: PUSH.before, after: PUSH.after }]);
    expect(called('describeMerges')).toEqual([{ merges: [mergeOf(1), mergeOf(2)] }]);
    const told = (n: number): Merge => mergeOf(n, { mergedBy: 'bob' });
    expect(called('tellPromotions')).toHaveLength(2);
    expect(called('tellPromotions')).toContainEqual({
      app: 'api',
      news: { head: PUSH.after, before: PUSH.before, merges: [told(1), told(2)] },
    });
    expect(called('tellPromotions')).toContainEqual({
      app: 'frontend',
      news: { head: PUSH.after, before: PUSH.before, merges: [told(2)] },
    });
  });

  it('does nothing where it touches no app', async () => {
    acts.findMerges = async () => ({ head: sha('d'), apps: {} });
    expect(await (await start(PUSH)).result()).toEqual({ head: sha('d'), merges: {}, refused: [] });
    expect(calls.map(({ name }) => name)).toEqual(['findMerges']);
  });

  it('builds what is only released, and deploys to staging what has no production', async () => {
    acts.findMerges = async () => ({
      head: PUSH.after,
      apps: { docs: [mergeOf(1)], ingestion: [mergeOf(1), mergeOf(2)] },
    });
    acts.routeMerges = async ({ newest }) => [
      { app: 'docs', to: 'staging', request },
      { app: 'ingestion', to: 'build', commit: newest['ingestion']?.sha ?? '' },
    ];
    await (await start(PUSH)).result();
    expect(called('requestDeployment')).toEqual([request]);
    expect(called('startBuild')).toEqual([{ app: 'ingestion', commit: mergeOf(2).sha }]);
    expect(called('tellPromotions')).toEqual([]);
  });

  it('that is heard of late takes the newest merge of the branch, not its own', async () => {
    acts.findMerges = async ({ before }): Promise<MergesFound> =>
      before === PUSH.after
        ? { head: sha('e'), apps: { docs: [mergeOf(8), mergeOf(9)] } }
        : { head: sha('e'), apps: { docs: [mergeOf(1)], api: [mergeOf(1)] } };
    await (await start(PUSH)).result();
    expect(called('findMerges')).toEqual([
      { before: PUSH.before, after: PUSH.after },
      { before: PUSH.after },
    ]);
    expect(called('routeMerges')).toMatchObject([
      { newest: { docs: { position: 9 }, api: { position: 1 } } },
    ]);
  });

  it('names who pushed where GitHub cannot describe it, and waits for that no longer', async () => {
    acts.describeMerges = () => Promise.reject(refuse('GITHUB_FAILED', 'no'));
    await (await start(PUSH)).result();
    expect(called('tellPromotions')).toEqual([
      {
        app: 'api',
        news: {
          head: PUSH.after,
          before: PUSH.before,
          merges: [1, 2].map((n) => mergeOf(n, { mergedBy: 'carol' })),
        },
      },
    ]);
  });

  it('waits for a GitHub that is away', async () => {
    let left = 3;
    acts.findMerges = async (input) => {
      if (left-- > 0) throw later('GITHUB_DOWN', 'away', 50);
      return await defaults.findMerges(input);
    };
    await (await start(PUSH)).result();
    expect(called('tellPromotions')).toHaveLength(1);
  });

  it('serves the other apps where one cannot be, and may then be delivered again', async () => {
    acts.findMerges = async () => ({ head: PUSH.after, apps: { api: [mergeOf(1)], web: [mergeOf(1)] } });
    acts.tellPromotions = async ({ app }) => {
      if (app === 'api') throw refuse('INTERNAL', 'broken');
    };
    const handle = await start(PUSH);
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'INTERNAL', message: expect.stringContaining('api: broken') as string },
    });
    expect(called('tellPromotions')).toHaveLength(2);
    expect((await handle.describe()).status.name).toBe('FAILED');
  });

  it('ends well where a locked lane refuses', async () => {
    acts.routeMerges = async () => [{ app: 'api', to: 'staging', request }];
    acts.requestDeployment = () => Promise.reject(refuse('LOCKED', 'locked by bob'));
    expect(await (await start(PUSH)).result()).toMatchObject({
      refused: [{ app: 'api', code: 'LOCKED', message: 'locked by bob' }],
    });
  });

  it('fails where the branch is not there', async () => {
    acts.findMerges = () => Promise.reject(refuse('CLONE_FAILED', 'it has no branch main'));
    await expect((await start(PUSH)).result()).rejects.toThrow();
    expect(called('tellPromotions')).toEqual([]);
  });

  it('goes on where it stood after a restart of the worker', async () => {
    acts.tellPromotions = () => Promise.reject(later('TEMPORAL_DOWN', 'no', 100));
    const handle = await start(PUSH);
    await eventually(() => expect(called('tellPromotions').length).toBeGreaterThan(0));
    await stop();
    acts = { ...defaults };
    calls = [];
    await startWorker();
    await handle.result();
    expect(called('findMerges')).toEqual([]);
    expect(called('tellPromotions')).toHaveLength(1);
  });
});

describe('news of a run at GitHub', () => {
  it('wakes the tests, and nothing else', async () => {
    const end = await (await start({ event: 'workflow_run', id: 42, action: 'completed' })).result();
    expect(end).toEqual({ merges: {}, refused: [] });
    expect(calls).toEqual([{ name: 'tellTests', input: { id: 42 } }]);
  });
});
