/** The stand-in of Slack, asked by Slack's own client. */
import { WebClient, ErrorCode, LogLevel } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSlackStandIn, type SlackStandIn } from '../../sandbox/slack/server.js';

const TOKEN = 'xoxb-sandbox';
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

const client = (token = TOKEN) =>
  new WebClient(token, {
    slackApiUrl: slack.apiUrl,
    logLevel: LogLevel.ERROR,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
const refused = (error: string) => ({ code: ErrorCode.PlatformError, data: { ok: false, error } });

describe('the Web API', () => {
  it('posts, edits in place, and finds again by metadata', async () => {
    const metadata = { event_type: 'sluice_deployment', event_payload: { id: 'd1' } };
    const blocks = [section('*started*')];
    const posted = await client().chat.postMessage({
      channel: '#deploys',
      text: 'started',
      blocks,
      metadata,
    });
    expect(posted).toMatchObject({ ok: true, channel: 'C1', message: { text: 'started', blocks } });
    await client().chat.postMessage({ channel: 'C1', text: 'another' });
    const ts = posted.ts ?? '';
    expect(ts).toMatch(/^\d{10}\.\d{6}$/);

    const hidden = await client().conversations.history({ channel: 'C1' });
    expect(hidden.messages?.map((one) => one.metadata)).toEqual([undefined, undefined]);
    const { messages } = await client().conversations.history({ channel: 'C1', include_all_metadata: true });
    expect(messages?.map(({ text }) => text)).toEqual(['another', 'started']);
    expect(messages?.[1]).toMatchObject({ ts, metadata });

    expect(await client().chat.update({ channel: 'C1', ts, text: 'done' })).toMatchObject({
      ok: true,
      ts,
      text: 'done',
    });
    const [first] = slack.messages('deploys');
    expect(first).toMatchObject({ ts, text: 'done', metadata, edits: [{ text: 'started', blocks }] });
    expect(first?.blocks).toBeUndefined();
    expect(slack.messages()).toHaveLength(2);
  });

  it('turns pages', async () => {
    for (const text of ['1', '2', '3']) await client().chat.postMessage({ channel: 'C1', text });
    const seen: (string | undefined)[] = [];
    for await (const page of client().paginate('conversations.history', { channel: 'C1', limit: 2 }))
      seen.push(...((page as { messages?: { text: string }[] }).messages ?? []).map(({ text }) => text));
    expect(seen).toEqual(['3', '2', '1']);
    const [first] = slack.messages();
    const since = await client().conversations.history({ channel: 'C1', oldest: first?.ts });
    expect(since.messages).toHaveLength(2);
  });

  it('knows the bot and its channels', async () => {
    expect(await client().auth.test()).toMatchObject({ ok: true, user: 'sluice' });
    const info = await client().conversations.info({ channel: 'C2' });
    expect(info.channel).toMatchObject({ id: 'C2', name: 'elsewhere', is_member: false });
    expect((await client().conversations.list()).channels).toHaveLength(3);
  });

  it.each<[string, (slackClient: WebClient) => Promise<unknown>]>([
    ['channel_not_found', (web) => web.chat.postMessage({ channel: '#nowhere', text: 'x' })],
    ['not_in_channel', (web) => web.chat.postMessage({ channel: 'C2', text: 'x' })],
    ['is_archived', (web) => web.chat.postMessage({ channel: 'C3', text: 'x' })],
    ['no_text', (web) => web.chat.postMessage({ channel: 'C1', text: ' ' })],
    [
      'invalid_blocks',
      (web) => web.chat.postMessage({ channel: 'C1', text: 'x', blocks: [section('y'.repeat(3_001))] }),
    ],
    ['message_not_found', (web) => web.chat.update({ channel: 'C1', ts: '1.000001', text: 'x' })],
    ['channel_not_found', (web) => web.chat.update({ channel: '#deploys', ts: '1.000001', text: 'x' })],
    ['unknown_method', (web) => web.apiCall('chat.shout')],
  ])('refuses with %s', async (error, call) => {
    await expect(call(client())).rejects.toMatchObject(refused(error));
    expect(slack.messages()).toEqual([]);
    expect(slack.requests().at(-1)).toMatchObject({ status: 200, error });
  });

  it('checks the token and its scopes', async () => {
    await expect(client('xoxb-wrong').auth.test()).rejects.toMatchObject(refused('invalid_auth'));
    expect(await (await fetch(`${slack.apiUrl}auth.test`, { method: 'POST' })).json()).toEqual({
      ok: false,
      error: 'not_authed',
    });
    slack.revokeToken();
    await expect(client().auth.test()).rejects.toMatchObject(refused('token_revoked'));
    await slack.close();
    slack = await startSlackStandIn({
      token: TOKEN,
      scopes: ['chat:write'],
      channels: [{ name: 'deploys', id: 'C1' }],
    });
    await client().chat.postMessage({ channel: 'C1', text: 'x' });
    await expect(client().conversations.history({ channel: 'C1' })).rejects.toMatchObject(
      refused('missing_scope'),
    );
    expect(JSON.stringify(slack.requests())).not.toContain('xoxb');
  });
});

describe('incoming webhooks', () => {
  const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    fetch(slack.webhookUrl ?? '', { method: 'POST', body, headers });
  const said = async (response: Promise<Response>) => [
    (await response).status,
    await (await response).text(),
  ];

  it('answer ok and keep the message, which cannot be edited', async () => {
    expect(await said(post(JSON.stringify({ text: 'hello', blocks: [section('hello')] })))).toEqual([
      200,
      'ok',
    ]);
    const form = new URLSearchParams({ payload: JSON.stringify({ text: 'as a form' }) });
    expect(
      await said(post(form.toString(), { 'content-type': 'application/x-www-form-urlencoded' })),
    ).toEqual([200, 'ok']);
    expect(slack.messages()).toMatchObject([
      { via: 'webhook', channel: 'C1', text: 'hello' },
      { via: 'webhook', text: 'as a form' },
    ]);
    const ts = slack.messages()[0]?.ts ?? '';
    await expect(client().chat.update({ channel: 'C1', ts, text: 'x' })).rejects.toMatchObject(
      refused('cant_update_message'),
    );
  });

  it('refuse in plain words', async () => {
    expect(await said(post('{'))).toEqual([400, 'invalid_payload']);
    expect(await said(post('{}'))).toEqual([400, 'no_text']);
    expect(await said(fetch(`${slack.url}/services/T/B/X`, { method: 'POST', body: '{}' }))).toEqual([
      404,
      'no_service',
    ]);
    slack.archive('deploys');
    expect(await said(post('{"text":"x"}'))).toEqual([410, 'channel_is_archived']);
    expect(slack.messages()).toEqual([]);
  });

  it('are limited', async () => {
    slack.fault({ kind: 'ratelimited', method: 'webhook', retryAfter: 30, times: 1 });
    const response = await post('{"text":"x"}');
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '30']);
    expect((await post('{"text":"x"}')).status).toBe(200);
  });
});

