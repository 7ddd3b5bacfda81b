import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDriftNotices } from '../../activities/notice/drift.js';
import { createPromotionComment } from '../../activities/notice/promotion-comment.js';
import { createDeliverPromotion } from '../../activities/notice/promotion-log.js';
import { createPromotionSlack } from '../../activities/notice/promotion-slack.js';
import { refuse } from '../../activities/failure.js';
import { startSlackStandIn, type SlackStandIn } from '../../sandbox/slack/server.js';
import type { CommentInput } from '../../domain/promotion/effects.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { commentNews } from '../../domain/promotion/comment.js';
import { failureOf } from '../support/failures.js';
import { driven, testConfig } from '../support/github-world.js';
import { mergeOf } from '../support/merges.js';
import { newsOf, promotionOf } from '../support/promotions.js';

const TOKEN = 'xoxb-1-sandbox';
const config = { ...testConfig(), slack: { users: { bob: 'U024BE7LH' } } };

describe('in Slack', () => {
  let slack: SlackStandIn;
  beforeEach(async () => {
    slack = await startSlackStandIn({
      token: TOKEN,
      channels: [{ name: 'deploys', id: 'C1' }],
      webhook: { channel: 'deploys' },
    });
  });
  afterEach(() => slack.close());

  const botEnv = () => ({ SLACK_BOT_TOKEN: TOKEN, SLACK_CHANNEL: 'C1', SLACK_API_URL: slack.apiUrl });
  const bot = () =>
    createPromotionSlack({ config, env: { ...botEnv(), SLUICE_PUBLIC_URL: 'https://sluice.example' } });
  const all = () => slack.messages('deploys');
  const mains = () => all().filter(({ threadTs }) => !threadTs);
  const calls = () => all().filter(({ threadTs }) => threadTs);
  const recent = (): string => new Date().toISOString();
  const news = (...[change, more]: Parameters<typeof newsOf>) =>
    newsOf(change, { queuedAt: recent(), ...more });

  it('has one message a promotion, edited in place, and calls below it whom a change concerns', async () => {
    const tell = bot();
    await tell(news('staging'));
    await tell(news('staging', { id: 'web.x', app: 'web' }));
    await tell(news('testing', { stage: 'testing' }));
    await tell(news('unlocked', { stage: 'awaiting-approval' }));
    await tell(news('production', { stage: 'production' }));
    await tell(news('ended', { stage: 'promoted' }));
    const [first, other, ...more] = mains();
    expect(more).toEqual([]);
    expect(first?.text).toContain('*is in production*');
    expect(first?.edits).toHaveLength(4);
    expect(JSON.stringify(first?.blocks)).toContain('https://sluice.example/apps/api');
    expect(other?.text).toContain('*web*');
    expect(calls().map(({ threadTs, text }) => [threadTs, text.includes('<@U024BE7LH>')])).toEqual([
      [first?.ts, true],
      [first?.ts, true],
      [first?.ts, false],
    ]);
  });

  it('says nothing twice, goes back to nothing, and goes on where it is retried', async () => {
    const unlocked = news('unlocked', { stage: 'awaiting-approval' });
    const failed = news('ended', { stage: 'failed' });
    await bot()(failed);
    await bot()(failed);
    await bot()(unlocked);
    expect(mains()).toHaveLength(1);
    expect(calls()).toEqual([]);
    expect(mains()[0]?.text).toContain('*failed*');
    await bot()(news('production', { stage: 'production' }));
    expect(mains()[0]?.text).toContain('goes to production');
  });

  it.each(['chat.postMessage', 'chat.update'])(
    'has one message where answers to %s are lost',
    async (method) => {
      const first = news('staging');
      await driven(() => bot()(first), 20);
      slack.fault({ kind: 'lost-answer', method, times: 1 });
      const second = news('unlocked', { stage: 'awaiting-approval' });
      await driven(() => bot()(second), 20);
      expect(mains()).toHaveLength(1);
      expect(mains()[0]?.text).toContain('unlocked');
      expect(calls().length).toBeGreaterThan(0);
    },
  );

  it('posts each change by a webhook, and nothing of a merge that another one took along', async () => {
    const tell = createPromotionSlack({ config, env: { SLACK_WEBHOOK_URL: slack.webhookUrl ?? '' } });
    await tell(news('staging'));
    await tell(news('testing', { stage: 'testing' }));
    const { startedAt: _, ...carried } = promotionOf({ stage: 'superseded', carriedBy: 'api.x' });
    await tell({ at: recent(), change: 'ended', promotion: carried });
    expect(all()).toHaveLength(2);
  });

  it('tells nobody without settings', async () => {
    await createPromotionSlack({ config, env: {} })(news('staging'));
    expect(slack.requests()).toEqual([]);
  });

  it('tells of drift, once', async () => {
    const warned: string[] = [];
    const { driftSlack, deliverDrift } = createDriftNotices({
      env: botEnv(),
      log: { warn: (_: unknown, text: string) => void warned.push(text) } as never,
    });
    const drift = {
      app: 'api',
      environment: 'staging',
      revision: 'r:2',
      message: 'api runs <r:2>',
      at: recent(),
    };
    await deliverDrift(drift);
    await driftSlack(drift);
    await driftSlack(drift);
    expect(warned).toEqual(['drift: api runs <r:2>']);
    expect(all().map(({ text }) => text)).toEqual([':warning: *Drift*: api runs &lt;r:2&gt;']);
  });
});

