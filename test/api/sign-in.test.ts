import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LightMyRequestResponse } from 'fastify';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ownPath, signInOf } from '../../api/sign-in.js';
import { ConfigError } from '../../clients/config.js';
import type { Identities } from '../../clients/identity.js';
import { config, harness, identities } from './harness.js';
import type { Harness } from './harness.js';

const SECRET = 's'.repeat(32);
const ENV = {
  GITHUB_OAUTH_CLIENT_ID: 'client-1',
  GITHUB_OAUTH_CLIENT_SECRET: 'secret-1',
  SESSION_SECRET: SECRET,
};
const PUBLIC_URL = 'https://sluice.example.test';

/** GitHub's side of the flow: codes that it gave, with the challenge that came with each. */
const github = {
  challenges: new Map<string, { challenge: string; token: string }>(),
  /** What it answers instead. */
  answer: undefined as { status: number; body: string } | undefined,
  asked: [] as URLSearchParams[],
};
let server: Server;
let serverUrl: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const form = new URLSearchParams(text);
      github.asked.push(form);
      const { status, body } = github.answer ?? { status: 200, body: JSON.stringify(exchange(form)) };
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** As GitHub: failures too come with 200. */
function exchange(form: URLSearchParams): object {
  const known = github.challenges.get(form.get('code') ?? '');
  const verifier = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  if (form.get('client_secret') !== 'secret-1') return { error: 'incorrect_client_credentials' };
  if (!known || known.challenge !== verifier) return { error: 'bad_verification_code' };
  github.challenges.delete(form.get('code') ?? '');
  return { access_token: known.token, token_type: 'bearer', scope: '' };
}

let api: Harness;
let people: Identities;
const members = new Set(['alice', 'bob']);

async function start(
  more: {
    publicUrl?: string;
    read?: 'public' | 'signed-in';
    env?: object;
    none?: boolean;
    logger?: Logger;
  } = {},
) {
  const settings = config();
  const signIn = more.none ? undefined : signInOf({ ...ENV, ...more.env, GITHUB_SERVER_URL: serverUrl });
  return harness({
    address: '127.0.0.1:9',
    deps: {
      config: { ...settings, access: { ...settings.access, read: more.read ?? 'maintainers' } },
      identities: people,
      ...(signIn ? { signIn } : {}),
      ...(more.logger ? { logger: more.logger } : {}),
      publicUrl: more.publicUrl ?? PUBLIC_URL,
    },
  });
}

beforeEach(async () => {
  github.answer = undefined;
  github.asked = [];
  members.add('alice');
  people = {
    ...identities,
    isMaintainer: async (login) => ({
      kind: members.has(login) ? 'member' : 'not-a-member',
      askedAt: Date.now(),
    }),
  };
  api = await start();
});
afterEach(async () => {
  vi.useRealTimers();
  await api.close();
});

/** A browser: it keeps cookies, and sends those that are for the path. */
function browser(of: Harness = api) {
  const jar = new Map<string, { value: string; path: string }>();
  const keep = ({ cookies }: LightMyRequestResponse): void => {
    for (const { name, value, path = '/', maxAge } of cookies) {
      if (maxAge === 0 || value === '') jar.delete(name);
      else jar.set(name, { value, path });
    }
  };
  const ask = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    headers: Record<string, string> = {},
    payload?: object,
  ) => {
    const cookies = Object.fromEntries(
      [...jar].filter(([, { path }]) => url.startsWith(path)).map(([name, { value }]) => [name, value]),
    );
    const response = await of.app.inject({ method, url, headers, cookies, ...(payload ? { payload } : {}) });
    keep(response);
    return response;
  };
  /** Up to GitHub's page, and what the person presses there. */
  const begin = async (to?: string) => {
    const response = await ask(
      'GET',
      `/auth/login${to === undefined ? '' : `?to=${encodeURIComponent(to)}`}`,
    );
    return new URL(String(response.headers['location']));
  };
  const back = (query: Record<string, string>) =>
    ask('GET', `/auth/callback?${new URLSearchParams(query).toString()}`);
  const signIn = async (login: string, to?: string) => {
    const page = await begin(to);
    const code = `code-${login}-${Math.random()}`;
    github.challenges.set(code, {
      challenge: page.searchParams.get('code_challenge') ?? '',
      token: `t-${login}`,
    });
    return back({ code, state: page.searchParams.get('state') ?? '' });
  };
  const csrf = async (): Promise<string> => (await ask('GET', '/api/me')).json<{ csrf: string }>().csrf;
  return { jar, ask, begin, back, signIn, csrf };
}