describe('faults', () => {
  const postMessage = () => client().chat.postMessage({ channel: 'C1', text: 'x' });

  it('rate limit, 503, its own error, and something that is not Slack', async () => {
    slack.fault({ kind: 'ratelimited', retryAfter: 7, times: 1 });
    await expect(postMessage()).rejects.toMatchObject({ code: ErrorCode.RateLimitedError, retryAfter: 7 });
    slack.fault({ kind: 'unavailable', times: 1 });
    await expect(postMessage()).rejects.toMatchObject({ code: ErrorCode.HTTPError, statusCode: 503 });
    slack.fault({ kind: 'error', error: 'fatal_error', times: 1 });
    await expect(postMessage()).rejects.toMatchObject(refused('fatal_error'));
    slack.fault({ kind: 'not-json', times: 1 });
    await expect(postMessage()).rejects.toThrow();
    expect(slack.messages()).toEqual([]);
  });

  it('lost before and after the effect, and held behind it', async () => {
    slack.fault({ kind: 'lost-request', times: 1 });
    await expect(postMessage()).rejects.toMatchObject({ code: ErrorCode.RequestError });
    expect(slack.messages()).toHaveLength(0);
    slack.fault({ kind: 'lost-answer', times: 1 });
    await expect(postMessage()).rejects.toMatchObject({ code: ErrorCode.RequestError });
    expect(slack.messages()).toHaveLength(1);
    slack.fault({ kind: 'hold-after', method: 'chat.postMessage', skip: 1, times: 1 });
    await postMessage();
    const abort = new AbortController();
    const held = fetch(`${slack.apiUrl}chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: 'C1', text: 'held' }),
      signal: abort.signal,
    });
    await expect.poll(() => slack.messages().at(-1)?.text).toBe('held');
    abort.abort();
    await expect(held).rejects.toThrow();
    expect(slack.messages()).toHaveLength(3);
  });

  it('from another process', async () => {
    const control = (method: string, path: string, body?: unknown) =>
      fetch(`${slack.url}/_sandbox/${path}`, {
        method,
        body: body === undefined ? null : JSON.stringify(body),
      });
    expect((await control('POST', 'faults', { kind: 'nonsense' })).status).toBe(422);
    await control('POST', 'faults', { kind: 'unavailable' });
    await expect(postMessage()).rejects.toThrow();
    await control('DELETE', 'faults');
    await postMessage();
    expect(await (await control('GET', 'messages')).json()).toMatchObject({ items: [{ text: 'x' }] });
  });

  it('down, and up again at the same address', async () => {
    await slack.down();
    await expect(postMessage()).rejects.toMatchObject({ code: ErrorCode.RequestError });
    await slack.up();
    await postMessage();
    expect(slack.messages()).toHaveLength(1);
  });
});
