import { describe, expect, it } from 'vitest';
import { STEPS } from '../../domain/deployment.js';
import type { Merge, Promotion, PromotionQueueView } from '../../domain/promotion/promotion.js';
import { waitingFor } from '../../domain/view.js';
import { problem, serve, sluice } from './served.js';

const AT = '2026-03-01T10:00:00.000Z';
const RELEASE = 'a'.repeat(40);
const NEXT = 'b'.repeat(40);
const STAGING = 'staging.api.abcd1234';
const PRODUCTION = 'production.api.abcd1234';
const DIGEST = `sha256:${'d'.repeat(64)}`;
const QUEUE = 'GET /api/promotions/api';

const merge = (sha: string, change: Partial<Merge> = {}): Merge => ({
  ...{ sha, title: 'Mend the search', author: 'alice', pullRequest: 12, position: 7 },
  ...change,
});
const promotion = (change: Partial<Promotion> = {}): Promotion => ({
  ...{ id: `api.${RELEASE}`, app: 'api', release: RELEASE, merges: [merge(RELEASE)] },
  ...{ stage: 'awaiting-approval', staging: STAGING, queuedAt: AT, startedAt: AT },
  waitingFor: waitingFor('APPROVAL', AT, 'it runs on staging, and its tests passed'),
  tests: {
    ...{ state: 'passed', attempt: 2, url: 'https://ci.test/2' },
    attempts: [
      { attempt: 1, state: 'failed', detail: '3 of 20 failed', url: 'https://ci.test/1', startedAt: AT },
      { attempt: 2, state: 'passed', url: 'https://ci.test/2', startedAt: AT },
    ],
  },
  ...change,
});
const approval = {
  ...{
    by: 'bob',
    at: AT,
    release: RELEASE,
    digests: { 'openverse-api': DIGEST },
    tests: 'https://ci.test/2',
  },
};
const deploying = (): Promotion => {
  const { waitingFor: _waits, ...rest } = promotion({
    stage: 'production',
    approval,
    production: PRODUCTION,
  });
  return rest;
};
const queue = (
  current: Promotion | undefined,
  change: Partial<PromotionQueueView> = {},
): PromotionQueueView => ({
  ...{ app: 'api', policy: { queue: 'latest', approval: 'required' }, state: 'busy' },
  ...(current ? { current } : {}),
  ...{ waiting: [], waitingCount: 0, recent: [] },
  ...change,
});
const promoted = () =>
  queue(undefined, { state: 'idle', recent: [{ ...deploying(), stage: 'promoted', finishedAt: AT }] });
const deployment = {
  ...{ id: PRODUCTION, app: 'api', environment: 'production', kind: 'promotion', tag: RELEASE },
  ...{ actor: 'bob', state: 'running', step: 'stabilise', warnings: [], queuedAt: AT },
  steps: STEPS.map((name) => ({ name, state: 'pending' })),
};
const place = (environment: string, change: object = {}) => ({
  ...{ app: 'api', environment, running: 2, desired: 2, lane: { waiting: [], waitingCount: 0 } },
  ...{ promotion: { state: 'waiting', waiting: 1 }, warnings: [], links: {} },
  ...change,
});
const apps = {
  items: [
    place('staging', { release: RELEASE }),
    place('production', { release: 'c'.repeat(40), tag: 'rel-1' }),
    { ...place('staging'), app: 'other', promotion: undefined },
  ],
};