describe('on pull requests', () => {
  let said: CommentInput[];
  let view: PromotionQueueView | undefined;
  beforeEach(() => {
    said = [];
    view = undefined;
  });

  const comment = (token: string | undefined = 'ghp_x') =>
    createPromotionComment({
      config,
      credentials: { token: async () => token },
      publicUrl: 'https://sluice.example',
      comment: async (input) => void said.push(input),
      readPromotions: async () => view,
    });

  it('is one comment for an app, whichever promotion it is about', async () => {
    const merges = [mergeOf(1), mergeOf(2)];
    for (const one of commentNews(newsOf('staging', { merges }))) await comment()(one);
    expect(said.map(({ pullRequest, marker }) => [pullRequest, marker])).toEqual([
      [2, 'promotion of api'],
      [1, 'promotion of api'],
    ]);
    expect(said[0]?.body).toContain('**api** `0000000`, with 1 other merge: it goes to staging');
  });

  it('shows where the promotion is that took the change along, whichever of both tells first', async () => {
    const carrier = promotionOf({
      id: 'api.new',
      release: 'f'.repeat(40),
      merges: [mergeOf(1), mergeOf(2)],
      stage: 'testing',
    });
    view = {
      ...{ app: 'api', policy: { queue: 'latest', approval: 'required' }, state: 'busy' },
      ...{ current: carrier, waiting: [], waitingCount: 0, recent: [] },
    };
    const old = { stage: 'superseded' as const, merges: [mergeOf(1)] };
    for (const one of commentNews(newsOf('ended', { ...old, carriedBy: 'api.new' }))) await comment()(one);
    expect(said[0]?.body).toContain(
      '**api** `fffffff`, with 1 other merge: it runs on staging, and its tests run',
    );
    // One that started before, and does not list it.
    for (const one of commentNews(newsOf('ended', { ...old, carriedBy: 'api.older' }))) await comment()(one);
    expect(said[1]?.body).toContain('it went with `api.older`');
  });

  it('calls the team where a wait is escalated', async () => {
    const waitingFor = {
      code: 'STAGING_MOVED' as const,
      ...{ since: '', detail: 'd', who: 'a maintainer', actions: [] },
    };
    const more = { stage: 'testing' as const, waitingFor };
    for (const change of ['waiting', 'escalated'] as const) {
      for (const one of commentNews(newsOf(change, more))) await comment()(one);
    }
    expect(said.map(({ body }) => body.includes('@WordPress/openverse-maintainers: '))).toEqual([
      false,
      true,
    ]);
  });

  it('says nothing without credentials, and fails as GitHub does', async () => {
    const [one] = commentNews(newsOf('staging'));
    if (!one) throw new Error('no news');
    const asNobody = createPromotionComment({
      ...{ config, credentials: { token: async () => undefined } },
      comment: async (input) => void said.push(input),
      readPromotions: async () => undefined,
    });
    await asNobody(one);
    expect(said).toEqual([]);
    const refused = createPromotionComment({
      ...{ config, credentials: { token: async () => 'x' }, readPromotions: async () => undefined },
      comment: () => Promise.reject(refuse('GITHUB_FAILED', 'locked')),
    });
    expect((await failureOf(refused(one))).type).toBe('GITHUB_FAILED');
  });
});

describe('in the log', () => {
  it('is a line a change', async () => {
    const lines: unknown[][] = [];
    const log = { info: (...line: unknown[]) => void lines.push(line) };
    const failure = { code: 'TESTS_FAILED', message: 'no' };
    await createDeliverPromotion(log as never)(
      newsOf('ended', { stage: 'failed', failedStage: 'testing', failure }),
    );
    expect(lines).toEqual([
      [
        { promotion: promotionOf().id, change: 'ended', stage: 'failed', failure },
        'failed at testing: promotion of api @ 0000000',
      ],
    ]);
  });
});
