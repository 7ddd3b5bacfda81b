/** The stand-in gives GitHub's shapes: its answers are held against GitHub's own OpenAPI description. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { request as httpRequest } from 'node:http';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGitHubStandIn, type GitHubStandIn } from '../../sandbox/github/server.js';

interface Description {
  paths: Record<
    string,
    { get: { responses: Record<string, { content: Record<string, { schema: object }> }> } }
  >;
  components: { schemas: Record<string, object> };
}

let description: Description;
let github: GitHubStandIn;

const users = [
  { login: 'Sara', token: 'ghp_sara', team: 'active' as const },
  { login: 'pen', token: 'ghp_pen', team: 'pending' as const },
  { login: 'guest', token: 'ghp_guest' },
  { login: 'stranger', token: 'ghp_stranger', inOrg: false },
  { login: 'weak', token: 'ghp_weak', scopes: [] },
];

beforeAll(() => {
  const path = createRequire(import.meta.url).resolve('@octokit/openapi/package.json');
  const file = path.replace(/package\.json$/, 'generated/api.github.com.json');
  description = JSON.parse(readFileSync(file, 'utf8')) as Description;
});
beforeEach(async () => {
  github = await startGitHubStandIn({ org: 'WordPress', team: 'openverse-maintainers', users });
});
afterEach(() => github.close());

/** A schema of the description, with what it refers to. */
function validator(schema: object): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  (formats as unknown as { default: (ajv: Ajv) => void } & ((ajv: Ajv) => void))(ajv);
  return ajv.compile({ ...schema, components: description.components });
}

function schemaOf(path: string): object {
  const schema = description.paths[path]?.get.responses['200']?.content['application/json']?.schema;
  if (!schema) throw new Error(`GitHub describes no ${path}`);
  return schema;
}

const ask = (path: string, token?: string, init: RequestInit = {}) =>
  fetch(`${github.url}${path}`, { ...init, headers: token ? { authorization: `token ${token}` } : {} });

const membership = (login: string) => `/orgs/WordPress/teams/openverse-maintainers/memberships/${login}`;

