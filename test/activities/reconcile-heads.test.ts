import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHeads } from '../../activities/reconcile/heads.js';
import type { TellPromotions } from '../../activities/reconcile/merges.js';
import { fillConfig } from '../../domain/config/fill.js';
import { promotionWorkflowId } from '../../domain/ids.js';
import type { LaneView } from '../../domain/messages.js';
import { MEMO, QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { KnownHeads } from '../../domain/merges/reconcile.js';
import { environment, run } from '../support/ecs.js';
import { connect, type TestTemporal } from '../support/temporal.js';

const [A, B] = ['a', 'b'].map((letter) => letter.repeat(40)) as [string, string];
const both = (app: string) => ({
  ...{ paths: [`${app}/**`], images: [{ container: app, repository: app, context: app }] },
  environments: { staging: { service: `s-${app}` }, production: { service: `p-${app}` } },
});
const config = fillConfig(
  {
    repository: { owner: 'o', name: 'r', branch: 'main' },
    maintainers: { org: 'o', team: 't' },
    aws: { region: 'us-east-1' },
    environments: { staging: { cluster: 's' }, production: { cluster: 'p' } },
    apps: {
      ...{ ran: both('ran'), fresh: both('fresh'), odd: both('odd'), unread: both('unread') },
      ingestion: {
        paths: ['i/**'],
        images: [{ container: 'i', repository: 'i', context: 'i' }],
        releaseOnly: true,
      },
    },
  },
  'https://github.com',
);

let temporal: TestTemporal;
let told: TellPromotions[];
let heads: ReturnType<typeof createHeads>;

const live = (release: string): LaneView => ({
  ...{ app: 'x', environment: 'staging', waiting: [], waitingCount: 0, verified: [] },
  live: { id: 'x', release, tag: release, digests: {}, revision: 'r', verified: true, at: '', by: 'alice' },
});

beforeAll(async () => {
  temporal = await connect();
  told = [];
  heads = createHeads({
    config,
    client: temporal.client,
    readLane: async ({ app }) => {
      if (app === 'unread') throw new Error('no');
      return app === 'fresh' ? live(A) : app === 'odd' ? live('v1.2') : undefined;
    },
    tellPromotions: async (one) => {
      if (one.app === 'odd') throw new Error('no');
      told.push(one);
    },
  });
});
afterAll(() => temporal.close());

const start = (app: string, head: string) =>
  temporal.client.workflow.start(WORKFLOW.promotionQueue, {
    ...{ workflowId: promotionWorkflowId(app), taskQueue: QUEUE.main, args: [{ app }] },
    memo: { [MEMO.promotionState]: { v: 1, app, head } },
  });

describe('knownHeads', () => {
  it('reads what each queue knows, else what staging runs, and leaves out what cannot be read', async () => {
    await start('ran', B);
    const known = await environment().run<[], KnownHeads, () => Promise<KnownHeads>>(heads.knownHeads);
    expect(known).toEqual({
      queues: [{ app: 'ran', head: B }, { app: 'fresh', baseline: A }, { app: 'odd' }],
      others: ['ingestion'],
    });
  });
});

describe('lookAfresh', () => {
  it('tells every queue, and starts one that is not there', async () => {
    const untold = await environment().run<[], string[], () => Promise<string[]>>(heads.lookAfresh);
    expect(untold).toEqual([]);
    for (const app of ['ran', 'fresh', 'odd', 'unread']) {
      const handle = temporal.client.workflow.getHandle(promotionWorkflowId(app));
      const { events } = await handle.fetchHistory();
      const signals = (events ?? []).map(
        ({ workflowExecutionSignaledEventAttributes: one }) => one?.signalName,
      );
      expect(signals.filter(Boolean)).toEqual(['look']);
    }
    await expect(
      temporal.client.workflow.getHandle(promotionWorkflowId('ingestion')).describe(),
    ).rejects.toThrow();
  });
});

describe('tellQueues', () => {
  it('tells the others where one cannot be told', async () => {
    const news = { head: A, merges: [] };
    const all = ['ran', 'odd', 'fresh'].map((app) => ({ app, news }));
    expect(await run(heads.tellQueues, { told: all })).toEqual(['odd']);
    expect(told.map(({ app }) => app).sort()).toEqual(['fresh', 'ran']);
  });
});
