import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refuse } from '../../activities/failure.js';
import type { TellPromotions } from '../../activities/reconcile/merges.js';
import type { DeploymentRequest } from '../../domain/deployment.js';
import type { Route } from '../../domain/merges/routes.js';
import type { DriftNotice } from '../../domain/messages.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { Merge } from '../../domain/promotion/promotion.js';
import type { FindMergesInput, MergesFound, RelateInput, Relations } from '../../domain/promotion/effects.js';
import type { KnownHeads } from '../../domain/merges/reconcile.js';
import type { reconcile, Reconciled } from '../../workflows/reconcile.js';
import { mergeOf } from '../support/merges.js';
import { eventually } from '../support/scripted.js';
import { connect, type TestTemporal } from '../support/temporal.js';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
const DRIFT: DriftNotice = {
  app: 'api',
  environment: 'staging',
  revision: 'r:2',
  message: 'differs',
  at: 'now',
};

interface Script {
  knownHeads(): Promise<KnownHeads>;
  lookAfresh(): Promise<string[]>;
  relate(input: RelateInput): Promise<Relations>;
  findMerges(input: FindMergesInput): Promise<MergesFound>;
  describeMerges(input: { merges: Merge[] }): Promise<Merge[]>;
  tellQueues(input: { told: TellPromotions[] }): Promise<string[]>;
  routeMerges(input: { newest: Record<string, Merge> }): Promise<Route[]>;
  startBuild(input: { app: string; commit: string }): Promise<void>;
  requestDeployment(request: DeploymentRequest): Promise<unknown>;
  findDrift(): Promise<DriftNotice[]>;
  tellDrift(drift: DriftNotice): Promise<void>;
  rememberMembers(): Promise<void>;
}

const defaults: Script = {
  knownHeads: async () => ({ queues: [], others: [] }),
  lookAfresh: async () => [],
  relate: async () => ({ head: C, positions: {}, contains: {} }),
  findMerges: async () => ({ head: C, apps: {} }),
  describeMerges: async ({ merges }) => merges,
  tellQueues: async () => [],
  routeMerges: async ({ newest }) =>
    Object.entries(newest).map(([app, { sha }]) => ({ app, to: 'build', commit: sha })),
  startBuild: async () => undefined,
  requestDeployment: async () => undefined,
  findDrift: async () => [],
  tellDrift: async () => undefined,
  rememberMembers: async () => undefined,
};

let acts: Script;
let calls: { name: string; input: unknown }[];
const called = (name: keyof Script) => calls.filter((call) => call.name === name).map(({ input }) => input);
const broken = () => Promise.reject(refuse('INTERNAL', 'broken'));

let temporal: TestTemporal;
let stop: () => Promise<void>;
let count = 0;

beforeAll(async () => {
  temporal = await connect();
  const activities = Object.fromEntries(
    (Object.keys(defaults) as (keyof Script)[]).map((name) => [
      name,
      async (input: never): Promise<unknown> => {
        calls.push({ name, input });
        return await acts[name](input);
      },
    ]),
  );
  const worker = await temporal.createWorker({ taskQueue: QUEUE.main, activities });
  const running = worker.run();
  stop = async () => {
    worker.shutdown();
    await running;
  };
});
afterAll(async () => {
  await stop();
  await temporal.close();
});
beforeEach(() => {
  acts = { ...defaults };
  calls = [];
});

const run = (): Promise<Reconciled> =>
  temporal.client.workflow.execute<typeof reconcile>(WORKFLOW.reconcile, {
    workflowId: `reconcile-by-hand-${(count += 1)}`,
    taskQueue: QUEUE.main,
    args: [],
  });

describe('merges whose webhook never came', () => {
  it('are told to the queues, each range of the branch looked at once', async () => {
    acts.knownHeads = async () => ({
      queues: [
        { app: 'api', head: A },
        { app: 'web', head: A },
        { app: 'up-to-date', head: C },
        { app: 'new', baseline: B },
        { app: 'odd', baseline: 'v1.2' },
      ],
      others: [],
    });
    acts.relate = async () => ({ head: C, positions: { [B]: 3 }, contains: {} });
    acts.findMerges = async ({ before }): Promise<MergesFound> => ({
      head: C,
      apps:
        before === A ? { api: [mergeOf(4)], other: [mergeOf(5)] } : before === B ? { new: [mergeOf(4)] } : {},
    });
    acts.describeMerges = async ({ merges }) => merges.map((merge) => ({ ...merge, mergedBy: 'bob' }));
    const merge = mergeOf(4, { mergedBy: 'bob' });
    expect(await run()).toEqual({ heads: {}, found: { merges: 2, drift: 0 } });
    expect(called('relate')).toEqual([{ releases: [B, 'v1.2'] }]);
    expect(called('findMerges')).toHaveLength(4);
    expect(called('findMerges')).toEqual(
      expect.arrayContaining([{ before: A }, { before: B }, { before: C }, {}]),
    );
    expect(called('describeMerges')).toEqual([{ merges: [mergeOf(4)] }]);
    expect(called('tellQueues')).toEqual([
      {
        told: [
          { app: 'api', news: { head: C, merges: [merge] } },
          { app: 'web', news: { head: C, merges: [] } },
          { app: 'new', news: { head: C, merges: [merge] } },
          { app: 'odd', news: { head: C, merges: [] } },
        ],
      },
    ]);
  });

  it('are found by the next pass where the source does not answer for one range', async () => {
    acts.knownHeads = async () => ({
      queues: [
        { app: 'api', head: A },
        { app: 'web', head: B },
      ],
      others: [],
    });
    acts.findMerges = async ({ before }) =>
      before === A ? await broken() : { head: C, apps: { web: [mergeOf(4)] } };
    await run();
    expect(called('tellQueues')).toEqual([
      { told: [{ app: 'web', news: { head: C, merges: [mergeOf(4)] } }] },
    ]);
  });
});