describe('promote status', () => {
  it('says what is where, what goes on, what waits and why, and how the last ones ended', async () => {
    const view = queue(promotion({ merges: [merge(NEXT, { title: 'Carried' }), merge(RELEASE)] }), {
      state: 'waiting',
      waitingFor: waitingFor('APPROVAL', AT, 'it runs on staging, and its tests passed'),
      waiting: [
        promotion({
          ...{ id: `api.${NEXT}`, release: NEXT, stage: 'queued', merges: [merge(NEXT, { title: 'Next' })] },
          waitingFor: waitingFor('PROMOTION_RUNNING', AT, 'another promotion is under way'),
        }),
      ],
      waitingCount: 3,
      recent: [
        promotion({
          ...{ id: 'api.x', release: 'e'.repeat(40), stage: 'superseded', carriedBy: `api.${RELEASE}` },
          finishedAt: AT,
        }),
      ],
    });
    const { url } = await serve({ [QUEUE]: [view], 'GET /api/apps': [apps] });
    const { code, out } = await sluice(url, 'promote', 'status', 'api');
    expect(code).toBe(0);
    expect(out).toEqual([
      'api  waiting',
      '  policy       latest, approval required',
      '  staging      aaaaaaa, 2/2 tasks',
      '  production   ccccccc, tag rel-1, 2/2 tasks',
      '  waits: it runs on staging, and its tests passed (APPROVAL since 10:00 UTC); who can end it: a maintainer; how: approve, or reject',
      `  current      ${RELEASE} awaiting-approval, since 5m 00s`,
      '    brings     Mend the search (#12, alice)',
      '               Carried (#12, alice)',
      `    to staging ${STAGING}`,
      '    tests      passed at the second attempt https://ci.test/2',
      '               attempt 1 failed: 3 of 20 failed  https://ci.test/1',
      '               attempt 2 passed  https://ci.test/2',
      `  waiting (3)  ${NEXT} Next (#12, alice)`,
      '               waits: another promotion is under way (PROMOTION_RUNNING since 10:00 UTC); it ends by itself',
      '               and 2 more',
      `  ended        eeeeeee superseded at 2026-03-01 10:00 UTC, carried by api.${RELEASE}  Mend the search (#12, alice)`,
    ]);
  });

  it('says why nothing is on its way, who locked it, and why one failed', async () => {
    const failed = promotion({
      ...{ stage: 'failed', failedStage: 'production', production: PRODUCTION, approval, finishedAt: AT },
      failure: { code: 'ROLLED_BACK', message: 'the circuit breaker opened' },
    });
    const { url } = await serve({
      [QUEUE]: [
        queue(failed, { state: 'locked', lock: { reason: 'an \u001b[31mincident', by: 'bob', at: AT } }),
        queue(undefined, {
          ...{
            state: 'waiting',
            waitingFor: waitingFor('ENVIRONMENTS_DIFFER', AT, 'staging runs e, production c'),
          },
        }),
      ],
      'GET /api/apps': [apps],
    });
    const first = (await sluice(url, 'promote', 'status', 'api')).out;
    expect(first).toContain('  locked       by bob since 2026-03-01 10:00 UTC: an  [31mincident');
    expect(first.join('\n')).toMatch(
      /failed at production, since 5m 00s[^]*approved +by bob[^]*reason +ECS rolled back.*ROLLED_BACK\]\n +the circuit breaker opened/,
    );
    const second = (await sluice(url, 'promote', 'status', 'api')).out.join('\n');
    expect(second).toContain('nothing is on its way');
    expect(second).toMatch(/ENVIRONMENTS_DIFFER since .*adopt what staging runs.*restore staging/);
  });

  it('is of every promoted app where none is named, and whole as JSON', async () => {
    const { url } = await serve({ [QUEUE]: [queue(undefined)], 'GET /api/apps': [apps] });
    expect((await sluice(url, 'promote', 'status')).out[0]).toBe('api  busy');
    expect(JSON.parse((await sluice(url, 'promote', 'status', '--json')).out[0] ?? '')).toEqual({
      items: [queue(undefined)],
    });
    const one = await sluice(url, 'promote', 'status', 'api', '--json');
    expect(JSON.parse(one.out[0] ?? '')).toEqual(queue(undefined));
  });

  it('passes on why an app has no queue', async () => {
    const { url } = await serve({
      'GET /api/promotions/web': [[404, problem('NOT_FOUND', 'web is releaseOnly')]],
    });
    const { code, err } = await sluice(url, 'promote', 'status', 'web');
    expect([code, err.includes('web is releaseOnly')]).toEqual([2, true]);
  });
});

