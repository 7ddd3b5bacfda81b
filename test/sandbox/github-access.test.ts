/** Who may do what at the stand-in of GitHub, with whose token; and what goes wrong on the way. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppOptions, OAuthAppOptions } from '../../sandbox/github/caller.js';
import { ask as askOf, createStages, TOKEN, type Ask, type Stage } from './github-support.js';

const REPO = '/repos/{owner}/{repo}';
const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const app: AppOptions = {
  id: 7,
  clientId: 'Iv1.sandbox',
  clientSecret: 'app-secret',
  key: keys.publicKey,
  slug: 'sluice-app',
  installationId: 42,
  permissions: { contents: 'write', deployments: 'write', metadata: 'read', members: 'read' },
};
const ours: OAuthAppOptions = { clientId: 'ours', clientSecret: 'our-secret', name: 'Sluice' };
const theirs: OAuthAppOptions = { clientId: 'theirs', clientSecret: 'their-secret' };

let stages: Awaited<ReturnType<typeof createStages>>;
let stage: Stage;

beforeAll(async () => {
  stages = await createStages();
});
afterAll(() => stages.close());
beforeEach(async () => {
  stage = await stages.stage({ app, oauthApps: [ours, theirs] });
});
afterEach(() => stage.github.close());

const ask = (route: string, options?: Ask) => askOf(stage.github, route, options);
const tag = (name: string, token?: string) =>
  ask(`POST ${REPO}/git/refs`, {
    body: { ref: `refs/tags/${name}`, sha: stage.commits.good[0] },
    ...(token ? { token } : {}),
  });

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function jwt(claims: object = {}, header: object = { alg: 'RS256', typ: 'JWT' }): string {
  const now = Math.floor(Date.now() / 1_000);
  const signed = `${encoded(header)}.${encoded({ iss: app.id, iat: now - 30, exp: now + 500, ...claims })}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), keys.privateKey).toString('base64url')}`;
}

describe('who may write', () => {
  it.each([
    [404, 'ghp_weak'],
    [404, 'ghp_reader'],
    [201, 'ghp_sara'],
    [401, 'ghp_wrong'],
  ])('%i with %s', async (status, token) => {
    expect((await tag('x', token)).status).toBe(status);
    expect(stage.github.effectCounts().tag).toBe(status === 201 ? 1 : 0);
    if (status !== 401) expect((await ask(`GET ${REPO}/releases`, { token })).status).toBe(200);
  });

  it('a fine-grained token by its permissions', async () => {
    const token = stage.github.addToken({
      login: 'sara',
      token: 'github_pat_1',
      permissions: { contents: 'read' },
    });
    const refused = await tag('x', token);
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'Resource not accessible by personal access token',
    ]);
    stage.github.addToken({ login: 'sara', token: 'github_pat_2', permissions: { contents: 'write' } });
    expect((await tag('x', 'github_pat_2')).status).toBe(201);
  });

  it('who leaves the team no longer', async () => {
    stage.github.removeMember('sara');
    expect((await tag('x', 'ghp_sara')).status).toBe(404);
  });

  it('a body is an object', async () => {
    expect((await ask(`POST ${REPO}/releases`)).status).toBe(422);
  });
});

describe('a GitHub App', () => {
  const octokit = () =>
    new Octokit({
      baseUrl: stage.github.url,
      authStrategy: createAppAuth,
      auth: { appId: app.id, privateKey: keys.privateKey, installationId: app.installationId },
    });

  it('works for the real client, as far as its permissions go', async () => {
    const client = octokit();
    const at = { owner: 'WordPress', repo: 'openverse' };
    const made = await client.repos.createRelease({ ...at, tag_name: 'api-1' });
    expect(made.data.author).toMatchObject({ login: 'sluice-app[bot]', type: 'Bot' });
    await expect(
      client.pulls.create({ ...at, title: 't', head: 'feature', base: 'main' }),
    ).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration') as string,
    });
    const membership = await client.teams.getMembershipForUserInOrg({
      org: 'WordPress',
      team_slug: 'openverse-maintainers',
      username: 'sara',
    });
    expect(membership.data.state).toBe('active');
    await expect(client.users.getAuthenticated()).rejects.toMatchObject({ status: 403 });
    expect(stage.github.effects('release')).toMatchObject([{ by: 'sluice-app[bot]', what: 'api-1' }]);
  });

  it('shows itself and its installation to its JWT only', async () => {
    const token = jwt();
    const headers = { authorization: `Bearer ${token}` };
    expect((await ask('GET /app', { headers })).body).toMatchObject({ id: 7, slug: 'sluice-app' });
    expect((await ask(`GET ${REPO}/installation`, { headers })).body).toMatchObject({ id: 42, app_id: 7 });
    expect((await ask('GET /app')).status).toBe(401);
    expect((await tag('x', token)).status).toBe(403);
    const route = 'POST /app/installations/{installation_id}/access_tokens';
    const made = await ask(route, {
      params: { installation_id: 42 },
      headers,
      body: { permissions: { contents: 'read' }, repositories: ['openverse'] },
    });
    expect(made.body).toMatchObject({
      token: expect.stringMatching(/^ghs_/) as string,
      repository_selection: 'selected',
    });
    expect((await tag('x', made.body.token as string)).status).toBe(403);
    stage.github.revokeToken(made.body.token as string);
    expect((await tag('x', made.body.token as string)).status).toBe(401);
    expect((await ask(route, { params: { installation_id: 1 }, headers })).status).toBe(404);
    const wanted = { permissions: { administration: 'write' } };
    expect((await ask(route, { params: { installation_id: 42 }, headers, body: wanted })).status).toBe(422);
  });

  it.each([
    [
      'of another key',
      () => `${jwt().split('.').slice(0, 2).join('.')}.${Buffer.from('no').toString('base64url')}`,
      /could not be decoded/,
    ],
    ['without a signature', () => jwt({}, { alg: 'none' }), /could not be decoded/],
    ['of another app', () => jwt({ iss: 8 }), /Integration not found/],
    ['over', () => jwt({ exp: 1_000 }), /'exp'\) must be/],
    ['for too long', () => jwt({ exp: Math.floor(Date.now() / 1_000) + 3_600 }), /too far in the future/],
    ['from the future', () => jwt({ iat: Math.floor(Date.now() / 1_000) + 60 }), /'iat'/],
  ])('a JWT %s is refused', async (_name, make, message) => {
    const { status, body } = await ask('GET /app', { headers: { authorization: `Bearer ${make()}` } });
    expect([status, body.message]).toEqual([401, expect.stringMatching(message)]);
  });
});

describe('whose app a token is of', () => {
  const check = (token: string, { clientId, clientSecret }: OAuthAppOptions = ours, client_id = clientId) => {
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    const params = { client_id };
    return ask('POST /applications/{client_id}/token', {
      params,
      headers: { authorization },
      body: { access_token: token },
    });
  };

  it('is told to that app, and in a header to whoever uses it', async () => {
    const token = stage.github.addToken({ login: 'sara', clientId: 'ours' });
    expect(token).toMatch(/^gho_/);
    expect((await check(token)).body).toMatchObject({ app: { client_id: 'ours' }, user: { login: 'Sara' } });
    expect((await check(token, theirs)).status).toBe(404);
    expect((await check(token, theirs, 'ours')).status).toBe(404);
    expect((await check(token, { ...ours, clientSecret: 'wrong' })).status).toBe(401);
    expect((await check(TOKEN)).status).toBe(404);
    const used = await ask('GET /user', { token });
    expect(used.headers.get('x-oauth-client-id')).toBe('ours');
    stage.github.revokeToken(token);
    expect((await check(token)).status).toBe(404);
  });

  it('of a person’s token from a GitHub App, only when asked for', async () => {
    const token = stage.github.addToken({
      login: 'sara',
      clientId: app.clientId,
      permissions: { contents: 'read' },
    });
    expect(token).toMatch(/^ghu_/);
    expect((await check(token, app)).body.app.client_id).toBe(app.clientId);
    const used = await ask('GET /user', { token });
    expect([used.headers.get('x-oauth-client-id'), used.headers.get('x-oauth-scopes')]).toEqual([null, null]);
    expect((await tag('x', token)).body.message).toBe('Resource not accessible by integration');
    expect((await check('', ours)).status).toBe(422);
  });
});

describe('faults on every route', () => {
  it('lose the request before, or the answer after the effect', async () => {
    const { github } = stage;
    github.fault({ kind: 'lost-request', method: 'POST', path: '/repos/', times: 1 });
    await expect(tag('x')).rejects.toThrow();
    expect(github.effectCounts().tag).toBe(0);
    github.fault({ kind: 'lost-answer', method: 'POST', ending: '/git/refs', times: 1 });
    await expect(tag('x')).rejects.toThrow();
    expect(github.effectCounts().tag).toBe(1);
    expect((await tag('x')).body.message).toBe('Reference already exists');
  });

  it('hold the answer behind the effect until whoever asked is gone', async () => {
    const { github } = stage;
    github.fault({ kind: 'hold-after', method: 'POST', ending: '/releases', skip: 1, times: 1 });
    const create = (tag_name: string, signal?: AbortSignal) =>
      fetch(`${github.url}/repos/WordPress/openverse/releases`, {
        method: 'POST',
        headers: { authorization: `token ${TOKEN}` },
        body: JSON.stringify({ tag_name }),
        ...(signal ? { signal } : {}),
      });
    expect((await create('api-1')).status).toBe(201);
    const abort = new AbortController();
    const held = create('api-2', abort.signal);
    await expect.poll(() => github.effectCounts().release).toBe(2);
    const isHeld = await Promise.race([
      held.then(() => false),
      new Promise((resolve) => setTimeout(resolve, 150, true)),
    ]);
    expect(isHeld).toBe(true);
    abort.abort();
    await expect(held).rejects.toThrow();
    expect((await create('api-2')).status).toBe(422);
    expect((await create('api-3')).status).toBe(201);
  });

  it('are set from another process, which sees the effects', async () => {
    const { github } = stage;
    const fault = {
      kind: 'unavailable',
      method: 'POST',
      path: '/repos/',
      ending: '/deployments',
      skip: 0,
      times: 1,
    };
    const set = await fetch(`${github.url}/_sandbox/faults`, { method: 'POST', body: JSON.stringify(fault) });
    expect(set.status).toBe(204);
    expect((await tag('x')).status).toBe(201);
    const failing = await fetch(`${github.url}/repos/WordPress/openverse/deployments`, { method: 'POST' });
    expect(failing.status).toBe(503);
    const { items } = (await (await fetch(`${github.url}/_sandbox/effects`)).json()) as { items: object[] };
    expect(items).toMatchObject([{ kind: 'tag', what: 'x', by: 'sluice' }]);
  });
});
