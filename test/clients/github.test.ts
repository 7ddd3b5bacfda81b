import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { RequestError } from '@octokit/request-error';
import { describe, expect, it, vi } from 'vitest';
import { createGitHub, githubUrl, isToken, troubleOf } from '../../clients/github.js';
import { Memory } from '../../clients/memory.js';

const NOW = 1_700_000_000_000;
const DOWN = { kind: 'down' };

function refusal(status: number, headers: Record<string, string> = {}, message = 'x') {
  const request = { method: 'GET' as const, url: 'http://x', headers: {} };
  const response = { status, headers, url: 'http://x', data: {}, retryCount: 0 };
  return new RequestError(message, status, { request, response });
}

describe('troubleOf', () => {
  it.each<[string, unknown, object]>([
    ['401', refusal(401), { kind: 'refused', status: 401 }],
    ['403', refusal(403, { 'x-ratelimit-remaining': '4999' }), { kind: 'refused', status: 403 }],
    ['404', refusal(404), { kind: 'refused', status: 404 }],
    [
      '404 at the end of the hour',
      refusal(404, { 'x-ratelimit-remaining': '0' }),
      { kind: 'refused', status: 404 },
    ],
    ['500', refusal(500), DOWN],
    ['503 with its wait', refusal(503, { 'retry-after': '7' }), { kind: 'down', afterMs: 7_000 }],
    [
      'rate limit',
      refusal(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1_000 + 90) }),
      { kind: 'down', afterMs: 91_000 },
    ],
    [
      'rate limit that is over already',
      refusal(429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1_000 - 90) }),
      { kind: 'down', afterMs: 1_000 },
    ],
    ['429 without a word', refusal(429), { kind: 'down', afterMs: 60_000 }],
    ['secondary, long', refusal(403, { 'retry-after': '120' }), { kind: 'down', afterMs: 120_000 }],
    [
      'secondary, short: at least a minute',
      refusal(429, { 'retry-after': '5' }),
      { kind: 'down', afterMs: 60_000 },
    ],
    [
      'secondary by its words',
      refusal(403, {}, 'You have exceeded a secondary rate limit. Please wait'),
      { kind: 'down', afterMs: 60_000 },
    ],
    ['anything else that is thrown', 'boom', DOWN],
  ])('%s', (_name, error, expected) => expect(troubleOf(error, NOW)).toMatchObject(expected));

  it('gives a network error by its code, without its words', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED, token ghp_secret'), {
      code: 'ECONNREFUSED',
    });
    const error = new RequestError('ghp_secret', 500, {
      request: { method: 'GET', url: 'http://x', headers: {} },
    });
    error.cause = new TypeError('fetch failed', { cause });
    expect(troubleOf(error, NOW)).toEqual({
      kind: 'down',
      message: 'GitHub cannot be reached (ECONNREFUSED)',
    });
  });
});

describe('createGitHub', () => {
  it('asks once, with its name and token, and gives up after the timeout', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request) => {
      seen.push(request.headers['user-agent'], request.headers.authorization);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const before = performance.now();
    const error: unknown = await createGitHub({ token: 'ghp_x', baseUrl, timeoutMs: 150 })
      .rest.users.getAuthenticated()
      .catch((thrown: unknown) => thrown);
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(troubleOf(error, NOW)).toEqual({
      kind: 'down',
      message: 'GitHub cannot be reached (no answer in time)',
    });
    expect(seen).toEqual([expect.stringMatching(/^sluice\b/), 'token ghp_x']);
    server.close();
    server.closeAllConnections();
  });

  it('gives up on an answer whose body never ends', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"login":');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const before = performance.now();
    const login: unknown = await createGitHub({ token: 'ghp_x', baseUrl, timeoutMs: 150 })
      .rest.users.getAuthenticated()
      .then(({ data }) => data.login)
      .catch(() => undefined);
    expect(login).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(2_000);
    server.close();
    server.closeAllConnections();
  });

  it('goes where GITHUB_API_URL says', () => {
    expect(githubUrl(undefined)).toBe('https://api.github.com');
    vi.stubEnv('GITHUB_API_URL', 'http://localhost:1/api/');
    expect(githubUrl()).toBe('http://localhost:1/api');
    vi.stubEnv('GITHUB_API_URL', '');
    expect(githubUrl()).toBe('https://api.github.com');
    vi.unstubAllEnvs();
  });
});

describe('isToken', () => {
  it.each(['ghp_a1', 'github_pat_11A_b', 'x'.repeat(1_024)])('takes %.20s', (text) =>
    expect(isToken(text)).toBe(true),
  );
  it.each(['', 'a b', 'a\nb', 'ü', 'x'.repeat(1_025)])('refuses %.20j', (text) =>
    expect(isToken(text)).toBe(false),
  );
});

describe('Memory', () => {
  it('is bounded, and lets the oldest go', () => {
    const memory = new Memory<number>(2);
    for (const [index, key] of ['a', 'b', 'a', 'c'].entries())
      memory.set(key, { value: index, askedAt: index });
    expect([memory.size, memory.get('a')?.value, memory.get('b'), memory.get('c')?.value]).toEqual([
      2,
      2,
      undefined,
      3,
    ]);
  });

  it('keeps the answer to the later question', () => {
    const memory = new Memory<string>(2);
    memory.set('a', { value: 'later', askedAt: 2 });
    memory.set('a', { value: 'earlier', askedAt: 1 });
    expect(memory.get('a')?.value).toBe('later');
  });
});
