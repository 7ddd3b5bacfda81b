import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMembership } from '../../activities/github/membership.js';
import { emergencyToken } from '../../clients/emergency.js';
import type { Identities, IdentitiesOptions } from '../../clients/identity.js';
import { createIdentities } from '../../clients/identity.js';
import { oauthAppOf } from '../../clients/oauth-app.js';

const HOUR = 3_600_000;
const CLI = '178c6fc778ccc68e1d6a';
const EMERGENCY = 'e'.repeat(31) + '7';
const OWN = { clientId: 'Iv1.own', clientSecret: 'own-secret' };

/** Tokens as GitHub knows them; `client` is what it names with every answer. */
const TOKENS: Record<string, { login: string; client?: string; app?: string }> = {
  ghp_sluice: { login: 'sluice-bot' },
  ghp_sara: { login: 'Sara' },
  github_pat_sara: { login: 'Sara' },
  gho_cli: { login: 'Sara', client: CLI },
  gho_other: { login: 'Sara', client: 'some-other-app' },
  gho_unnamed: { login: 'Sara' },
  ghu_own: { login: 'Sara', app: OWN.clientId },
  ghu_other: { login: 'Sara', app: 'Iv1.other' },
  ghp_word: { login: 'Emergency' },
};
const MEMBERS = new Set(['sara']);

let server: Server;
let url: string;
let asked: { path: string; token: string }[];
let isDown: boolean;
let now: number;

