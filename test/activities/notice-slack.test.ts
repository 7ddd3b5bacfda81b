import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNoticeSlack } from '../../activities/notice/slack.js';
import { startSlackStandIn, type SlackStandIn } from '../../sandbox/slack/server.js';
import { failureOf } from '../support/failures.js';
import { driven, testConfig } from '../support/github-world.js';
import { noticeOf } from '../support/notices.js';

const TOKEN = 'xoxb-1-sandbox';
const config = { ...testConfig(), slack: { users: { alice: 'U024BE7LH' } } };
const ended = { outcome: 'succeeded', verified: true } as const;

let slack: SlackStandIn;
beforeEach(async () => {
  slack = await startSlackStandIn({
    token: TOKEN,
    channels: [
      { name: 'deploys', id: 'C1' },
      { name: 'elsewhere', id: 'C2', isMember: false },
      { name: 'old', id: 'C3', isArchived: true },
    ],
    webhook: { channel: 'deploys' },
  });
});
afterEach(() => slack.close());

const bot = (more: Record<string, string> = {}) =>
  createNoticeSlack({
    config,
    env: { SLACK_BOT_TOKEN: TOKEN, SLACK_CHANNEL: 'C1', SLACK_API_URL: slack.apiUrl, ...more },
  });
const hook = (more: Record<string, string> = {}) =>
  createNoticeSlack({ config, env: { SLACK_WEBHOOK_URL: slack.webhookUrl ?? '', ...more } });
const texts = () => slack.messages('deploys').map(({ text }) => text);

describe('with a bot', () => {
  it('has one message a deployment, edited in place', async () => {
    const tell = bot({ SLUICE_PUBLIC_URL: 'https://sluice.example' });
    await tell(noticeOf('started'));
    await tell(noticeOf('started', { id: 'production.api.other' }));
    await tell(noticeOf('slow'));
    await tell(noticeOf('ended', ended));
    const [first, other, ...more] = slack.messages('deploys');
    expect(more).toEqual([]);
    expect(first?.text).toContain('*succeeded*');
    expect(first?.text).toContain('<@U024BE7LH>');
    expect(JSON.stringify(first?.blocks)).toContain('https://sluice.example/deployments/production.api.k3j2');
    expect(first?.edits.map(({ text }) => text)).toEqual([
      expect.stringContaining('is starting'),
      expect.stringContaining('taking too long'),
    ]);
    expect(other?.text).toContain('is starting');
  });

  it('finds it again after a restart, and among many others', async () => {
    await bot()(noticeOf('started'));
    const others = createNoticeSlack({ config, env: { SLACK_WEBHOOK_URL: slack.webhookUrl } });
    for (let i = 0; i < 250; i += 1) await others(noticeOf('started', { id: `staging.api.x${i}` }));
    await bot()(noticeOf('ended', ended));
    expect(slack.messages('deploys')).toHaveLength(251);
    expect(texts()[0]).toContain('*succeeded*');
  });

  it('says nothing twice and goes back to nothing', async () => {
    const tell = bot();
    const end = noticeOf('ended', ended);
    await tell(end);
    await tell(end);
    await tell(noticeOf('slow'));
    const [only, ...more] = slack.messages('deploys');
    expect(more).toEqual([]);
    expect(only).toMatchObject({ edits: [] });
    expect(only?.text).toContain('*succeeded*');
  });

  it.each(['chat.postMessage', 'chat.update', 'conversations.history'])(
    'has one message where answers to %s are lost',
    async (method) => {
      slack.fault({ kind: 'lost-answer', method, times: 2 });
      slack.fault({ kind: 'lost-request', method, times: 1 });
      for (const notice of [noticeOf('started'), noticeOf('ended', ended)]) {
        await driven(() => bot()(notice), 20);
      }
      expect(texts()).toEqual([expect.stringContaining('*succeeded*')]);
    },
  );

  it('removes the double that a late answer made', { timeout: 30_000 }, async () => {
    slack.fault({ kind: 'slow', method: 'chat.postMessage', times: 1, delayMs: 6_000 });
    const first = await failureOf(bot()(noticeOf('started')));
    expect(first).toMatchObject({ type: 'SLACK_DOWN', nonRetryable: false, nextRetryDelay: 5_000 });
    await bot()(noticeOf('started'));
    await sleep(2_000);
    expect(slack.messages('deploys')).toHaveLength(2);
    await bot()(noticeOf('ended', ended));
    expect(texts()).toEqual([expect.stringContaining('*succeeded*')]);
  });

  it('waits as long as a rate limit says', async () => {
    slack.fault({ kind: 'ratelimited', method: 'chat.postMessage', times: 1, retryAfter: 42 });
    const failure = await failureOf(bot()(noticeOf('started')));
    expect(failure).toMatchObject({ type: 'SLACK_DOWN', nonRetryable: false, nextRetryDelay: 42_000 });
    expect(slack.requests().map(({ method }) => method)).toEqual([
      'conversations.history',
      'chat.postMessage',
    ]);
  });

  it.each([
    { kind: 'unavailable' },
    { kind: 'not-json' },
    { kind: 'lost-request' },
    { kind: 'error' },
  ] as const)('tries again later: $kind', async (fault) => {
    slack.fault({ ...fault, times: 1 });
    const failure = await failureOf(bot()(noticeOf('started')));
    expect(failure).toMatchObject({ type: 'SLACK_DOWN', nonRetryable: false });
    expect(failure.message).not.toContain('html');
  });

  it('tries again where nothing answers', async () => {
    await slack.down();
    expect(await failureOf(bot()(noticeOf('started')))).toMatchObject({
      type: 'SLACK_DOWN',
      nonRetryable: false,
    });
    await slack.up();
    await bot()(noticeOf('started'));
    expect(texts()).toHaveLength(1);
  });

  it.each([
    [{ SLACK_BOT_TOKEN: 'xoxb-2-wrong' }, /invalid_auth.*set SLACK_BOT_TOKEN/],
    [{ SLACK_CHANNEL: 'C2' }, /not_in_channel.*invite the app/],
    [{ SLACK_CHANNEL: 'C3' }, /is_archived.*SLACK_CHANNEL/],
    [{ SLACK_CHANNEL: 'C404' }, /channel_not_found.*SLACK_CHANNEL/],
    [{ SLACK_CHANNEL: '#deploys' }, /not a channel’s id/],
    [{ SLACK_CHANNEL: '' }, /without SLACK_CHANNEL/],
    [{ SLACK_BOT_TOKEN: 'xoxb 1\n2' }, /is no token/],
  ])('says what to do, once, and without the token: %j', async (env: Record<string, string>, words) => {
    const failure = await failureOf(bot(env)(noticeOf('started')));
    expect(failure).toMatchObject({ type: 'SLACK_REFUSED', nonRetryable: true });
    expect(failure.message).toMatch(words);
    expect(JSON.stringify([failure.message, failure.details, failure.stack])).not.toMatch(/xoxb-\d/);
  });

  it('says which scopes it lacks', async () => {
    const poor = await startSlackStandIn({
      token: TOKEN,
      scopes: ['chat:write'],
      channels: [{ name: 'deploys', id: 'C1' }],
    });
    const failure = await failureOf(bot({ SLACK_API_URL: poor.apiUrl })(noticeOf('started')));
    await poor.close();
    expect(failure.message).toMatch(/missing_scope.*channels:history/);
  });

  it('posts anew where Slack does not let it edit any more', async () => {
    await bot()(noticeOf('started'));
    slack.fault({ kind: 'error', method: 'chat.update', error: 'edit_window_closed', times: 1 });
    await bot()(noticeOf('ended', ended));
    expect(texts()).toEqual([expect.stringContaining('is starting'), expect.stringContaining('*succeeded*')]);
  });
});