describe('promote approve', () => {
  it('sends exactly what is current, says what was approved, and follows to exit 0', async () => {
    const { url, sent } = await serve({
      [QUEUE]: [queue(promotion()), queue(deploying()), queue(deploying()), promoted()],
      'POST /api/promotions/api/approve': [queue(deploying())],
      [`GET /api/deployments/${PRODUCTION}`]: [deployment],
    });
    const { code, out } = await sluice(url, 'promote', 'approve', 'api');
    expect(sent).toEqual([
      { method: 'POST', path: '/api/promotions/api/approve', body: { release: RELEASE } },
    ]);
    expect(out.slice(0, 3)).toEqual([
      `approved api @ ${RELEASE}`,
      '  digests      openverse-api sha256:dddddddddddd',
      '  tests        https://ci.test/2',
    ]);
    const text = out.join('\n');
    for (const words of [`stage production (${PRODUCTION})`, 'step stabilise', 'stage promoted']) {
      expect([words, text.split(words).length]).toEqual([words, 2]);
    }
    expect(out.at(-1)).toBe('✓ api @ aaaaaaa promoted in 0s');
    expect(code).toBe(0);
  });

  it('sends what is named, with its override and reason, and does not wait', async () => {
    const { url, sent } = await serve({ 'POST /api/promotions/api/approve': [queue(deploying())] });
    const asked = ['approve', 'api', RELEASE, '--override', '--reason', 'hurry', '--no-wait'];
    const { code, out } = await sluice(url, 'promote', ...asked);
    expect(sent[0]?.body).toEqual({ release: RELEASE, override: true, reason: 'hurry' });
    expect([code, out.at(-1)]).toEqual([0, `api.${RELEASE}`]);
  });

  it('ends with exit 1 where production fails, and says why and what to do', async () => {
    const failed: Promotion = {
      ...{ ...deploying(), stage: 'failed', failedStage: 'production' },
      failure: { code: 'ROLLED_BACK', message: 'the circuit breaker opened' },
    };
    const { url } = await serve({
      [QUEUE]: [queue(promotion()), queue(failed)],
      'POST /api/promotions/api/approve': [queue(deploying())],
    });
    const { code, out } = await sluice(url, 'promote', 'approve', 'api');
    expect(code).toBe(1);
    const text = out.join('\n');
    expect(text).toMatch(/✗ api @ aaaaaaa failed at production after/);
    for (const words of ['ROLLED_BACK', `sluice watch ${PRODUCTION}`, 'sluice promote retry api']) {
      expect(text).toContain(words);
    }
  });

  it('ends with exit 1 where the approval became void before its turn', async () => {
    const moved = promotion({ waitingFor: waitingFor('STAGING_MOVED', AT, 'staging runs eeeeeee') });
    const { url } = await serve({
      [QUEUE]: [queue(promotion()), queue(moved)],
      'POST /api/promotions/api/approve': [queue(deploying())],
    });
    const { code, out } = await sluice(url, 'promote', 'approve', 'api');
    expect(code).toBe(1);
    expect(out.join('\n')).toMatch(/its approval is void, nothing was deployed\n.*STAGING_MOVED/);
  });

  it('tells a refusal in plain words, with exit 2', async () => {
    const { url } = await serve({
      [QUEUE]: [queue(promotion())],
      'POST /api/promotions/api/approve': [[409, problem('STAGING_MOVED', 'staging runs eeeeeee')]],
    });
    const { code, err } = await sluice(url, 'promote', 'approve', 'api');
    expect([code, err.startsWith('✗ staging runs eeeeeee [STAGING_MOVED]')]).toEqual([2, true]);
    expect(err).toContain('retry: deploy it to staging');
  });

  it('prints the promotion as it ended with --json, and nothing else', async () => {
    const { url } = await serve({
      [QUEUE]: [queue(promotion()), promoted()],
      'POST /api/promotions/api/approve': [queue(deploying())],
    });
    const { code, out } = await sluice(url, 'promote', 'approve', 'api', '--json');
    expect([code, out.length, JSON.parse(out[0] ?? '').stage]).toEqual([0, 1, 'promoted']);
  });

  it('says that nothing is current, and why', async () => {
    const idle = queue(undefined, { waitingFor: waitingFor('VERSION_UNKNOWN', AT, 'staging says nothing') });
    const { url, sent } = await serve({ [QUEUE]: [idle] });
    const { code, err } = await sluice(url, 'promote', 'approve', 'api');
    expect([code, sent]).toEqual([2, []]);
    expect(err).toMatch(/no current promotion.*staging says nothing/);
  });
});