beforeEach(async () => {
  asked = [];
  isDown = false;
  now = Date.now();
  server = createServer((request, response) => {
    const authorization = request.headers.authorization ?? '';
    const token = authorization.split(' ')[1] ?? '';
    const path = request.url ?? '';
    asked.push({ path, token });
    if (isDown) return void response.writeHead(502).end();
    const answer = (status: number, body: object, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    const client = /^\/applications\/([^/]+)\/token$/.exec(path)?.[1];
    if (client) {
      const basic = `Basic ${Buffer.from(`${OWN.clientId}:${OWN.clientSecret}`).toString('base64')}`;
      if (authorization !== basic) return answer(401, {});
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const sent = (JSON.parse(body) as { access_token: string }).access_token;
        answer(TOKENS[sent]?.app === client ? 200 : 404, {});
      });
      return;
    }
    const known = TOKENS[token];
    if (!known) return answer(401, { message: 'Bad credentials' });
    const named = known.client ? { 'x-oauth-client-id': known.client } : {};
    if (path === '/user') return answer(200, { login: known.login }, named);
    const login = /memberships\/(.+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
    return MEMBERS.has(login) ? answer(200, { state: 'active' }) : answer(404, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const make = (more: Partial<IdentitiesOptions> = {}): Identities =>
  createIdentities({
    ...{ org: 'acme', team: 'maintainers', token: 'ghp_sluice', baseUrl: url, timeoutMs: 5_000 },
    oauthClients: [CLI],
    isEmergency: emergencyToken(EMERGENCY),
    now: () => now,
    ...more,
  });

describe('kinds of tokens', () => {
  it.each(['ghp_sara', 'github_pat_sara', 'gho_cli'])('takes %s', async (token) => {
    expect(await make().identify(token)).toMatchObject({ kind: 'known', login: 'Sara' });
  });

  it.each([
    ['gho_other', 'another app'],
    ['gho_unnamed', 'an app that GitHub does not name'],
  ])('does not take %s: %s, and remembers it', async (token, words) => {
    const identities = make();
    const refused = await identities.identify(token);
    expect(refused).toMatchObject({ kind: 'unauthenticated', message: expect.stringContaining(words) });
    expect(await identities.identify(token)).toEqual(refused);
    expect(asked).toHaveLength(1);
    isDown = true;
    now += HOUR;
    expect(await identities.identify(token)).toEqual(refused);
  });

  it.each([
    ['ghs_sara', 'installation'],
    ['ghr_sara', 'refresh token'],
    ['0123456789abcdef0123456789abcdef01234567', 'before 2021'],
    ['sara', 'not a GitHub token of a kind'],
  ])('never sends %s anywhere: %s', async (token, words) => {
    expect(await make().identify(token)).toMatchObject({
      kind: 'unauthenticated',
      message: expect.stringContaining(words),
    });
    expect(asked).toEqual([]);
  });

  it('takes the tokens of Sluice’s own app, which only its credentials tell', async () => {
    expect(await make({ oauthApp: OWN }).identify('ghu_own')).toMatchObject({ kind: 'known', login: 'Sara' });
    expect(await make({ oauthApp: OWN }).identify('ghu_other')).toMatchObject({ kind: 'unauthenticated' });
    expect(await make().identify('ghu_own')).toMatchObject({ kind: 'unauthenticated' });
    const wrong = make({ oauthApp: { ...OWN, clientSecret: 'wrong' } });
    const answer = await wrong.identify('ghu_own');
    expect(answer).toMatchObject({ kind: 'misconfigured' });
    expect(inspect(answer)).not.toContain('ghu_own');
    expect(oauthAppOf({ GITHUB_OAUTH_CLIENT_ID: 'a' })).toBeUndefined();
  });

  it('keeps the word of the emergency token for that token', async () => {
    expect(await make().identify('ghp_word')).toMatchObject({ kind: 'unauthenticated' });
  });
});

describe('the emergency token', () => {
  const outside = (words: string) => ({ kind: 'unauthenticated', message: expect.stringContaining(words) });

  it('must be long, and may be left out', () => {
    expect(emergencyToken(undefined)).toBeUndefined();
    expect(emergencyToken('')).toBeUndefined();
    for (const bad of ['e'.repeat(31), `${'e'.repeat(32)} `, 'ü'.repeat(32)]) {
      expect(() => emergencyToken(bad)).toThrow(/SLUICE_EMERGENCY_TOKEN must have at least 32/);
    }
    expect(emergencyToken(EMERGENCY)?.(EMERGENCY)).toBe(true);
    for (const near of [EMERGENCY.slice(1), `${EMERGENCY}x`, 'e'.repeat(32), '']) {
      expect(emergencyToken(EMERGENCY)?.(near)).toBe(false);
    }
  });

  it('is taken while GitHub is down and nobody is remembered, and is never sent to GitHub', async () => {
    isDown = true;
    const identities = make();
    expect(await identities.identify(EMERGENCY)).toEqual({ kind: 'known', login: 'emergency', askedAt: now });
    expect(await identities.isMaintainer('emergency')).toMatchObject({ kind: 'member' });
    expect(asked.map(({ token }) => token)).not.toContain(EMERGENCY);
    expect(asked.length).toBeGreaterThan(0);
  });

  it('is not taken while GitHub answers', async () => {
    expect(await make().identify(EMERGENCY)).toMatchObject(outside('GitHub answers'));
  });

  it('is not taken while somebody’s membership of the last 24 hours is remembered', async () => {
    const identities = make();
    await identities.isMaintainer('nobody');
    await identities.isMaintainer('Sara');
    isDown = true;
    now += 24 * HOUR - 1;
    expect(await identities.identify(EMERGENCY)).toMatchObject(outside('last 24 hours'));
    now += 1;
    expect(await identities.identify(EMERGENCY)).toMatchObject({ kind: 'known' });
  });

  it('is not barred by somebody outside who asked', async () => {
    const identities = make();
    await identities.isMaintainer('nobody');
    isDown = true;
    now += HOUR;
    expect(await identities.identify(EMERGENCY)).toMatchObject({ kind: 'known' });
  });

  it('is not taken where GitHub refuses Sluice’s own credentials: it is not down', async () => {
    const identities = make({ token: 'ghp_revoked' });
    expect((await identities.identify(EMERGENCY)).kind).not.toBe('known');
    isDown = true;
    expect((await make({ token: undefined }).identify(EMERGENCY)).kind).toBe('misconfigured');
  });

  it('is a token like any other where none is set', async () => {
    isDown = true;
    const none = make({ isEmergency: undefined });
    expect(await none.identify(EMERGENCY)).toMatchObject({ kind: 'unauthenticated' });
  });

  it('passes the check before the first write only while GitHub is still down', async () => {
    const identities = make();
    const { requireMaintainer } = createMembership({ identities, team: 'acme/maintainers' });
    await expect(requireMaintainer('emergency')).rejects.toMatchObject({
      type: 'NOT_A_MAINTAINER',
      message: expect.stringContaining('GitHub answers'),
    });
    isDown = true;
    await expect(requireMaintainer('emergency')).resolves.toBeUndefined();
  });
});
