import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLive } from '../../api/live.js';
import type { Config } from '../../domain/config/config.js';
import { deliveryWorkflowId, laneWorkflowId, promotionWorkflowId } from '../../domain/ids.js';
import type { LaneView } from '../../domain/messages.js';
import { MEMO, QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { eventually } from '../support/scripted.js';
import { connect } from '../support/temporal.js';
import type { TestTemporal } from '../support/temporal.js';
import { config, fakeEcs, harness } from './harness.js';
import type { Harness } from './harness.js';

const SECRET = 'of the tests';
const CURRENT = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);

let temporal: TestTemporal;
let worker: Worker;
let running: Promise<void>;
let api: Harness;

/** A second app that is promoted, whose queue never ran. */
function settings(): Config {
  const one = config();
  const promoted = one.apps['api'];
  return promoted ? { ...one, apps: { ...one.apps, web: promoted } } : one;
}

beforeAll(async () => {
  temporal = await connect();
  worker = await temporal.createWorker({
    taskQueue: QUEUE.main,
    workflowsPath: fileURLToPath(new URL('../support/scripted-queue.ts', import.meta.url)),
  });
  running = worker.run();
  const { address, namespace } = temporal;
  const deps = { config: settings(), webhookSecrets: { tests: SECRET, github: SECRET } };
  api = await harness({ address, namespace, deps });
}, 60_000);
afterAll(async () => {
  await api.close();
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await running;
  await temporal.close();
});

interface Body extends PromotionQueueView {
  error?: { code: string; message: string; details?: Record<string, unknown> };
}

interface Asked {
  key?: string;
  as?: string | null;
  headers?: Record<string, string>;
  method?: 'POST' | 'PUT' | 'DELETE';
}

async function ask(url: string, payload: object | string, asked: Asked = {}) {
  const { key, as, headers, method = 'POST' } = asked;
  const { status, body } = await api.call({
    ...{ method, url, payload, ...(as === undefined ? {} : { as }) },
    headers: {
      'content-type': 'application/json',
      ...(key ? { 'idempotency-key': key } : {}),
      ...headers,
    },
  });
  return { status, body: body as Body, code: (body as Body | null)?.error?.code };
}
const tell = (action: string, payload: object | string, asked?: Asked) =>
  ask(`/api/promotions/api/${action}`, payload, asked);
const queue = async (app = 'api') => (await api.call({ url: `/api/promotions/${app}` })).body as Body;
const told = async (): Promise<Record<string, unknown>[]> => {
  const { memo } = await temporal.client.workflow.getHandle(promotionWorkflowId('api')).describe();
  return (memo?.['told'] ?? []) as Record<string, unknown>[];
};

describe('GET /api/promotions/{app}', () => {
  it('is idle, with the policy of the configuration, where the queue never ran', async () => {
    expect(await queue('web')).toEqual({
      ...{ app: 'web', policy: { queue: 'latest', approval: 'required' }, state: 'idle' },
      ...{ waiting: [], waitingCount: 0, recent: [] },
    });
  });

  it.each([
    ['nope', 'There is no app'],
    ['constructor', 'There is no app'],
    ['frontend', 'does not run in both staging and production'],
    ['ingestion_server', 'is releaseOnly'],
  ])('is 404 for %s, and says why', async (app, words) => {
    for (const [method, url] of [
      ['GET', `/api/promotions/${app}`],
      ['POST', `/api/promotions/${app}/approve`],
      ['PUT', `/api/locks/promotions/${app}`],
    ] as const) {
      const payload =
        method === 'GET' ? {} : { payload: url.endsWith('approve') ? { release: OTHER } : { reason: 'r' } };
      const { status, body } = await api.call({ method, url, ...payload });
      expect([url, status]).toEqual([url, 404]);
      expect((body as Body).error?.message).toContain(words);
    }
  });
});

