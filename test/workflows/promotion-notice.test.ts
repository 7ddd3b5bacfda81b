import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { later, refuse } from '../../activities/failure.js';
import { noticeWorkflowId } from '../../domain/ids.js';
import type { PromotionNews } from '../../domain/messages.js';
import { QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import type { CommentNews } from '../../domain/promotion/comment.js';
import { workflowBundle } from '../../worker/bundle.js';
import { mergeOf } from '../support/merges.js';
import { newsOf } from '../support/promotions.js';
import { eventually } from '../support/scripted.js';
import { connect, timeSkipping, type TestTemporal } from '../support/temporal.js';

type Channel = 'deliverPromotion' | 'promotionSlack' | 'promotionComment';
type Change = PromotionNews['change'];

/** What was told for good. A comment stands there with its pull request. */
let told: { deliverPromotion: Change[]; promotionSlack: Change[]; promotionComment: string[] };
let attempts: Channel[];
let before: (channel: Channel, pullRequest?: number) => Promise<void>;

const activities = {
  deliverPromotion: async ({ change }: PromotionNews): Promise<void> => {
    attempts.push('deliverPromotion');
    await before('deliverPromotion');
    told.deliverPromotion.push(change);
  },
  promotionSlack: async ({ change }: PromotionNews): Promise<void> => {
    attempts.push('promotionSlack');
    await before('promotionSlack');
    told.promotionSlack.push(change);
  },
  promotionComment: async ({ news, pullRequest }: CommentNews): Promise<void> => {
    attempts.push('promotionComment');
    await before('promotionComment', pullRequest);
    told.promotionComment.push(`${news.change} #${pullRequest}`);
  },
};

const down = (): Promise<void> => Promise.reject(later('SLACK_DOWN', 'Slack does not answer', 100));
const onlySlack = (work: () => Promise<void>) => async (channel: Channel) => {
  if (channel === 'promotionSlack') await work();
};

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
  id = `api.notice${(count += 1)}`;
  told = { deliverPromotion: [], promotionSlack: [], promotionComment: [] };
  attempts = [];
  before = async () => undefined;
});

const one = (change: Change, more: Parameters<typeof newsOf>[1] = {}): PromotionNews =>
  newsOf(change, { id, ...(change === 'ended' ? { stage: 'promoted' } : {}), ...more });

const tell = async (news: PromotionNews): Promise<void> => {
  await temporal.client.workflow.signalWithStart(WORKFLOW.promotionNotice, {
    workflowId: noticeWorkflowId(id),
    taskQueue: QUEUE.main,
    args: [],
    signal: SIGNAL.promotionNews,
    signalArgs: [news],
  });
};
const ended = (): Promise<unknown> => temporal.client.workflow.getHandle(noticeWorkflowId(id)).result();

describe('promotionNotice', () => {
  it('tells every channel of each change, in order, and ends', async () => {
    for (const change of ['staging', 'testing', 'unlocked', 'production'] as const) {
      await tell(one(change));
      await eventually(() => {
        for (const channel of ['deliverPromotion', 'promotionSlack'] as const) {
          expect(told[channel].at(-1)).toBe(change);
        }
        expect(told.promotionComment.at(-1)).toBe(`${change} #7`);
      });
    }
    await tell(one('ended'));
    await ended();
    const all: Change[] = ['staging', 'testing', 'unlocked', 'production', 'ended'];
    expect(told).toEqual({
      deliverPromotion: all,
      promotionSlack: all,
      promotionComment: all.map((change) => `${change} #7`),
    });
  });

  it('lets a Slack that fails hold up nothing else, and tells it where things stand', async () => {
    before = onlySlack(down);
    await tell(one('staging'));
    await tell(one('testing'));
    await eventually(() => expect(told.promotionComment).toContain('testing #7'));
    await tell(one('ended'));
    await eventually(() => expect(told.deliverPromotion.at(-1)).toBe('ended'));
    expect(told.promotionSlack).toEqual([]);
    before = async () => undefined;
    await ended();
    expect(told.promotionSlack.at(-1)).toBe('ended');
    expect(told.promotionSlack).not.toContain('testing');
  });

  it('keeps the comments on the other pull requests where one is refused', async () => {
    before = async (_, pullRequest) => {
      if (pullRequest === 2) throw refuse('GITHUB_FAILED', 'its conversation is locked');
    };
    await tell(one('ended', { merges: [mergeOf(1), mergeOf(2), mergeOf(3)] }));
    await ended();
    expect(told.promotionComment).toEqual(['ended #3', 'ended #1']);
    expect(told.promotionSlack).toEqual(['ended']);
  });

  it('tells nothing twice, however often it is told', async () => {
    const news = one('unlocked');
    await tell(news);
    await eventually(() => expect(told.promotionSlack).toEqual(['unlocked']));
    await tell(news);
    await tell(one('ended'));
    await ended();
    expect(told.promotionSlack).toEqual(['unlocked', 'ended']);
  });

  it('goes on in another run where the promotion is retried', async () => {
    await tell(one('ended', { stage: 'failed' }));
    await ended();
    await tell(one('production'));
    await eventually(() => expect(told.promotionSlack).toEqual(['ended', 'production']));
    await tell(one('ended'));
    await ended();
    expect(told.promotionSlack).toEqual(['ended', 'production', 'ended']);
  });

  it('loses nothing to a restart of the worker, and tells no channel again that was told', async () => {
    before = onlySlack(down);
    await tell(one('unlocked'));
    await eventually(() => {
      expect(told.deliverPromotion).toEqual(['unlocked']);
      expect(told.promotionComment).toEqual(['unlocked #7']);
      expect(attempts).toContain('promotionSlack');
    });
    await stop();
    await tell(one('ended'));
    before = async () => undefined;
    await startWorker();
    await ended();
    expect(told.deliverPromotion).toEqual(['unlocked', 'ended']);
    expect(told.promotionComment).toEqual(['unlocked #7', 'ended #7']);
    expect(told.promotionSlack.at(-1)).toBe('ended');
  });

  it('makes room for another run after very many changes', async () => {
    const many = Array.from({ length: 100 }, () => one('waiting'));
    await stop();
    for (const news of many) await tell(news);
    await startWorker();
    await ended();
    expect(told.promotionSlack).toEqual(['waiting']);
  });
});

describe('over days', () => {
  it('ends after a week without news', async () => {
    const environment = await timeSkipping();
    const { Worker } = await import('@temporalio/worker');
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: QUEUE.main,
      workflowBundle: await workflowBundle(),
      activities,
    });
    try {
      await worker.runUntil(async () => {
        const handle = await environment.client.workflow.signalWithStart(WORKFLOW.promotionNotice, {
          ...{ workflowId: noticeWorkflowId(id), taskQueue: QUEUE.main, args: [] },
          ...{ signal: SIGNAL.promotionNews, signalArgs: [one('waiting')] },
        });
        await handle.result();
        const { startTime, closeTime } = await handle.describe();
        const days = ((closeTime?.getTime() ?? 0) - startTime.getTime()) / 86_400_000;
        expect(days).toBeGreaterThan(6.9);
        expect(days).toBeLessThan(7.1);
      });
    } finally {
      await environment.teardown();
    }
  });
});
