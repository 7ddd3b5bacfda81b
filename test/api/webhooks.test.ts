import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliveryWorkflowId } from '../../domain/ids.js';
import { WORKFLOW } from '../../domain/messages.js';
import { EXAMPLES } from '../support/webhook-examples.js';
import { connect } from '../support/temporal.js';
import type { TestTemporal } from '../support/temporal.js';
import { config, harness } from './harness.js';
import type { Harness } from './harness.js';

const SECRET = 'it is a secret';
const AFTER = 'b'.repeat(40);
const PUSH = {
  ...{ ref: 'refs/heads/main', before: 'a'.repeat(40), after: AFTER, sender: { login: 'alice' } },
  ...{ repository: { full_name: 'Acme/Shop' }, head_commit: { message: 'words that stay out' } },
};

let temporal: TestTemporal;
let api: Harness;
let unset: Harness;
let away: Harness;

beforeAll(async () => {
  temporal = await connect();
  const { address, namespace } = temporal;
  const deps = { webhookSecrets: { github: SECRET } };
  api = await harness({ address, namespace, deps });
  unset = await harness({ address, namespace });
  away = await harness({ address: '127.0.0.1:9', deps });
});
afterAll(async () => {
  for (const one of [api, unset, away]) await one.close();
  await temporal.close();
});

const signature = (body: string | Buffer, secret = SECRET): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

interface Sent {
  to?: Harness;
  event?: string;
  delivery?: string;
  headers?: Record<string, string | undefined>;
}

/** As GitHub sends it, unless told otherwise: no token, signed. */
async function send(payload: object | string | Buffer, sent: Sent = {}) {
  const { to = api, event = 'push', delivery = crypto.randomUUID(), headers } = sent;
  const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
  const all = {
    ...{ 'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': delivery },
    ...{ 'x-hub-signature-256': signature(body), ...headers },
  };
  const given = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const url = '/webhooks/github';
  const answer = await to.call({ method: 'POST', url, as: null, payload: body, headers: given });
  const taken = answer.body as { delivery?: string; ignored?: string; again?: boolean };
  return { ...answer, taken, error: (answer.body as { error?: { code: string; message: string } }).error };
}

const held = async (delivery: string) => {
  const handle = temporal.client.workflow.getHandle(deliveryWorkflowId(delivery));
  const { events } = await handle.fetchHistory();
  return events?.[0]?.workflowExecutionStartedEventAttributes;
};
const counted = async (of: Harness): Promise<string> => (await of.call({ url: '/metrics' })).text;

describe('a push to the branch', () => {
  it('is answered once Temporal holds it, with nothing of the payload that is not needed', async () => {
    const { status, taken } = await send(PUSH, { delivery: 'd-1' });
    expect([status, taken]).toEqual([202, { delivery: 'd-1' }]);
    const started = await held('d-1');
    expect(started?.workflowType?.name).toBe(WORKFLOW.delivery);
    const input = JSON.parse(Buffer.from(started?.input?.payloads?.[0]?.data ?? '').toString()) as unknown;
    expect(input).toEqual({
      ...{ event: 'push', ref: PUSH.ref, before: PUSH.before, after: AFTER, sender: 'alice' },
    });
  });

  it('changes nothing when it is delivered again, unless the first one failed', async () => {
    await send(PUSH, { delivery: 'd-2' });
    expect(await send(PUSH, { delivery: 'd-2' })).toMatchObject({
      ...{ status: 202, taken: { delivery: 'd-2', again: true } },
    });
    await temporal.client.workflow.getHandle(deliveryWorkflowId('d-2')).terminate('by the test');
    expect((await send(PUSH, { delivery: 'd-2' })).taken).toEqual({ delivery: 'd-2' });
  });

  it('takes many at once, each once', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `many-${index % 10}`);
    const answers = await Promise.all(ids.map((delivery) => send(PUSH, { delivery })));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 202));
    expect(answers.filter(({ taken }) => taken.again)).toHaveLength(10);
  });
});

describe('what does not concern us', () => {
  it.each([
    ['ping', { zen: 'Keep it logically awesome.', repository: PUSH.repository }],
    ['push', { ...PUSH, ref: 'refs/tags/v1' }],
    ['pull_request', { action: 'opened', repository: PUSH.repository }],
    ['organization', { action: 'renamed' }],
  ])('is ignored, and starts nothing: %s', async (event, payload) => {
    const { status, taken } = await send(payload, { event, delivery: `ignored-${event}` });
    expect([status, taken]).toEqual([
      202,
      { delivery: `ignored-${event}`, ignored: expect.stringMatching(/\w/) },
    ]);
    await expect(held(`ignored-${event}`)).rejects.toThrow();
    expect((await send(payload, { to: away, event })).status).toBe(202);
  });

  it('is refused where it is about another repository', async () => {
    const { status, error } = await send({ ...PUSH, repository: { full_name: 'acme/other' } });
    expect([status, error?.code]).toEqual([404, 'NOT_FOUND']);
    expect(error?.message).toContain('acme/other');
  });
});

