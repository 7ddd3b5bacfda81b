import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { later, refuse } from '../../activities/failure.js';
import { createMessenger } from '../../activities/temporal/messenger.js';
import { noticeWorkflowId } from '../../domain/ids.js';
import type { Notice } from '../../domain/messages.js';
import { QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import { workflowBundle } from '../../worker/bundle.js';
import type { notice } from '../../workflows/notice.js';
import { noticeOf } from '../support/notices.js';
import { eventually } from '../support/scripted.js';
import { connect, timeSkipping, type TestTemporal } from '../support/temporal.js';

type Act = (notice: Notice) => Promise<void>;
const CHANNELS = ['deliver', 'noticeGitHub', 'noticeSlack'] as const;
type Acts = Record<(typeof CHANNELS)[number], Act>;

/** What was told for good, and every attempt, by channel. */
let told: Record<keyof Acts, Notice['change'][]>;
let attempts: { channel: keyof Acts; change: Notice['change']; at: number }[];
let acts: Partial<Acts>;

const activities = Object.fromEntries(
  CHANNELS.map((channel) => [
    channel,
    async (one: Notice): Promise<void> => {
      attempts.push({ channel, change: one.change, at: Date.now() });
      await acts[channel]?.(one);
      told[channel].push(one.change);
    },
  ]),
);

const down: Act = () => Promise.reject(later('SLACK_DOWN', 'Slack does not answer', 100));

let temporal: TestTemporal;
let stop: () => Promise<void>;
let id: string;
let count = 0;

async function startWorker(): Promise<void> {
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
  id = `production.api.notice${(count += 1)}`;
  told = { deliver: [], noticeGitHub: [], noticeSlack: [] };
  attempts = [];
  acts = {};
});
afterEach(() => (acts = {}));

let clock = Date.parse('2026-01-02T03:04:05Z');
const one = (change: Notice['change']): Notice =>
  noticeOf(
    change,
    { id, ...(change === 'ended' ? { outcome: 'succeeded' } : {}) },
    new Date((clock += 1_000)).toISOString(),
  );

const start = (): Promise<WorkflowHandle<typeof notice>> =>
  temporal.client.workflow.start<typeof notice>(WORKFLOW.notice, {
    workflowId: noticeWorkflowId(id),
    taskQueue: QUEUE.main,
    args: [one('started')],
  });
const tell = (change: Notice['change']): Promise<void> =>
  createMessenger(temporal.client).tellPeople(one(change));