describe('with an incoming webhook', () => {
  it('posts each change', async () => {
    await hook()(noticeOf('started'));
    await hook()(noticeOf('ended', ended));
    expect(texts()).toEqual([expect.stringContaining('is starting'), expect.stringContaining('*succeeded*')]);
    expect(slack.messages('deploys')[0]?.blocks).toHaveLength(2);
  });

  it('tells at least once where an answer is lost', async () => {
    slack.fault({ kind: 'lost-answer', times: 1 });
    await driven(() => hook()(noticeOf('ended', ended)), 20);
    expect(new Set(texts()).size).toBe(1);
  });

  it('waits as long as a rate limit says, and tries outages again', async () => {
    slack.fault({ kind: 'ratelimited', times: 1, retryAfter: 7 });
    expect(await failureOf(hook()(noticeOf('started')))).toMatchObject({ nextRetryDelay: 7_000 });
    for (const kind of ['unavailable', 'not-json', 'error', 'lost-request'] as const) {
      slack.fault({ kind, times: 1 });
      expect(await failureOf(hook()(noticeOf('started')))).toMatchObject({
        type: 'SLACK_DOWN',
        nonRetryable: false,
      });
    }
    expect(texts()).toEqual([]);
  });

  it('says what to do where the webhook is gone, without its address', async () => {
    const failure = await failureOf(
      hook({ SLACK_WEBHOOK_URL: `${slack.url}/services/T0/B0/secret` })(noticeOf('started')),
    );
    expect(failure).toMatchObject({ type: 'SLACK_REFUSED', nonRetryable: true });
    expect(failure.message).toMatch(/no_service.*SLACK_WEBHOOK_URL/);
    expect(failure.message).not.toContain('secret');
    const wrong = await failureOf(hook({ SLACK_WEBHOOK_URL: 'secret' })(noticeOf('started')));
    expect(wrong.message).toContain('not an http(s) address');
    expect(wrong.message).not.toContain('secret');
  });
});

it('does nothing without Slack', async () => {
  await createNoticeSlack({ config, env: {} })(noticeOf('started'));
  expect(slack.requests()).toEqual([]);
});