describe('commands', () => {
  it.each([
    ['approve', { release: CURRENT, override: true, reason: 'hurry' }, 'approve'],
    ['reject', { release: CURRENT, reason: 'it is ugly' }, 'reject'],
    ['cancel', { release: CURRENT, reason: 'not now' }, 'cancel'],
    ['retry', { release: CURRENT }, 'retryPromotion'],
    ['resolve', { choice: 'restore-staging', reason: 'foreign' }, 'resolve'],
    ['tests', { release: CURRENT, passed: true, url: 'https://ci.test/1' }, 'reportTests'],
  ])('%s hands over who asks and what, and answers with the queue', async (action, body, update) => {
    const answer = await tell(action, body);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ app: 'api', state: 'busy', current: { release: CURRENT } });
    expect((await told()).at(-1)).toEqual({
      ...{ update, ...body, by: 'alice', key: expect.stringMatching(/^[a-z0-9]{16}$/) },
    });
  });

  it('are done once under one key, and reach the queue again with another body', async () => {
    const before = (await told()).length;
    const body = { release: CURRENT, reason: 'once' };
    for (const _time of [1, 2]) expect((await tell('reject', body, { key: 'k' })).status).toBe(200);
    expect(await told()).toHaveLength(before + 1);
    await tell('reject', { ...body, reason: 'another' }, { key: 'k' });
    const after = await told();
    expect(after).toHaveLength(before + 2);
    expect(after.at(-1)?.['key']).toBe(after.at(-2)?.['key']);
    await tell('reject', body, { key: 'k', as: 't-bob' });
    expect((await told()).at(-1)?.['key']).not.toBe(after.at(-1)?.['key']);
  });

  it.each([
    ['NOT_UNLOCKED', 409],
    ['STAGING_MOVED', 409],
    ['PRODUCTION_MOVED', 409],
    ['LOCKED', 409],
    ['RELEASE_BAD', 409],
    ['KEY_REUSED', 409],
    ['NOT_FAILED', 409],
    ['NOT_WAITING', 409],
    ['RESTORING', 409],
    ['PROMOTION_RUNNING', 409],
    ['TAG_NOT_FOUND', 409],
    ['NOT_A_MAINTAINER', 403],
    ['VERSION_UNKNOWN', 503],
    ['AWS_DOWN', 503],
  ])('approve is refused as the queue refuses it: %s', async (code, status) => {
    const answer = await tell('approve', { release: CURRENT, reason: code });
    expect([answer.status, answer.code, answer.body.error?.message]).toEqual([
      status,
      code,
      `refused: ${code}`,
    ]);
  });

  it.each(['approve', 'retry'])(
    '%s that could not look is asked again under its key, and judged afresh; then it is done once',
    async (action) => {
      const body = { release: CURRENT, reason: 'throttled once' };
      const refused = await tell(action, body, { key: 'again' });
      expect([refused.status, refused.code]).toEqual([503, 'AWS_DOWN']);
      const before = (await told()).length;
      for (const _time of [1, 2]) expect((await tell(action, body, { key: 'again' })).status).toBe(200);
      expect(await told()).toHaveLength(before + 1);
    },
  );

  it('name the current release where another one was meant', async () => {
    const { status, body, code } = await tell('approve', { release: OTHER });
    expect([status, code]).toEqual([404, 'NOT_FOUND']);
    expect(body.error?.message).toContain(`${CURRENT} (testing)`);
    expect(body.error?.details).toEqual({ current: { release: CURRENT, stage: 'testing' } });
  });

  it.each([
    ['approve', { release: CURRENT }, 200],
    ['retry', { release: CURRENT }, 200],
    ['resolve', { choice: 'adopt' }, 200],
    ['reject', { release: CURRENT }, 503],
  ])('may take their time if they look first, and not otherwise: %s', async (action, body, status) => {
    const answer = await tell(action, { ...body, reason: 'slow' });
    expect([answer.status, answer.code]).toEqual([status, status === 503 ? 'TOO_LATE' : undefined]);
  });

  it.each([
    ['approve', {}, 'body'],
    ['approve', { release: CURRENT, override: true }, 'body/reason'],
    ['approve', { release: '' }, 'body/release'],
    ['approve', { release: CURRENT, by: 'root' }, 'does not know "by"'],
    ['reject', { release: CURRENT }, 'body'],
    ['cancel', { release: CURRENT, reason: '' }, 'body/reason'],
    ['retry', { release: CURRENT, override: true }, 'body/reason'],
    ['resolve', { choice: 'shrug', reason: 'r' }, 'adopt, restore-staging, override'],
    ['tests', { release: CURRENT, passed: 'yes' }, 'body/passed'],
    ['tests', { release: CURRENT, passed: true, url: 'javascript:alert(1)' }, 'body/url'],
    ['tests', { release: CURRENT, passed: true, app: 'x' }, 'does not know "app"'],
  ])('%s %j is refused by its form', async (action, body, words) => {
    const before = await told();
    const answer = await tell(action, body);
    expect([answer.status, answer.code]).toEqual([400, 'BAD_REQUEST']);
    expect(answer.body.error?.message).toContain(words);
    expect(await told()).toEqual(before);
  });
});