describe('promote retry', () => {
  it('follows through staging, tests and the wait for an approval to the end', async () => {
    const { waitingFor: _waits, tests: _tests, ...staged } = promotion({ stage: 'staging' });
    const testing: Promotion = {
      ...{ ...staged, stage: 'testing' },
      tests: {
        ...{ state: 'running', attempt: 2 },
        attempts: [
          { attempt: 1, state: 'failed', detail: '3 of 20 failed', url: 'https://ci.test/1', startedAt: AT },
          { attempt: 2, state: 'running', startedAt: AT },
        ],
      },
    };
    const { url, sent } = await serve({
      [QUEUE]: [
        queue(promotion({ stage: 'failed', failedStage: 'staging' })),
        ...[queue(testing), queue(promotion()), queue(deploying()), promoted()],
      ],
      'POST /api/promotions/api/retry': [queue(staged)],
      [`GET /api/deployments/${STAGING}`]: [{ ...deployment, id: STAGING, environment: 'staging' }],
    });
    const { code, out } = await sluice(url, 'promote', 'retry', 'api', '--reason', 'a flake');
    expect(sent[0]).toMatchObject({ path: '/api/promotions/api/retry', body: { reason: 'a flake' } });
    expect(code).toBe(0);
    const text = out.join('\n');
    expect(text).toMatch(
      /retried api @ aaaaaaa: staging\n[^]*stage staging[^]*stage testing\n[^]*attempt 1 failed: 3 of 20 failed .*\n[^]*stage awaiting-approval\n[^]*waits: .*APPROVAL[^]*stage production[^]*✓/,
    );
    expect(text.split('attempt 1 failed')).toHaveLength(2);
  }, 20_000);
});

describe('promote reject, cancel, resolve, lock and unlock', () => {
  it.each([
    [['reject', 'api'], 'reject', 'rejected', RELEASE],
    [['cancel', 'api'], 'cancel', 'cancelled', NEXT],
    [['cancel', 'api', RELEASE], 'cancel', 'cancelled', RELEASE],
  ] as const)('%j ends exactly that one', async (argv, action, stage, release) => {
    const one = promotion({ id: `api.${NEXT}`, release: NEXT, stage: 'queued' });
    const { url, sent } = await serve({
      [QUEUE]: [queue(promotion(), { waiting: [one], waitingCount: 1 })],
      [`POST /api/promotions/api/${action}`]: [queue(undefined, { recent: [promotion({ release, stage })] })],
    });
    const { code, out } = await sluice(url, 'promote', ...argv, '--reason', 'why');
    expect(sent).toEqual([
      { method: 'POST', path: `/api/promotions/api/${action}`, body: { release, reason: 'why' } },
    ]);
    expect([code, out]).toEqual([0, [`api @ ${release.slice(0, 7)} is ${stage}`]]);
  });

  it('says that a running staging deployment is stopped first', async () => {
    const { url } = await serve({
      'POST /api/promotions/api/reject': [queue(promotion({ stage: 'staging' }))],
    });
    const { out } = await sluice(url, 'promote', 'reject', 'api', RELEASE, '--reason', 'why');
    expect(out[0]).toBe('api @ aaaaaaa is being rejected (staging)');
  });

  it('resolves, locks and unlocks', async () => {
    const { url, sent } = await serve({
      'POST /api/promotions/api/resolve': [queue(undefined)],
      'PUT /api/locks/promotions/api': [{ reason: 'incident', by: 'bob', at: AT }],
      'DELETE /api/locks/promotions/api': [[204, {}]],
    });
    const results = [
      await sluice(url, 'promote', 'resolve', 'api', 'restore-staging', '--reason', 'foreign'),
      await sluice(url, 'promote', 'lock', 'api', '--reason', 'incident'),
      await sluice(url, 'promote', 'unlock', 'api'),
    ];
    expect(results.map(({ code, out }) => [code, out[0]])).toEqual([
      [0, 'api: restore-staging is under way'],
      [0, 'the promotions of api are locked by bob'],
      [0, 'the promotions of api are unlocked'],
    ]);
    expect(sent.map(({ body }) => body)).toEqual([
      { choice: 'restore-staging', reason: 'foreign' },
      { reason: 'incident' },
      {},
    ]);
  });

  it.each([
    [['approve', 'api', '--override'], 'Give --reason with --override'],
    [['reject', 'api'], '--reason <text>'],
    [['resolve', 'api', 'shrug', '--reason', 'r'], 'adopt, restore-staging, override'],
    [['lock', 'api'], '--reason <text>'],
    [['cancel', 'api', '--reason', 'r'], 'Name one'],
  ])('%j is refused before anything is sent', async (argv, words) => {
    const two = [promotion(), promotion({ release: NEXT })];
    const { url, sent } = await serve({ [QUEUE]: [queue(undefined, { waiting: two, waitingCount: 2 })] });
    const { code, err } = await sluice(url, 'promote', ...argv);
    expect([code, sent]).toEqual([2, []]);
    expect(err).toContain(words);
  });
});
