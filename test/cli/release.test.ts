import { describe, expect, it } from 'vitest';
import { STEPS } from '../../domain/deployment.js';
import type { ReleaseStep } from '../../domain/release/release.js';
import { RELEASE_STEPS } from '../../domain/release/release.js';
import { problem, serve, sluice } from './served.js';

const ID = 'api-2026.03.01.10.00.00';
const DEPLOYMENT = 'production.api.rel20260301100000a1';
const AT = '2026-03-01T10:00:00.000Z';

const release = (done: number, change: object = {}) => ({
  ...{ id: ID, app: 'api', date: '2026.03.01.10.00.00', gitTag: ID, imageTag: 'rel-2026.03.01.10.00.00' },
  ...{ tag: 'v1', actor: 'alice', state: 'running', warnings: [], requestedAt: AT },
  steps: RELEASE_STEPS.map((name, index): ReleaseStep => ({
    name,
    state: index < done ? 'done' : index === done ? 'running' : 'pending',
  })),
  ...change,
});
const accepted = {
  id: ID,
  date: '2026.03.01.10.00.00',
  gitTag: ID,
  imageTag: 'rel-2026.03.01.10.00.00',
  url: '',
};
const released = release(5, {
  ...{ state: 'finished', outcome: 'succeeded', finishedAt: '2026-03-01T10:04:00.000Z' },
  ...{ releaseUrl: 'https://github.test/r', pullRequest: 'https://github.test/p', deployment: DEPLOYMENT },
});
const blocked = (retries = 0) =>
  release(3, {
    ...{ state: 'blocked', retries, deployment: DEPLOYMENT },
    blocked: {
      step: 'publish',
      code: 'GITHUB_REFUSED',
      message: 'no permission',
      actions: ['retry', 'abandon'],
    },
  });
const deployment = {
  ...{ id: DEPLOYMENT, app: 'api', environment: 'production', kind: 'release', tag: 'v1', actor: 'alice' },
  ...{ state: 'running', step: 'stabilise', warnings: [], queuedAt: AT },
  steps: STEPS.map((name) => ({ name, state: 'pending' })),
};

describe('release', () => {
  it('follows its steps and those of its deployment, to exit 0', async () => {
    const { url, sent } = await serve({
      'POST /api/releases': [[202, accepted]],
      [`GET /api/releases/${ID}`]: [release(1), release(2, { deployment: DEPLOYMENT }), released],
      [`GET /api/deployments/${DEPLOYMENT}`]: [deployment],
    });
    const asked = ['--tag', 'v1', '--again', '--override', '--reason', 'why'];
    const { code, out } = await sluice(url, 'release', 'api', ...asked);
    expect(sent[0]).toMatchObject({
      path: '/api/releases',
      body: { app: 'api', tag: 'v1', again: true, override: true, reason: 'why' },
    });
    expect(code).toBe(0);
    expect(out[0]).toBe(`accepted ${ID} (image tag rel-2026.03.01.10.00.00)`);
    const text = out.join('\n');
    for (const words of ['validate done', 'step tag', 'step deploy', 'step stabilise', 'changelog done']) {
      expect(text.split(words)).toHaveLength(2);
    }
    expect(out.slice(-3)).toEqual([
      `✓ ${ID} @ v1 released in 4m 00s`,
      '  release      https://github.test/r',
      '  changelog    https://github.test/p',
    ]);
  });

  it('ends with exit 1 where it is blocked, and says what to do', async () => {
    const { url } = await serve({
      'POST /api/releases': [[202, accepted]],
      [`GET /api/releases/${ID}`]: [blocked()],
      [`GET /api/deployments/${DEPLOYMENT}`]: [{ ...deployment, state: 'finished', outcome: 'succeeded' }],
    });
    const { code, out } = await sluice(url, 'release', 'api', '--tag', 'v1');
    expect(code).toBe(1);
    expect(out.join('\n')).toMatch(
      /publish\n.*GITHUB_REFUSED\]\n\s+no permission\n.*sluice release retry api-/,
    );
  });

  it('prints the id with --no-wait, and the whole with --json', async () => {
    const { url } = await serve({
      'POST /api/releases': [[202, accepted]],
      [`GET /api/releases/${ID}`]: [release(0), released],
    });
    expect((await sluice(url, 'release', 'api', '--tag', 'v1', '--no-wait')).out).toEqual([ID]);
    const { code, out } = await sluice(url, 'release', 'api', '--tag', 'v1', '--json');
    expect([code, out.length, JSON.parse(out[0] ?? '').outcome]).toEqual([0, 1, 'succeeded']);
  });

  it('names the first release where the image was released before', async () => {
    const { url } = await serve({
      'POST /api/releases': [[409, problem('ALREADY_RELEASED', 'v1 was released', { id: 'api-2026.01' })]],
    });
    const { code, err } = await sluice(url, 'release', 'api', '--tag', 'v1');
    expect(code).toBe(2);
    expect(err).toContain('released as  api-2026.01');
    expect(err).toContain('again');
  });

  it.each([
    [['release'], 'Name the app'],
    [['release', 'api'], 'Give --tag'],
    [['release', 'api', '--tag', 'v1', '--override'], 'Give --reason with --override'],
    [['release', 'retry'], "missing required argument 'id'"],
    [['rollback', 'api', 'production'], '--reason <text>'],
    [['history', '--releases', '--kind', 'deploy'], '--releases takes'],
  ])('%j is refused before anything is sent', async (argv, words) => {
    const { url, sent } = await serve({});
    const { code, err } = await sluice(url, ...argv);
    expect([code, sent]).toEqual([2, []]);
    expect(err).toContain(words);
  });
});