const code = (response: LightMyRequestResponse) => response.json<{ error?: { code: string } }>().error?.code;

describe('the settings', () => {
  it('are all there, or none', () => {
    expect(signInOf({})).toBeUndefined();
    expect(signInOf(ENV)).toMatchObject({ clientId: 'client-1', serverUrl: 'https://github.com' });
    const { SESSION_SECRET, ...rest } = ENV;
    expect(() => signInOf({ SESSION_SECRET })).toThrow(
      /SESSION_SECRET is set, but not GITHUB_OAUTH_CLIENT_ID and/,
    );
    expect(() => signInOf(rest)).toThrow(ConfigError);
    expect(() => signInOf(rest)).toThrow(/but not SESSION_SECRET/);
  });

  it('have a long secret, which no message repeats', () => {
    expect(() => signInOf({ ...ENV, SESSION_SECRET: 'too-short' })).toThrow(
      /SESSION_SECRET must have at least 32(?!.*too-short)/,
    );
  });
});

describe('signing in', () => {
  it('asks GitHub with state and PKCE and for no scope, and comes back to where one was', async () => {
    const one = browser();
    const page = await one.begin('/history?app=api#top');
    expect(page.origin + page.pathname).toBe(`${serverUrl}/login/oauth/authorize`);
    expect(Object.fromEntries(page.searchParams)).toMatchObject({
      client_id: 'client-1',
      response_type: 'code',
      redirect_uri: `${PUBLIC_URL}/auth/callback`,
      code_challenge_method: 'S256',
    });
    expect(page.searchParams.get('scope')).toBe('');
    const done = await one.signIn('alice', '/history?app=api#top');
    expect([done.statusCode, done.headers['location']]).toEqual([302, '/history?app=api#top']);
    const me = await one.ask('GET', '/api/me');
    expect(me.json()).toEqual({ login: 'alice', maintainer: true, signIn: true, csrf: expect.any(String) });
    expect([...one.jar.keys()]).toEqual(['__Host-sluice']);
  });

  it('keeps the login in a cookie that nobody else can read, and never the token', async () => {
    const one = browser();
    const { cookies } = await one.signIn('alice');
    const cookie = cookies.find(({ name }) => name === '__Host-sluice');
    expect(cookie).toMatchObject({
      httpOnly: true,
      secure: true,
      sameSite: 'Lax',
      path: '/',
      maxAge: 43_200,
    });
    const session = api.app.decodeSecureSession(cookie?.value ?? '');
    expect(session?.data()).toEqual({ login: 'alice', _csrf: expect.any(String) });
    for (const text of [cookie?.value ?? '', Buffer.from(cookie?.value ?? '', 'base64').toString('latin1')]) {
      expect(text).not.toMatch(/alice|t-alice/);
    }
  });

  it('is logged by whom, without the code and the state', async () => {
    let log = '';
    const logger = pino({ level: 'trace' }, { write: (line: string) => void (log += line) });
    const logged = await start({ logger });
    const one = browser(logged);
    const { raw } = await one.signIn('alice');
    const lines = log.trim().split('\n');
    const said = lines.map((line) => JSON.parse(line) as { msg?: string; login?: string; level: number });
    expect(said.find(({ msg }) => msg === 'signed in')).toMatchObject({ login: 'alice', level: 30 });
    const query = new URLSearchParams(String(raw.req.url).split('?')[1]);
    for (const name of ['code', 'state']) {
      expect(query.get(name)).toBeTruthy();
      expect(log).not.toContain(query.get(name));
    }
    expect(log).not.toContain('t-alice');
    await logged.close();
  });

  it('works on plain HTTP where Sluice has no https address', async () => {
    const local = await start({ publicUrl: '' });
    const one = browser(local);
    const page = await one.begin();
    expect(page.searchParams.get('redirect_uri')).toBe('http://localhost:80/auth/callback');
    const { cookies } = await one.signIn('alice');
    expect(cookies.find(({ name }) => name === 'sluice')).not.toHaveProperty('secure');
    expect((await one.ask('GET', '/api/me')).statusCode).toBe(200);
    await local.close();
  });

  it.each([
    ['another state', { state: 'other' }, 401, 'UNAUTHENTICATED'],
    ['no state', {}, 401, 'UNAUTHENTICATED'],
    ['a person who said no', { error: 'access_denied' }, 401, 'UNAUTHENTICATED'],
    ['a word that is markup', { error: '<script>alert(1)</script>' }, 401, 'UNAUTHENTICATED'],
  ])('ends on a page that says so: %s', async (_name, query, status, word) => {
    const one = browser();
    await one.begin('/apps');
    const { statusCode, body, headers } = await one.back({ code: 'x', ...query });
    expect([statusCode, headers['content-type']]).toEqual([status, 'text/html; charset=utf-8']);
    expect(body).toContain(word);
    expect(body).toContain('href="/auth/login?to=%2Fapps"');
    expect(body).not.toContain('<script');
    expect((await one.ask('GET', '/api/me')).statusCode).toBe(401);
    expect(github.asked).toEqual([]);
  });

  it('does not take a code that another browser began with', async () => {
    const [mine, theirs] = [browser(), browser()];
    const page = await theirs.begin();
    github.challenges.set('stolen', {
      challenge: page.searchParams.get('code_challenge') ?? '',
      token: 't-bob',
    });
    await mine.begin();
    // Without its state it is not even asked for; with a planted one, GitHub knows by the challenge.
    const state = page.searchParams.get('state') ?? '';
    expect((await mine.back({ code: 'stolen', state })).statusCode).toBe(401);
    expect(github.asked).toEqual([]);
    mine.jar.set('__Host-oauth2-redirect-state', { value: state, path: '/' });
    expect((await mine.back({ code: 'stolen', state })).statusCode).toBe(401);
    expect(github.asked.length).toBe(1);
  });

  it.each([
    ['GitHub down', { status: 502, body: 'bad gateway with secret-1' }, 503, 'GITHUB_DOWN'],
    ['no JSON', { status: 200, body: '<html>' }, 503, 'GITHUB_DOWN'],
    ['wrong credentials', { status: 200, body: '{"error":"incorrect_client_credentials"}' }, 500, 'INTERNAL'],
    ['a code used twice', { status: 200, body: '{"error":"bad_verification_code"}' }, 401, 'UNAUTHENTICATED'],
  ])('says what is wrong at GitHub: %s', async (_name, answer, status, word) => {
    github.answer = answer;
    const { statusCode, body } = await browser().signIn('alice');
    expect([statusCode, body.includes(word)]).toEqual([status, true]);
    expect(body).not.toMatch(/secret-1|client-1|at .*\.js/);
  });

  it('takes no token that would not be taken as a bearer', async () => {
    const { statusCode, body } = await browser().signIn('mallory');
    expect([statusCode, body.includes('does not take this token')]).toEqual([401, true]);
  });

  it('is not there where it is not configured; then /api/me says so', async () => {
    const without = await start({ none: true });
    const login = await without.call({ url: '/auth/login', as: null });
    expect(login.body).toMatchObject({
      error: { code: 'NOT_FOUND', message: expect.stringContaining('SESSION_SECRET') },
    });
    const me = await without.call({ url: '/api/me', as: null });
    expect([me.status, me.body]).toMatchObject([401, { error: { details: { signIn: false } } }]);
    expect((await without.call({ url: '/api/me' })).body).toEqual({ login: 'alice', maintainer: true });
    await without.close();
  });
});

