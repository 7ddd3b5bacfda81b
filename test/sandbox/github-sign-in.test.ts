/** OAuth's web flow at the stand-in: the page, the code, the token; and the real client of an app that uses it. */
import { createHash, randomBytes } from 'node:crypto';
import oauthPlugin from '@fastify/oauth2';
import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { belongsToApp } from '../../clients/oauth-app.js';
import { createIdentities } from '../../clients/identity.js';
import { startGitHubStandIn, type GitHubStandIn } from '../../sandbox/github/server.js';
import { OAUTH_APP, ORG, PEOPLE, TEAM } from '../../sandbox/settings.js';

const CALLBACK = 'http://127.0.0.1:4000/auth/callback';
let github: GitHubStandIn;

beforeEach(async () => {
  const other = { clientId: 'other', clientSecret: 'other-secret' };
  const users = Object.values(PEOPLE);
  github = await startGitHubStandIn({ org: ORG, team: TEAM, users, oauthApps: [OAUTH_APP, other] });
});
afterEach(() => github.close());

const { clientId: client_id, clientSecret: client_secret } = OAUTH_APP;
const asking = { client_id, redirect_uri: CALLBACK, scope: 'read:user', state: 'a"b&c' };

const post = (path: string, body: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${github.url}${path}`, {
    method: 'POST',
    body: new URLSearchParams(body),
    headers,
    redirect: 'manual',
  });
/** What a button of the page sends. @returns where the browser goes then */
async function choose(login: string, more: Record<string, string> = {}): Promise<URL> {
  const response = await post('/login/oauth/authorize', { ...asking, ...more, login });
  expect(response.status).toBe(302);
  return new URL(response.headers.get('location') ?? '');
}
const codeOf = async (login: string, more?: Record<string, string>) =>
  (await choose(login, more)).searchParams.get('code') ?? '';
const exchange = async (code: string, more: Record<string, string> = {}) => {
  const body = { client_id, client_secret, code, ...more };
  const response = await post('/login/oauth/access_token', body, { accept: 'application/json' });
  return (await response.json()) as Record<string, string>;
};

describe('the page', () => {
  it('lists the people, who is in the team, and no machine', async () => {
    const query = new URLSearchParams(asking).toString();
    const response = await fetch(`${github.url}/login/oauth/authorize?${query}`);
    const html = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    const buttons = [...html.matchAll(/name="login" value="(\w+)">\w+ <small>([^<]+)/g)];
    expect(buttons.map(([, login, what]) => `${login} ${what}`)).toEqual([
      `alice in ${TEAM}`,
      `bob in ${TEAM}`,
      `mallory not in ${TEAM}`,
    ]);
    expect(html).toContain('name="state" value="a&quot;b&amp;c"');
  });

  it('sends back with code and state, or with a refusal', async () => {
    const back = await choose('alice');
    expect(back.href.startsWith(`${CALLBACK}?`)).toBe(true);
    expect([...back.searchParams.keys()]).toEqual(['code', 'state']);
    expect(back.searchParams.get('state')).toBe(asking.state);
    const cancelled = (await choose('', { cancel: '1' })).searchParams;
    expect([cancelled.get('error'), cancelled.get('state')]).toEqual(['access_denied', asking.state]);
  });

  it.each([
    [404, { client_id: 'nobody' }],
    [404, { login: 'eve' }],
    [400, { client_id: 'other', redirect_uri: 'https://evil.example/auth/callback' }],
    [400, { code_challenge: 'x', code_challenge_method: 'plain' }],
  ])('%i for %j', async (status, wrong) => {
    const response = await post('/login/oauth/authorize', { ...asking, login: 'alice', ...wrong });
    expect(response.status).toBe(status);
  });

  it.each([
    'https://evil.example/auth/callback',
    'http://127.0.0.1:4000/elsewhere',
    'http://localhost/auth/callback',
  ])('sends nobody to %s', async (redirect_uri) => {
    const back = await choose('alice', { redirect_uri });
    expect([back.host, back.pathname]).toEqual(['127.0.0.1', '/auth/callback']);
    expect(back.searchParams.get('error')).toBe('redirect_uri_mismatch');
  });
});

describe('the token', () => {
  it('is the person’s and the app’s, as JSON or as a form', async () => {
    const made = await exchange(await codeOf('alice'));
    expect(made).toEqual({
      access_token: expect.stringMatching(/^gho_/) as string,
      token_type: 'bearer',
      scope: 'read:user',
    });
    const headers = { authorization: `Bearer ${made['access_token']}` };
    const user = await fetch(`${github.url}/user`, { headers });
    expect([await user.json(), user.headers.get('x-oauth-client-id')]).toMatchObject([
      { login: 'alice' },
      client_id,
    ]);
    const code = await codeOf('bob');
    const form = await post('/login/oauth/access_token', { client_id, client_secret, code });
    const values = new URLSearchParams(await form.text());
    expect(values.get('access_token')).toMatch(/^gho_/);
  });

  it('is had once for a code, by its own app, with its secret and its address', async () => {
    const code = await codeOf('alice');
    expect(await exchange(code, { client_secret: 'wrong' })).toMatchObject({
      error: 'incorrect_client_credentials',
    });
    const other = { client_id: 'other', client_secret: 'other-secret' };
    expect(await exchange(code, other)).toMatchObject({ error: 'bad_verification_code' });
    const elsewhere = { redirect_uri: `${CALLBACK}/x` };
    expect(await exchange(code, elsewhere)).toMatchObject({ error: 'redirect_uri_mismatch' });
    expect(await exchange(code, { redirect_uri: CALLBACK })).toHaveProperty('access_token');
    expect(await exchange(code)).toMatchObject({ error: 'bad_verification_code' });
    expect(await exchange('')).toMatchObject({ error: 'bad_verification_code' });
  });

  it('takes the verifier of the challenge', async () => {
    const verifier = randomBytes(32).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
    const wrong = await exchange(await codeOf('alice', pkce), { code_verifier: 'another' });
    expect(wrong).toMatchObject({ error: 'bad_verification_code' });
    expect(await exchange(await codeOf('alice', pkce))).toMatchObject({ error: 'bad_verification_code' });
    const right = await exchange(await codeOf('alice', pkce), { code_verifier: verifier });
    expect(right).toHaveProperty('access_token');
  });

  it('is known to Sluice as its own, until it is revoked', async () => {
    const { access_token: token = '' } = await exchange(await codeOf('mallory'));
    const app = { clientId: client_id, clientSecret: client_secret };
    const baseUrl = github.url;
    expect(await belongsToApp({ app, token, baseUrl })).toEqual({ kind: 'answer', value: true });
    const identities = createIdentities({
      org: ORG,
      team: TEAM,
      token: PEOPLE.sluice.token,
      baseUrl,
      oauthApp: app,
    });
    expect(await identities.identify(token)).toMatchObject({ kind: 'known', login: 'mallory' });
    expect(await identities.isMaintainer('mallory')).toMatchObject({ kind: 'not-a-member' });
    const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
    const revoked = await fetch(`${baseUrl}/applications/${client_id}/token`, {
      method: 'DELETE',
      headers: { authorization: `Basic ${basic}` },
      body: JSON.stringify({ access_token: token }),
    });
    expect(revoked.status).toBe(204);
    expect(await belongsToApp({ app, token, baseUrl })).toEqual({ kind: 'answer', value: false });
  });
});

it('works with the real plugin of an app, PKCE and all', async () => {
  const api = Fastify();
  await api.register(oauthPlugin, {
    name: 'github',
    credentials: {
      client: { id: client_id, secret: client_secret },
      auth: {
        authorizeHost: github.url,
        authorizePath: '/login/oauth/authorize',
        tokenHost: github.url,
        tokenPath: '/login/oauth/access_token',
      },
    },
    pkce: 'S256',
    scope: ['read:user'],
    startRedirectPath: '/auth/login',
    callbackUri: CALLBACK,
    // Cookies over HTTP, as the sandbox is.
    cookie: { secure: false },
  });
  api.get('/auth/callback', async (request) => {
    const plugin = (api as unknown as { github: oauthPlugin.OAuth2Namespace }).github;
    return (await plugin.getAccessTokenFromAuthorizationCodeFlow(request)).token;
  });
  const start = await api.inject({ url: '/auth/login' });
  const to = new URL(String(start.headers.location));
  const cookies = Object.fromEntries(start.cookies.map(({ name, value }) => [name, value]));
  const { search } = await choose('bob', Object.fromEntries(to.searchParams));
  const back = await api.inject({ url: `/auth/callback${search}`, cookies });
  expect([back.statusCode, back.json()]).toMatchObject([
    200,
    { access_token: expect.stringMatching(/^gho_/) as string },
  ]);
  await api.close();
});