describe('what cannot be trusted', () => {
  it.each([
    ['no signature', { 'x-hub-signature-256': undefined }],
    ['the signature of another secret', { 'x-hub-signature-256': signature(JSON.stringify(PUSH), 'other') }],
    ['the signature of another body', { 'x-hub-signature-256': signature('{}') }],
    ['a signature of another form', { 'x-hub-signature-256': 'sha1=00' }],
    [
      'the first half of a signature',
      { 'x-hub-signature-256': signature(JSON.stringify(PUSH)).slice(0, 40) },
    ],
  ])('is refused with 401: %s', async (_what, headers) => {
    const { status, error } = await send(PUSH, { delivery: 'untrusted', headers });
    expect([status, error?.code]).toEqual([401, 'UNAUTHENTICATED']);
    await expect(held('untrusted')).rejects.toThrow();
  });

  it('is refused before its JSON is read, and broken JSON after', async () => {
    const broken = '{"ref":';
    const forged = await send(broken, { headers: { 'x-hub-signature-256': signature('x') } });
    expect(forged.status).toBe(401);
    for (const body of [broken, '[]', 'null', '7']) {
      expect([body, (await send(body)).status]).toEqual([body, 400]);
    }
    expect((await send('')).status).toBe(401);
    const notText = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    expect((await send(notText)).status).toBe(401);
  });

  it.each([
    ['X-GitHub-Event', { 'x-github-event': undefined }],
    ['X-GitHub-Delivery', { 'x-github-delivery': undefined }],
    ['X-GitHub-Delivery', { 'x-github-delivery': '../x' }],
  ])('is refused without a right %s', async (name, headers) => {
    const { status, error } = await send(PUSH, { headers });
    expect([status, error?.code]).toEqual([400, 'BAD_REQUEST']);
    expect(error?.message).toContain(name);
  });

  it('says what to set where the API has no secret', async () => {
    const { status, error } = await send(PUSH, { to: unset });
    expect(status).toBe(401);
    expect(error?.message).toContain('GITHUB_WEBHOOK_SECRET');
  });

  it('takes JSON only', async () => {
    const form = await send('payload=%7B%7D', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([form.status, form.error?.code]).toEqual([415, 'NOT_JSON']);
    expect((await send(PUSH, { headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });
});

describe('limits', () => {
  it('takes what GitHub sends, up to 25 MB, and no more', async () => {
    const MB = 1024 * 1024;
    const large = { ...PUSH, padding: 'ä'.repeat(12 * MB) };
    expect((await send(large)).status).toBe(202);
    const { status, error } = await send({ ...PUSH, padding: 'x'.repeat(25 * MB) });
    expect([status, error?.code, error?.message]).toEqual([
      413,
      'TOO_LARGE',
      'The body is larger than 25 MiB',
    ]);
  });

  it('answers 503 in time where Temporal is away', async () => {
    const since = Date.now();
    const { status, error } = await send(PUSH, { to: away });
    expect([status, error?.code]).toEqual([503, 'TEMPORAL_DOWN']);
    expect(Date.now() - since).toBeLessThan(8_000);
  });

  it('counts by event and outcome', async () => {
    const text = await counted(api);
    for (const outcome of ['accepted', 'again', 'refused']) {
      expect(text).toMatch(
        new RegExp(`sluice_webhooks_total\\{source="github",event="push",outcome="${outcome}"\\} [1-9]`),
      );
    }
    expect(text).toContain('event="other",outcome="ignored"');
    expect(text).not.toContain('pull_request');
    expect(await counted(away)).toContain('event="push",outcome="unavailable"');
  });
});

describe('the real payloads of GitHub’s own documentation', () => {
  it('are taken or ignored, and none breaks it', async () => {
    const { address, namespace } = temporal;
    const repository = { ...config().repository, owner: 'Codertocat', name: 'Hello-World', branch: 'master' };
    const real = await harness({
      ...{ address, namespace },
      deps: { config: config({ repository }), webhookSecrets: { github: SECRET } },
    });
    const taken: string[] = [];
    for (const { event, payload } of EXAMPLES) {
      const answer = await send(payload, { to: real, event });
      expect([event, answer.status]).toEqual([event, answer.status === 404 ? 404 : 202]);
      if (answer.status === 202 && !answer.taken.ignored) taken.push(event);
    }
    await real.close();
    const ours = (wanted: string) =>
      EXAMPLES.filter(
        ({ event, payload }) =>
          event === wanted &&
          (payload['repository'] as { full_name: string }).full_name === 'Codertocat/Hello-World' &&
          (event !== 'push' || payload['ref'] === 'refs/heads/master'),
      );
    expect(taken.filter((event) => event === 'push')).toHaveLength(ours('push').length);
    expect(taken.filter((event) => event === 'workflow_run')).toHaveLength(ours('workflow_run').length);
    expect(ours('push').length * ours('workflow_run').length).toBeGreaterThan(0);
    expect(taken.every((event) => event === 'push' || event === 'workflow_run')).toBe(true);
  }, 120_000);
});