describe('who signed in', () => {
  it('reads and writes as with a token: membership is asked each time', async () => {
    const one = browser();
    await one.signIn('alice');
    expect((await one.ask('GET', '/metrics')).statusCode).toBe(200);
    members.delete('alice');
    expect((await one.ask('GET', '/metrics')).statusCode).toBe(403);
    expect((await one.ask('GET', '/api/me')).json()).toMatchObject({ login: 'alice', maintainer: false });
  });

  it('needs to be no maintainer to be known', async () => {
    const one = browser();
    expect((await one.signIn('eve')).statusCode).toBe(302);
    expect((await one.ask('GET', '/api/me')).json()).toMatchObject({ login: 'eve', maintainer: false });
    expect(code(await one.ask('GET', '/api/apps'))).toBe('NOT_A_MAINTAINER');
    const csrf = await one.csrf();
    const write = await one.ask('PUT', '/api/locks/staging/api', { 'x-csrf-token': csrf }, { reason: 'x' });
    expect(code(write)).toBe('NOT_A_MAINTAINER');
    const open = await start({ read: 'signed-in' });
    const two = browser(open);
    await two.signIn('eve');
    expect((await two.ask('GET', '/metrics')).statusCode).toBe(200);
    expect((await browser(open).ask('GET', '/metrics')).statusCode).toBe(401);
    await open.close();
  });

  it('is nobody at /api/me without a cookie, also where everybody may read', async () => {
    const open = await start({ read: 'public' });
    const me = await browser(open).ask('GET', '/api/me');
    expect([me.statusCode, me.json()]).toMatchObject([401, { error: { details: { signIn: true } } }]);
    await open.close();
  });

  it('writes only from our own page, with its token', async () => {
    const one = browser();
    await one.signIn('alice');
    const csrf = await one.csrf();
    // Past the guard it is told that there is no such app.
    const lock = (headers: Record<string, string>) =>
      one.ask('PUT', '/api/locks/staging/nothing', headers, { reason: 'x' });
    for (const headers of [
      {},
      { 'x-csrf-token': 'wrong' },
      { 'csrf-token': csrf },
      { 'x-csrf-token': csrf, origin: 'https://evil.example' },
      { 'x-csrf-token': csrf, origin: 'null' },
      { 'x-csrf-token': csrf, origin: 'http://sluice.example.test' },
    ]) {
      const refused = await lock(headers as Record<string, string>);
      expect([refused.statusCode, code(refused)]).toEqual([403, 'FORGED']);
    }
    expect(code(await lock({ 'x-csrf-token': csrf }))).toBe('NOT_FOUND');
    expect(code(await lock({ 'x-csrf-token': csrf, origin: PUBLIC_URL }))).toBe('NOT_FOUND');
    // Of another's session, and before the sign-in.
    const other = browser();
    await other.signIn('bob');
    expect(code(await lock({ 'x-csrf-token': await other.csrf() }))).toBe('FORGED');
    // A token of one's own needs none of it: no browser sends that by itself.
    const bearer = { authorization: 'Bearer t-alice', origin: 'https://evil.example' };
    expect(code(await lock(bearer))).toBe('NOT_FOUND');
  });

  it('is who their token says where they send one', async () => {
    const one = browser();
    await one.signIn('alice');
    const headers = { authorization: 'Bearer t-eve' };
    expect((await one.ask('GET', '/api/me', headers)).json()).toEqual({
      ...{ login: 'eve', maintainer: false, signIn: true },
    });
    expect((await one.ask('GET', '/api/me', { authorization: 'Bearer no' })).statusCode).toBe(401);
  });

  it('is known for twelve hours from the sign-in, whatever they do in between', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const one = browser();
    await one.signIn('alice');
    for (let hour = 0; hour < 11; hour += 1) {
      vi.setSystemTime(Date.now() + 3_600_000);
      expect((await one.ask('GET', '/api/me')).statusCode).toBe(200);
    }
    vi.setSystemTime(Date.now() + 3_602_000);
    expect((await one.ask('GET', '/api/me')).statusCode).toBe(401);
  });

  it('is nobody with a cookie that was changed, or made with another secret', async () => {
    const one = browser();
    await one.signIn('alice');
    const { value = '' } = one.jar.get('__Host-sluice') ?? {};
    for (const bad of [`${value.slice(0, -4)}AAAA`, 'x', ';', `${value};x`.slice(3), '{"login":"alice"}']) {
      one.jar.set('__Host-sluice', { value: bad, path: '/' });
      expect((await one.ask('GET', '/api/me')).statusCode).toBe(401);
    }
    const elsewhere = await start({ env: { SESSION_SECRET: 'z'.repeat(32) } });
    const two = browser(elsewhere);
    two.jar.set('__Host-sluice', { value, path: '/' });
    expect((await two.ask('GET', '/api/me')).statusCode).toBe(401);
    await elsewhere.close();
    // Another process with the same secret knows them.
    const beside = await start();
    const three = browser(beside);
    three.jar.set('__Host-sluice', { value, path: '/' });
    expect((await three.ask('GET', '/api/me')).statusCode).toBe(200);
    await beside.close();
  });

  it('signs out, from our own page only', async () => {
    const one = browser();
    await one.signIn('alice');
    expect((await one.ask('POST', '/auth/logout')).statusCode).toBe(403);
    const csrf = await one.csrf();
    expect((await one.ask('POST', '/auth/logout', { 'x-csrf-token': csrf })).statusCode).toBe(204);
    expect((await one.ask('GET', '/api/me')).statusCode).toBe(401);
    expect((await one.ask('POST', '/auth/logout')).statusCode).toBe(204);
  });
});

describe('where one goes back to', () => {
  it.each(['/', '/a', '/a/b?c=d&e=%2F#f', '/history?app=api'])('%s', (to) => expect(ownPath(to)).toBe(to));
  it.each([
    undefined,
    '',
    'a',
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    'javascript:alert(1)',
    '/auth/login',
    '/a b',
    '/ü',
    `/${'x'.repeat(1_000)}`,
    ['/a'],
  ])('never %j', (to) => expect(ownPath(to)).toBe('/'));
});