describe('release retry and abandon', () => {
  it('goes on after the block that it was sent for, and follows', async () => {
    const { url, sent } = await serve({
      [`GET /api/releases/${ID}`]: [
        blocked(),
        blocked(),
        release(3, { retries: 1 }),
        { ...released, retries: 1 },
      ],
      [`POST /api/releases/${ID}/retry`]: [[202, { id: ID }]],
      [`GET /api/deployments/${DEPLOYMENT}`]: [deployment],
    });
    const { code } = await sluice(url, 'release', 'retry', ID, '--reason', 'mended');
    expect(sent).toEqual([{ method: 'POST', path: `/api/releases/${ID}/retry`, body: { reason: 'mended' } }]);
    expect(code).toBe(0);
  });

  it('abandons, and says what exists', async () => {
    const failure = {
      step: 'publish',
      code: 'GITHUB_REFUSED',
      message: 'given up',
      exists: ['image tag rel-1'],
    };
    const { url } = await serve({
      [`GET /api/releases/${ID}`]: [
        blocked(),
        release(3, { state: 'finished', outcome: 'abandoned', failure }),
      ],
      [`POST /api/releases/${ID}/abandon`]: [[202, { id: ID }]],
      [`GET /api/deployments/${DEPLOYMENT}`]: [deployment],
    });
    const { code, out } = await sluice(url, 'release', 'abandon', ID);
    expect(code).toBe(0);
    expect(out).toContain('  exists       image tag rel-1');
  });
});

describe('rollback and redeploy', () => {
  const id = 'production.api.abcd1234';
  const ended = { ...deployment, id, state: 'finished', outcome: 'succeeded', finishedAt: AT };

  it.each([
    [
      ['rollback', 'api', 'production', '--tag', 'v0', '--reason', 'broken', '--now', '--override'],
      '/api/rollbacks',
      { app: 'api', environment: 'production', tag: 'v0', now: true, override: true, reason: 'broken' },
    ],
    [
      ['rollback', 'api', 'production', '--reason', 'broken'],
      '/api/rollbacks',
      { app: 'api', environment: 'production', reason: 'broken' },
    ],
    [['redeploy', 'api', 'production'], '/api/redeployments', { app: 'api', environment: 'production' }],
    [
      ['redeploy', 'api', 'production', '--tag', 'v1', '--reason', 'r'],
      '/api/redeployments',
      { app: 'api', environment: 'production', tag: 'v1', reason: 'r' },
    ],
  ])('%j', async (argv, path, body) => {
    const { url, sent } = await serve({
      [`POST ${path}`]: [[202, { id, url: '', position: 0 }]],
      [`/api/deployments/${id}/stream`]: [ended],
    });
    const { code, out } = await sluice(url, ...argv);
    expect(sent).toEqual([{ method: 'POST', path, body }]);
    expect([code, out[0]]).toEqual([0, `accepted ${id}`]);
  });
});

describe('history', () => {
  it('tells kinds apart, with who, when, what, how long and why', async () => {
    const back = {
      ...{
        ...deployment,
        kind: 'rollback',
        state: 'finished',
        outcome: 'rejected',
        reason: 'search is broken',
      },
      ...{ release: 'a'.repeat(40), finishedAt: '2026-03-01T10:02:05.000Z' },
      failure: { step: 'validate', code: 'TAG_NOT_FOUND', message: 'no v9' },
    };
    const query = 'app=api&environment=production&kind=rollback&outcome=rejected&actor=alice&limit=20';
    const { url } = await serve({ [`GET /api/deployments?${sorted(query)}`]: [{ items: [back] }] });
    const filters = ['--app', 'api', '--environment', 'production', '--kind', 'rollback'];
    const { code, out, err } = await sluice(
      url,
      'history',
      ...filters,
      '--outcome',
      'rejected',
      '--actor',
      'alice',
    );
    expect([code, err]).toEqual([0, '']);
    const cells = (out[1] ?? '').split(/ {2,}/);
    expect(cells).toEqual([
      ...['2026-03-01 10:02:05', 'rollback', DEPLOYMENT, 'v1', 'aaaaaaa', 'rejected', '2m 05s', 'alice'],
      'validate: an image of the set has no such tag; search is broken',
    ]);
  });

  it('lists releases', async () => {
    const { url } = await serve({ 'GET /api/releases?limit=20&app=api': [{ items: [released, blocked()] }] });
    const { out } = await sluice(url, 'history', '--releases', '--app', 'api');
    expect(out[1]).toMatch(/^2026-03-01 10:04:00 {2}api-2026\S+ +v1 +\? +succeeded +4m 00s +alice/);
    expect(out[2]).toContain('publish: GitHub refuses');
  });

  /** As commander hands them over: defaults first, then as they were given. */
  const sorted = (query: string): string =>
    ['limit=20', ...query.split('&').filter((part) => part !== 'limit=20')].join('&');
});