describe('a pass', () => {
  it('does its other parts where one comes to nothing', async () => {
    for (const name of ['knownHeads', 'lookAfresh', 'findDrift', 'rememberMembers'] as const) {
      acts = { ...defaults, findDrift: async () => [DRIFT], [name]: broken };
      calls = [];
      await run();
      for (const other of ['knownHeads', 'lookAfresh', 'findDrift', 'rememberMembers'] as const) {
        expect(called(other)).toHaveLength(1);
      }
      expect(called('tellDrift')).toEqual(name === 'findDrift' ? [] : [DRIFT]);
    }
  });

  it('tells of each drift that it finds', async () => {
    const other = { ...DRIFT, app: 'web' };
    acts.findDrift = async () => [DRIFT, other];
    acts.tellDrift = async ({ app }) => (app === 'api' ? await broken() : undefined);
    expect(await run()).toMatchObject({ found: { drift: 2 } });
    expect(called('tellDrift')).toEqual(expect.arrayContaining([DRIFT, other]));
  });
});

describe('by the schedule', () => {
  it('hands on how far it came with apps without a queue; one that was not served is tried again', async () => {
    acts.knownHeads = async () => ({ queues: [], others: ['docs', 'ingestion'] });
    acts.findMerges = async ({ before }): Promise<MergesFound> => {
      if (before === undefined) return { head: A, apps: { docs: [mergeOf(1)] } };
      return before === A
        ? { head: B, apps: { docs: [mergeOf(2)], ingestion: [mergeOf(2)] } }
        : { head: B, apps: {} };
    };
    acts.routeMerges = async ({ newest }) =>
      Object.entries(newest).map(([app, { sha }]) =>
        app === 'docs'
          ? { app, to: 'staging', request: { id: sha } as DeploymentRequest }
          : { app, to: 'build', commit: sha },
      );
    acts.requestDeployment = () => Promise.reject(refuse('LOCKED', 'locked by bob'));

    const schedule = await temporal.client.schedule.create({
      scheduleId: 'reconcile',
      spec: {},
      policies: { overlap: 'SKIP' },
      action: {
        ...{ type: 'startWorkflow', workflowType: WORKFLOW.reconcile, workflowId: 'reconcile' },
        ...{ taskQueue: QUEUE.main, args: [] },
      },
    });
    const results = async (): Promise<Reconciled[]> => {
      const { info } = await schedule.describe();
      const ids = info.recentActions.flatMap(({ action }) =>
        action.type === 'startWorkflow' ? [action.workflow.workflowId] : [],
      );
      return await Promise.all(
        ids.map((id) => temporal.client.workflow.getHandle<typeof reconcile>(id).result()),
      );
    };
    const pass = async (n: number): Promise<Reconciled | undefined> => {
      // As the schedule itself starts one; what is started beside it hands nothing on.
      await schedule.trigger('SKIP');
      return await eventually(async () => {
        const all = await results();
        expect(all.length).toBeGreaterThanOrEqual(n);
        // The schedule hands on a result only once it has taken note of the end.
        expect((await schedule.describe()).info.runningActions).toEqual([]);
        return all.at(-1);
      }, 30_000);
    };
    // Where it begins, nothing counts as new.
    expect((await pass(1))?.heads).toEqual({ docs: A, ingestion: A });
    expect([...called('startBuild'), ...called('requestDeployment')]).toEqual([]);
    expect((await pass(2))?.heads).toEqual({ docs: A, ingestion: B });
    expect(called('startBuild')).toEqual([{ app: 'ingestion', commit: mergeOf(2).sha }]);
    acts.requestDeployment = async () => undefined;
    expect((await pass(3))?.heads).toEqual({ docs: B, ingestion: B });
    expect(called('requestDeployment')).toEqual([{ id: mergeOf(2).sha }, { id: mergeOf(2).sha }]);
    expect(called('startBuild')).toHaveLength(1);
    await schedule.delete();
  });
});
