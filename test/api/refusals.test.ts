import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { config, harness } from './harness.js';
import type { Harness } from './harness.js';

const COMMIT = 'a'.repeat(40);
const BODY = { app: 'api', environment: 'staging', tag: COMMIT };

/** Nothing answers there: whatever is refused here is refused before Temporal is asked. */
let nowhere: string;
let api: Harness;

beforeAll(async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  nowhere = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((resolve) => server.close(resolve));
  api = await harness({ address: nowhere });
});
afterAll(() => api.close());

const post = (payload: unknown, more: object = {}) =>
  api.call({ method: 'POST', url: '/api/deployments', payload: payload as object, ...more });

const code = (body: unknown): string => (body as { error: { code: string } }).error.code;
const message = (body: unknown): string => (body as { error: { message: string } }).error.message;

describe('who asks', () => {
  it.each([
    ['nobody', null, 401, 'UNAUTHENTICATED'],
    ['an unknown token', 't-nobody', 401, 'UNAUTHENTICATED'],
    ['somebody outside the team', 't-eve', 403, 'NOT_A_MAINTAINER'],
    ['GitHub down', 't-down', 503, 'GITHUB_DOWN'],
    ['misconfigured', 't-broken', 500, 'INTERNAL'],
  ])('%s may not write', async (_name, as, status, expected) => {
    const answer = await post(BODY, { as });
    expect([answer.status, code(answer.body)]).toEqual([status, expected]);
    expect(answer.text).not.toContain('secret-detail');
  });

  it('refuses an Authorization header of another form', async () => {
    const answer = await post(BODY, { as: null, headers: { authorization: 'Basic YTpi' } });
    expect([answer.status, code(answer.body)]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it.each([
    ['GET', '/api/apps'],
    ['GET', '/api/deployments'],
    ['GET', '/api/deployments/staging.api.abcd1234'],
    ['GET', '/api/deployments/staging.api.abcd1234/stream'],
    ['GET', '/api/me'],
    ['GET', '/api/stream'],
    ['GET', `/api/builds/api.${'c'.repeat(40)}`],
    ['POST', '/api/builds'],
    ['POST', '/api/plans'],
    ['GET', '/metrics'],
    ['POST', '/api/deployments/staging.api.abcd1234/stop'],
    ['POST', '/api/deployments/staging.api.abcd1234/retry'],
    ['PUT', '/api/locks/staging/api'],
    ['DELETE', '/api/locks/staging/api'],
    ['GET', '/api/releases'],
    ['GET', '/api/releases/api-2026.01.01.00.00.00'],
    ['GET', '/api/targets/staging/api'],
    ['POST', '/api/releases'],
    ['POST', '/api/releases/api-2026.01.01.00.00.00/retry'],
    ['POST', '/api/releases/api-2026.01.01.00.00.00/abandon'],
    ['POST', '/api/rollbacks'],
    ['POST', '/api/redeployments'],
    ['GET', '/api/promotions/api'],
    ['POST', '/api/promotions/api/approve'],
    ['POST', '/api/promotions/api/reject'],
    ['POST', '/api/promotions/api/cancel'],
    ['POST', '/api/promotions/api/retry'],
    ['POST', '/api/promotions/api/resolve'],
    ['POST', '/api/promotions/api/tests'],
    ['PUT', '/api/locks/promotions/api'],
    ['DELETE', '/api/locks/promotions/api'],
  ] as const)('%s %s is not open', async (method, url) => {
    const nobody = await api.call({ method, url, as: null });
    expect([nobody.status, code(nobody.body)]).toEqual([401, 'UNAUTHENTICATED']);
    if (url === '/api/me') return;
    const outsider = await api.call({ method, url, as: 't-eve' });
    expect([outsider.status, code(outsider.body)]).toEqual([403, 'NOT_A_MAINTAINER']);
  });

  it('tells people who they are', async () => {
    const alice = await api.call({ url: '/api/me' });
    const eve = await api.call({ url: '/api/me', as: 't-eve' });
    expect(alice.body).toEqual({ login: 'alice', maintainer: true });
    expect(eve.body).toEqual({ login: 'eve', maintainer: false });
  });

  it('reads openly only where that is configured, and writes never', async () => {
    const settings = config({ access: { read: 'public', logs: 'maintainers', oauthClients: [] } });
    const open = await harness({ address: nowhere, deps: { config: settings } });
    const read = await open.call({ url: '/metrics', as: null });
    const write = await open.call({ method: 'POST', url: '/api/deployments', payload: BODY, as: null });
    await open.close();
    expect([read.status, write.status]).toEqual([200, 401]);
  });
});

describe('the form of a deployment', () => {
  it.each([
    ['unknown app', { ...BODY, app: 'nope' }, 'api, frontend, ingestion_server'],
    ['an app named like a property', { ...BODY, app: 'constructor' }, 'api, frontend, ingestion_server'],
    ['unknown environment', { ...BODY, environment: 'qa' }, 'staging, production'],
    ['no service there', { ...BODY, app: 'frontend', environment: 'production' }, 'staging'],
    ['released only', { ...BODY, app: 'ingestion_server' }, 'releaseOnly'],
    ['neither tag nor commit', { app: 'api', environment: 'staging' }, 'exactly one of tag and commit'],
    ['tag and commit', { ...BODY, commit: COMMIT }, 'exactly one of tag and commit'],
    ['a tag of impossible form', { ...BODY, tag: '-rf /' }, 'no tag of an image'],
    ['a tag too long', { ...BODY, tag: 'a'.repeat(129) }, 'body/tag'],
    ['a short commit', { app: 'api', environment: 'staging', commit: 'abc123' }, 'body/commit'],
    [
      'an upper-case commit',
      { app: 'api', environment: 'staging', commit: COMMIT.toUpperCase() },
      'body/commit',
    ],
    ['a number for a tag', { ...BODY, tag: 7 }, 'body/tag must be string'],
    ['an extra field', { ...BODY, actor: 'root' }, 'does not know "actor"'],
    ['override without a reason', { ...BODY, override: true }, 'body/reason'],
    ['a reason too long', { ...BODY, reason: 'x'.repeat(10_001) }, 'body/reason'],
    ['an empty reason', { ...BODY, reason: '' }, 'body/reason'],
    ['a list', [], 'body must be object'],
    ['null', 'null', 'body must be object'],
    ['no JSON', '{"app":', 'JSON'],
  ])('%s: 400 that says what is wrong', async (_name, payload, words) => {
    const answer = await post(payload, { headers: { 'content-type': 'application/json' } });
    expect([answer.status, code(answer.body)]).toEqual([400, 'BAD_REQUEST']);
    expect(message(answer.body)).toContain(words);
  });

  it('lists everything that is wrong at once', async () => {
    const answer = await post({ app: 1, tag: 2, colour: 'red' });
    const { problems } = (answer.body as { error: { details: { problems: { at: string }[] } } }).error
      .details;
    expect(problems.map(({ at }) => at).sort()).toEqual(['body', 'body', 'body/app', 'body/tag']);
  });

  it.each(['', ' ', 'ü', 'x'.repeat(256)])('refuses the Idempotency-Key %j', async (key) => {
    const answer = await post(BODY, { headers: { 'idempotency-key': key } });
    expect([answer.status, code(answer.body)]).toEqual([400, 'BAD_REQUEST']);
  });

  it('refuses a body over the limit with 413', async () => {
    const answer = await post({ ...BODY, reason: 'x'.repeat(65_536) });
    expect([answer.status, code(answer.body)]).toEqual([413, 'TOO_LARGE']);
  });

  it('refuses what is not JSON with 415', async () => {
    const answer = await post('app=api', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([answer.status, code(answer.body)]).toEqual([415, 'NOT_JSON']);
  });
});

describe('the form of releases, rollbacks and redeployments', () => {
  const TARGET = { app: 'api', environment: 'production' };
  const FORMS = {
    '/api/releases': { app: 'api', tag: COMMIT },
    '/api/rollbacks': { ...TARGET, tag: COMMIT, reason: 'because' },
    '/api/redeployments': { ...TARGET, tag: COMMIT },
  };
  const TAGS = [
    '-rf',
    '--force',
    '../../etc/passwd',
    'a/b',
    '$(id)',
    '`id`',
    'a;b',
    '[x](http://e)',
    '**b**',
    'a b',
  ];
  const urls = Object.entries(FORMS);

  it.each(urls.flatMap(([url, body]) => TAGS.map((tag) => [url, tag, body] as const)))(
    '%s refuses the tag %s',
    async (url, tag, body) => {
      const answer = await api.call({ method: 'POST', url, payload: { ...body, tag } });
      expect([answer.status, code(answer.body)]).toEqual([400, 'BAD_REQUEST']);
      expect(message(answer.body)).toContain('no tag of an image');
    },
  );

  it.each(urls)('%s takes a reason of 10000 characters, and no longer one', async (url, body) => {
    const reason = '😀'.repeat(10_000);
    const taken = await api.call({ method: 'POST', url, payload: { ...body, reason } });
    expect([taken.status, code(taken.body)]).toEqual([503, 'TEMPORAL_DOWN']);
    const answer = await api.call({ method: 'POST', url, payload: { ...body, reason: `${reason}x` } });
    expect([answer.status, code(answer.body)]).toEqual([400, 'BAD_REQUEST']);
    expect(message(answer.body)).toContain('body/reason');
  });

  it.each([
    ['/api/releases', { app: 'nope' }, 'api, frontend'],
    ['/api/releases', { app: 'frontend' }, 'no service in production'],
    ['/api/releases', { environment: 'production' }, 'does not know "environment"'],
    ['/api/releases', { override: true }, 'body/reason'],
    ['/api/releases', { tag: undefined }, 'tag'],
    ['/api/rollbacks', { app: 'ingestion_server' }, 'releaseOnly'],
    ['/api/rollbacks', { environment: 'qa' }, 'staging, production'],
    ['/api/rollbacks', { reason: undefined }, 'reason'],
    ['/api/rollbacks', { now: 'yes' }, 'body/now must be boolean'],
    ['/api/redeployments', { commit: COMMIT }, 'does not know "commit"'],
    ['/api/redeployments', { app: 'nope' }, 'api, frontend'],
  ] as const)('%s refuses %j', async (url, change, words) => {
    const answer = await api.call({ method: 'POST', url, payload: { ...FORMS[url], ...change } });
    expect([answer.status, code(answer.body)]).toEqual([400, 'BAD_REQUEST']);
    expect(message(answer.body)).toContain(words);
  });
});

describe('other routes', () => {
  it.each([
    ['GET', '/nope', 404, 'There is no GET /nope'],
    ['DELETE', '/api/deployments', 404, 'There is no DELETE'],
    ['GET', '/api/deployments/nonsense', 404, '{environment}.{app}.{unique}'],
    ['GET', "/api/deployments/staging.api.x'%20OR%201=1", 404, '{environment}.{app}.{unique}'],
    ['GET', '/api/deployments/a.b/stream', 404, '{environment}.{app}.{unique}'],
    ['POST', '/api/deployments/nonsense/stop', 404, '{environment}.{app}.{unique}'],
    ['POST', '/api/deployments/nonsense/retry', 404, '{environment}.{app}.{unique}'],
    ['GET', '/api/deployments?limit=0', 400, 'querystring/limit'],
    ['GET', '/api/deployments?limit=101', 400, 'querystring/limit'],
    ['GET', '/api/deployments?limit=many', 400, 'querystring/limit'],
    ['GET', '/api/deployments?kind=nope', 400, 'deploy, redeploy, rollback'],
    ['GET', '/api/deployments?outcome=nope', 400, 'succeeded, rolled-back'],
    ['GET', '/api/deployments?colour=red', 400, 'does not know "colour"'],
    ['GET', '/api/deployments?app=nope', 400, 'api, frontend'],
    ['GET', '/api/deployments?environment=nope', 400, 'staging, production'],
    ['GET', `/api/deployments?actor=${encodeURIComponent("a' OR '1'='1")}`, 400, 'querystring/actor'],
    ['GET', '/api/deployments?cursor=%25%25', 400, 'querystring/cursor'],
    ['PUT', '/api/locks/staging/nope', 404, 'api, frontend'],
    ['PUT', '/api/locks/qa/api', 404, 'staging, production'],
    ['DELETE', '/api/locks/staging/ingestion_server', 404, 'releaseOnly'],
    ['GET', '/api/%zz', 400, 'url'],
    ['GET', '/api/releases/nonsense', 404, '{app}-{date}'],
    ['GET', '/api/releases/nope-2026.01.01.00.00.00', 404, '{app}-{date}'],
    ['GET', '/api/releases/api-2026.13.01.00.00.00', 404, '{app}-{date}'],
    ['GET', '/api/releases?environment=staging', 400, 'does not know "environment"'],
    ['GET', '/api/releases?outcome=failed', 400, 'succeeded, abandoned, rejected'],
    ['GET', '/api/targets/qa/api', 404, 'staging, production'],
    ['GET', '/api/targets/staging/ingestion_server', 404, 'releaseOnly'],
  ] as const)('%s %s: %i', async (method, url, status, words) => {
    const payload = method === 'PUT' ? { payload: { reason: 'because' } } : {};
    const answer = await api.call({ method, url, ...payload });
    expect(answer.status).toBe(status);
    expect(code(answer.body)).toBe(status === 404 ? 'NOT_FOUND' : 'BAD_REQUEST');
    expect(message(answer.body)).toContain(words);
  });

  it.each([
    ['PUT', '/api/locks/staging/api', {}],
    ['PUT', '/api/locks/staging/api', { reason: '' }],
    ['PUT', '/api/locks/staging/api', { reason: 'x', by: 'root' }],
    ['DELETE', '/api/locks/staging/api', { why: 'x' }],
    ['POST', '/api/deployments/staging.api.abcd1234/stop', { actor: 'root' }],
    ['POST', '/api/deployments/staging.api.abcd1234/retry', { tag: 'x' }],
  ] as const)('%s %s refuses %j', async (method, url, payload) => {
    const answer = await api.call({ method, url, payload });
    expect([answer.status, code(answer.body)]).toEqual([400, 'BAD_REQUEST']);
  });
});

describe('without Temporal', () => {
  it.concurrent('is alive, knows its release, and is not ready', async () => {
    const alive = await api.call({ url: '/healthz', as: null });
    const version = await api.call({ url: '/version.json', as: null });
    const ready = await api.call({ url: '/readyz', as: null });
    expect([alive.body, version.body]).toEqual([{ status: 'ok' }, { release: 'r1' }]);
    expect([ready.status, code(ready.body)]).toEqual([503, 'TEMPORAL_DOWN']);
  });

  it.concurrent.each([
    ['POST', '/api/deployments', BODY],
    ['GET', '/api/deployments', undefined],
    ['GET', '/api/deployments/staging.api.abcd1234', undefined],
    ['GET', '/api/apps', undefined],
    ['PUT', '/api/locks/staging/api', { reason: 'because' }],
    ['POST', '/api/deployments/staging.api.abcd1234/stop', {}],
  ] as const)('%s %s: 503 in time', async (method, url, payload) => {
    const began = Date.now();
    const answer = await api.call({ method, url, ...(payload ? { payload } : {}) });
    expect([answer.status, code(answer.body)]).toEqual([503, 'TEMPORAL_DOWN']);
    expect(message(answer.body)).toContain('start Temporal');
    expect(answer.text).not.toContain('127.0.0.1');
    expect(Date.now() - began).toBeLessThan(8_000);
  });

  it('counts them', async () => {
    const { text } = await api.call({ url: '/metrics' });
    expect(text).toMatch(/sluice_temporal_errors_total\{code="TEMPORAL_DOWN"\} [1-9]/);
  });
});