describe('notice', () => {
  it('tells every channel of every change, in order, and ends', async () => {
    const handle = await start();
    await eventually(() => expect(told.noticeSlack).toEqual(['started']));
    await tell('slow');
    await eventually(() => expect(Object.values(told).flat()).toHaveLength(6));
    await tell('ended');
    await handle.result();
    for (const channel of CHANNELS) expect(told[channel]).toEqual(['started', 'slow', 'ended']);
  });

  it('lets a Slack that fails hold up nothing else, and tells it what it missed', async () => {
    acts.noticeSlack = down;
    const handle = await start();
    await tell('slow');
    await eventually(() => expect(told.noticeGitHub).toContain('slow'));
    await tell('ended');
    await eventually(() => {
      expect(told.deliver).toEqual(['started', 'slow', 'ended']);
      expect(told.noticeGitHub).toEqual(['started', 'slow', 'ended']);
    });
    expect(told.noticeSlack).toEqual([]);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    acts = {};
    await handle.result();
    // That it took too long is passed over; start and end are not.
    expect(told.noticeSlack).toEqual(['started', 'ended']);
    expect(attempts.filter(({ channel }) => channel === 'noticeGitHub')).toHaveLength(3);
  });

  it('lets a GitHub that never answers hold up nothing else', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    acts.noticeGitHub = () => held;
    const handle = await start();
    await tell('ended');
    await eventually(() => expect(told.noticeSlack).toEqual(['started', 'ended']));
    expect(told.noticeGitHub).toEqual([]);
    release();
    await handle.result();
    expect(told.noticeGitHub).toEqual(['started', 'ended']);
  });

  it('gives up at once what cannot mend, and ends', async () => {
    acts.noticeSlack = () => Promise.reject(refuse('SLACK_REFUSED', 'invalid_auth: set SLACK_BOT_TOKEN'));
    const handle = await start();
    await tell('ended');
    await handle.result();
    expect(attempts.filter(({ channel }) => channel === 'noticeSlack').map(({ change }) => change)).toEqual([
      'started',
      'ended',
    ]);
    expect(told.noticeGitHub).toEqual(['started', 'ended']);
  });

  it('waits as long as a rate limit says', async () => {
    let refused = 0;
    acts.noticeSlack = () =>
      refused++ === 0 ? Promise.reject(later('SLACK_DOWN', 'rate limit', 2_500)) : Promise.resolve();
    const handle = await start();
    await tell('ended');
    await handle.result();
    const [first, second] = attempts.filter(({ channel }) => channel === 'noticeSlack');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2_400);
    expect(told.noticeSlack).toEqual(['started', 'ended']);
  });

  it('loses nothing to a restart of the worker, and tells no channel again that was told', async () => {
    acts.noticeSlack = down;
    const handle = await start();
    await eventually(() => {
      expect(told.noticeGitHub).toEqual(['started']);
      expect(told.deliver).toEqual(['started']);
      expect(attempts.some(({ channel }) => channel === 'noticeSlack')).toBe(true);
    });
    await stop();
    await tell('ended');
    acts = {};
    await startWorker();
    await handle.result();
    for (const channel of CHANNELS) expect(told[channel]).toEqual(['started', 'ended']);
  });

  it('tells of an end whose start it never heard of, once, however often it is told', async () => {
    const end = one('ended');
    const handle = await temporal.client.workflow.signalWithStart<typeof notice, [Notice]>(WORKFLOW.notice, {
      workflowId: noticeWorkflowId(id),
      taskQueue: QUEUE.main,
      args: [],
      signal: SIGNAL.notice,
      signalArgs: [end],
    });
    await handle.signal(SIGNAL.notice, end).catch(() => undefined);
    await handle.result();
    for (const channel of CHANNELS) expect(told[channel]).toEqual(['ended']);
  });

  it('can be cancelled while a channel fails', async () => {
    acts.noticeSlack = down;
    const handle = await start();
    await eventually(() => expect(told.noticeGitHub).toEqual(['started']));
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });
});

describe('over days', () => {
  it('gives up a channel after a day for each change, and the deployment whose end never comes after a week', async () => {
    const environment = await timeSkipping();
    const { Worker } = await import('@temporalio/worker');
    const hour = 60 * 60_000;
    acts.noticeSlack = () => Promise.reject(later('SLACK_DOWN', 'no', 3 * hour));
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: QUEUE.main,
      workflowBundle: await workflowBundle(),
      activities,
    });
    const lasted = async (workflowId: string, notices: Notice[]): Promise<number> => {
      const handle = await environment.client.workflow.start<typeof notice>(WORKFLOW.notice, {
        workflowId,
        taskQueue: QUEUE.main,
        args: [one('started')],
      });
      for (const each of notices) await handle.signal(SIGNAL.notice, each);
      await handle.result();
      const { startTime, closeTime } = await handle.describe();
      return ((closeTime?.getTime() ?? 0) - startTime.getTime()) / hour;
    };
    try {
      await worker.runUntil(async () => {
        const both = await lasted('notice/ended', [one('ended')]);
        expect(told.noticeSlack).toEqual([]);
        expect(told.noticeGitHub).toEqual(['started', 'ended']);
        expect(both).toBeGreaterThan(40);
        expect(both).toBeLessThan(49);
        acts = {};
        const alone = await lasted('notice/terminated', []);
        expect(alone).toBeGreaterThan(24 * 7 - 1);
        expect(alone).toBeLessThan(24 * 7 + 1);
      });
    } finally {
      await environment.teardown();
    }
  });
});