describe('a signed report of tests', () => {
  const report = JSON.stringify({ release: CURRENT, passed: false });
  const sign = (text: string, secret = SECRET) => ({
    'x-sluice-signature-256': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`,
  });

  it('needs no token, and is the tests’ own', async () => {
    const { status } = await tell('tests', report, { as: null, headers: sign(report) });
    expect(status).toBe(200);
    expect((await told()).at(-1)).toMatchObject({ update: 'reportTests', passed: false, by: 'tests' });
  });

  it.each([
    ['another secret', sign(report, 'other')],
    ['another body', sign('{}')],
    ['another form', { 'x-sluice-signature-256': 'yes' }],
  ])('is refused where the signature is of %s, token or not', async (_what, headers) => {
    for (const as of [null, 't-alice']) {
      expect((await tell('tests', report, { as, headers })).code).toBe('UNAUTHENTICATED');
    }
  });

  it('has the form of every report', async () => {
    const bad = JSON.stringify({ release: CURRENT });
    expect((await tell('tests', bad, { as: null, headers: sign(bad) })).status).toBe(400);
    expect((await tell('tests', '{', { as: null, headers: sign('{') })).status).toBe(400);
    expect((await tell('tests', '{')).status).toBe(400);
  });

  it('is no way in to the other commands', async () => {
    const { code } = await tell('approve', { release: CURRENT }, { as: null, headers: sign(report) });
    expect(code).toBe('UNAUTHENTICATED');
  });

  it('says what to set where the API has no secret', async () => {
    const { address, namespace } = temporal;
    const unset = await harness({ address, namespace, deps: { config: settings() } });
    const { status, body } = await unset.call({
      ...{ method: 'POST', url: '/api/promotions/api/tests', as: null, payload: report },
      headers: { 'content-type': 'application/json', ...sign(report) },
    });
    await unset.close();
    expect(status).toBe(401);
    expect((body as Body).error?.message).toContain('TESTS_WEBHOOK_SECRET');
  });
});

describe('/api/locks/promotions/{app}', () => {
  const url = '/api/locks/promotions/api';
  const lock = (reason: string, asked: Asked = {}) => ask(url, { reason }, { method: 'PUT', ...asked });
  const unlock = (asked: Asked = {}) => ask(url, {}, { method: 'DELETE', ...asked });

  it('locks once, tells who holds it, and unlocks', async () => {
    const first = await lock('incident', { key: 'lock-1' });
    expect([first.status, first.body]).toEqual([
      200,
      { reason: 'incident', by: 'alice', at: expect.any(String) },
    ]);
    expect((await lock('incident', { key: 'lock-1' })).body).toEqual(first.body);
    expect((await lock('another', { key: 'lock-1' })).code).toBe('KEY_REUSED');
    const second = await lock('mine', { as: 't-bob' });
    expect([second.status, second.code]).toEqual([409, 'LOCKED']);
    expect(second.body.error?.details).toMatchObject({ reason: 'incident', by: 'alice' });
    expect(await queue()).toMatchObject({ state: 'locked', lock: { reason: 'incident' } });

    expect((await unlock({ key: 'unlock-1' })).status).toBe(204);
    expect((await unlock({ key: 'unlock-1' })).status).toBe(204);
    expect((await unlock()).code).toBe('NOT_LOCKED');
    expect(await queue()).toMatchObject({ state: 'busy' });
    expect((await lock('')).status).toBe(400);
  });
});

describe('GET /api/apps', () => {
  type Item = Record<string, unknown> & { warnings: { code: string }[] };
  const rows = async (of: Harness): Promise<Item[]> =>
    ((await of.call({ url: '/api/apps' })).body as { items: Item[] }).items;

  it('has the queue in one line, on both environments of a promoted app', async () => {
    const items = await rows(api);
    const api1 = { state: 'busy', stage: 'testing', release: CURRENT, waiting: 0 };
    expect(items.filter(({ app }) => app === 'api').map(({ promotion }) => promotion)).toEqual([api1, api1]);
    expect(items.find(({ app }) => app === 'web')?.['promotion']).toEqual({ state: 'idle', waiting: 0 });
    expect(items.find(({ app }) => app === 'frontend')).not.toHaveProperty('promotion');
  });

  it('warns of a service that settled on what Sluice’s last success was not', async () => {
    const lane: LaneView = {
      ...{ app: 'api', environment: 'staging', waiting: [], waitingCount: 0, verified: [] },
      live: {
        ...{ id: 'staging.api.abcd1234', release: CURRENT, tag: CURRENT, digests: {}, verified: true },
        ...{ revision: 'arn:x/staging-api:1', at: '2026-03-01T10:00:00.000Z', by: 'alice' },
      },
    };
    await temporal.client.workflow.start(WORKFLOW.lane, {
      ...{ taskQueue: 'nobody', workflowId: laneWorkflowId(lane), memo: { [MEMO.lane]: lane } },
    });
    const warned = async (...deployments: object[]): Promise<string[]> => {
      const { ecs } = fakeEcs([{ serviceName: 'staging-api', status: 'ACTIVE', deployments }]);
      const { address, namespace } = temporal;
      const one = await harness({
        ...{ address, namespace },
        deps: { config: settings(), live: createLive({ config: settings(), ecs }) },
      });
      const [first] = await rows(one);
      await one.close();
      return first?.warnings.map(({ code }) => code) ?? [];
    };
    const primary = (revision: number, rolloutState = 'COMPLETED') => ({
      ...{ status: 'PRIMARY', taskDefinition: `arn:x/staging-api:${revision}`, rolloutState },
    });
    expect(await warned(primary(2))).toContain('DRIFT');
    expect(await warned(primary(1))).not.toContain('DRIFT');
    expect(await warned(primary(2, 'IN_PROGRESS'))).not.toContain('DRIFT');
    expect(await warned(primary(2), { ...primary(1), status: 'ACTIVE' })).not.toContain('DRIFT');
  });
});

describe('a webhook whose delivery has finished', () => {
  it('changes nothing when it comes again', async () => {
    const payload = JSON.stringify({
      ...{ ref: 'refs/heads/main', before: OTHER, after: CURRENT, repository: { full_name: 'acme/shop' } },
    });
    const send = async () =>
      api.call({
        ...{ method: 'POST', url: '/webhooks/github', as: null, payload },
        headers: {
          ...{ 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': 'done-1' },
          'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(payload).digest('hex')}`,
        },
      });
    expect((await send()).body).toEqual({ delivery: 'done-1' });
    const handle = temporal.client.workflow.getHandle(deliveryWorkflowId('done-1'));
    await handle.result();
    const { runId } = await handle.describe();
    expect((await send()).body).toEqual({ delivery: 'done-1', again: true });
    expect((await handle.describe()).runId).toBe(runId);
  });
});

/** Last: nothing works after it. */
describe('with no worker', () => {
  it('can be read, says so, and refuses commands in time', async () => {
    worker.shutdown();
    await running;
    expect((await queue()).current?.release).toBe(CURRENT);
    const { status, code } = await tell('reject', { release: CURRENT, reason: 'r' });
    expect([status, code]).toEqual([503, 'NO_WORKER']);
    await eventually(async () => {
      expect(await queue()).toMatchObject({ state: 'waiting', waitingFor: { code: 'NO_WORKER' } });
    }, 30_000);
    const items = (await api.call({ url: '/api/apps' })).body as { items: { promotion?: object }[] };
    expect(items.items[0]?.promotion).toMatchObject({ waitingFor: { code: 'NO_WORKER' } });
  });
});