describe('answers as GitHub does', () => {
  it('GET /user', async () => {
    const response = await ask('/user', 'ghp_sara');
    const body = (await response.json()) as Record<string, unknown>;
    const isUser = validator(schemaOf('/user'));
    expect([isUser(body), isUser.errors]).toEqual([true, null]);
    expect(body).toMatchObject({ login: 'Sara', id: 1, type: 'User' });
    const { login: _login, ...without } = body;
    expect(isUser(without)).toBe(false);
  });

  it.each([
    ['sara', 'active'],
    ['PEN', 'pending'],
  ])('membership of %s is %s, whatever the case of its letters', async (login, state) => {
    const response = await ask(membership(login), 'ghp_guest');
    const body: unknown = await response.json();
    const isMembership = validator(schemaOf('/orgs/{org}/teams/{team_slug}/memberships/{username}'));
    expect([isMembership(body), isMembership.errors]).toEqual([true, null]);
    expect([response.status, body]).toMatchObject([200, { state, role: 'member' }]);
  });

  it.each<[number, string, string, string | undefined]>([
    [401, 'Requires authentication', '/user', undefined],
    [401, 'Bad credentials', '/user', 'ghp_wrong'],
    [401, 'Bad credentials', '/nowhere', 'ghp_wrong'],
    [404, 'Not Found', '/nowhere', 'ghp_sara'],
    [404, 'Not Found', membership('guest'), 'ghp_sara'],
    [404, 'Not Found', membership('nobody'), 'ghp_sara'],
    [404, 'Not Found', '/orgs/Other/teams/openverse-maintainers/memberships/sara', 'ghp_sara'],
    [404, 'Not Found', '/orgs/WordPress/teams/other/memberships/sara', 'ghp_sara'],
    [404, 'Not Found', membership('sara'), 'ghp_stranger'],
    [403, 'Resource not accessible by personal access token', membership('sara'), 'ghp_weak'],
  ])('%i %s: %s', async (status, message, path, token) => {
    const response = await ask(path, token);
    const body: unknown = await response.json();
    const isError = validator(description.components.schemas['basic-error'] ?? { not: {} });
    expect([isError(body), isError.errors]).toEqual([true, null]);
    expect([response.status, body]).toMatchObject([status, { message, status: String(status) }]);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('sends request id and what is left of the hour', async () => {
    const first = await ask('/user', 'ghp_sara');
    const second = await ask('/user', 'ghp_sara');
    const other = await ask('/user', 'ghp_pen');
    expect(first.headers.get('x-github-request-id')).toMatch(/^[0-9A-F]{4}(:[0-9A-F]{4})+$/);
    expect(second.headers.get('x-github-request-id')).not.toBe(first.headers.get('x-github-request-id'));
    const left = [first, second, other].map(({ headers }) => headers.get('x-ratelimit-remaining'));
    expect(left).toEqual(['4999', '4998', '4999']);
    expect(Number(first.headers.get('x-ratelimit-reset')) * 1_000).toBeGreaterThan(Date.now());
    expect(first.headers.get('x-oauth-scopes')).toBe('read:org, repo');
  });

  it('adds and removes members, and revokes tokens', async () => {
    github.addMember('guest');
    expect((await ask(membership('guest'), 'ghp_sara')).status).toBe(200);
    github.removeMember('guest');
    expect((await ask(membership('guest'), 'ghp_sara')).status).toBe(404);
    expect(() => github.addMember('nobody')).toThrow('There is no nobody');
    github.revokeToken('ghp_sara');
    expect((await ask('/user', 'ghp_sara')).status).toBe(401);
  });

  it('keeps what was asked, without tokens', async () => {
    await ask('/user', 'ghp_sara');
    await ask('/user', 'ghp_wrong');
    expect(github.requests()).toMatchObject([
      { method: 'GET', path: '/user', status: 200, login: 'Sara' },
      { method: 'GET', path: '/user', status: 401 },
    ]);
    expect(JSON.stringify(github.requests())).not.toContain('ghp_');
  });
});

describe('fails as GitHub does', () => {
  it('503, 502 with a page, and something that is not GitHub', async () => {
    github.fault({ kind: 'unavailable', times: 1, retryAfter: 7 });
    const unavailable = await ask('/user', 'ghp_sara');
    expect([unavailable.status, unavailable.headers.get('retry-after')]).toEqual([503, '7']);
    github.fault({ kind: 'bad-gateway', times: 1 });
    const gateway = await ask('/user', 'ghp_sara');
    expect([gateway.status, gateway.headers.get('content-type')]).toEqual([502, 'text/html; charset=utf-8']);
    github.fault({ kind: 'not-json', times: 1 });
    expect(await (await ask('/user', 'ghp_sara')).text()).toContain('<html>');
    expect((await ask('/user', 'ghp_sara')).status).toBe(200);
  });

  it('both rate limits', async () => {
    github.fault({ kind: 'rate-limited', resetIn: 90, times: 1 });
    const primary = await ask('/user', 'ghp_sara');
    expect([primary.status, primary.headers.get('x-ratelimit-remaining')]).toEqual([403, '0']);
    const wait = Number(primary.headers.get('x-ratelimit-reset')) - Date.now() / 1_000;
    expect(wait).toBeGreaterThan(85);
    expect(wait).toBeLessThan(95);
    github.fault({ kind: 'secondary-limit', retryAfter: 30, status: 429, times: 1 });
    const secondary = await ask('/user', 'ghp_sara');
    expect([secondary.status, secondary.headers.get('retry-after')]).toEqual([429, '30']);
    expect(secondary.headers.get('x-ratelimit-remaining')).not.toBe('0');
  });

  it('late, and not at all after carrying it out', async () => {
    github.fault({ kind: 'slow', delayMs: 120, times: 1 });
    const before = performance.now();
    expect((await ask('/user', 'ghp_sara')).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(110);
    github.fault({ kind: 'lost-answer', times: 1 });
    await expect(ask('/user', 'ghp_sara')).rejects.toThrow();
    expect(github.requests()).toHaveLength(2);
  });

  it('only where asked, and until cleared', async () => {
    github.fault({ kind: 'unavailable', path: '/orgs/' });
    expect((await ask('/user', 'ghp_sara')).status).toBe(200);
    expect((await ask(membership('sara'), 'ghp_sara')).status).toBe(503);
    expect((await ask(membership('sara'), 'ghp_sara')).status).toBe(503);
    github.clearFaults();
    expect((await ask(membership('sara'), 'ghp_sara')).status).toBe(200);
  });

  it('refuses connections, and comes back at the same address', async () => {
    const code = () =>
      new Promise((resolve) => {
        httpRequest(`${github.url}/user`, (response) => resolve(response.resume().statusCode))
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
          .end();
      });
    await github.down();
    await github.down();
    expect(await code()).toBe('ECONNREFUSED');
    await github.up();
    expect(await code()).toBe(401);
  });
});

describe('/_sandbox/', () => {
  const send = (method: string, path: string, body?: unknown) =>
    fetch(`${github.url}/_sandbox/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  it('changes members and shows them', async () => {
    expect((await send('PUT', 'members/guest', { state: 'pending' })).status).toBe(204);
    expect((await send('DELETE', 'members/sara')).status).toBe(204);
    expect((await send('DELETE', 'members/sara')).status).toBe(404);
    expect((await send('PUT', 'members/nobody')).status).toBe(404);
    expect((await send('PUT', 'members/guest', { state: 'boss' })).status).toBe(422);
    expect(await (await send('GET', 'state')).json()).toEqual({
      org: 'WordPress',
      team: 'openverse-maintainers',
      members: [
        { login: 'pen', state: 'pending' },
        { login: 'guest', state: 'pending' },
      ],
      faults: [],
    });
  });

  it('sets faults, to which it is not subject itself', async () => {
    expect((await send('POST', 'faults', { kind: 'unavailable', times: 2 })).status).toBe(204);
    expect((await send('GET', 'requests')).status).toBe(200);
    expect((await ask('/user', 'ghp_sara')).status).toBe(503);
    expect((await send('DELETE', 'faults')).status).toBe(204);
    expect((await ask('/user', 'ghp_sara')).status).toBe(200);
  });

  it.each([{}, { kind: 'flood' }, { kind: 'slow', delayMs: -1 }, { kind: 'slow', delay: 5 }, [], 'slow'])(
    'refuses the fault %j',
    async (body) => expect((await send('POST', 'faults', body)).status).toBe(422),
  );

  it('refuses a body that is not JSON', async () => {
    const response = await fetch(`${github.url}/_sandbox/faults`, { method: 'POST', body: '{' });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { message: 'Problems parsing JSON' },
    ]);
  });
});
