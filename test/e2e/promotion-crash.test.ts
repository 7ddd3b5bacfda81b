/**
 * Rules 2 and 10 for a promotion: worker, API and Temporal die in every stage, and between an effect and its
 * record. It goes on where it stood, and nothing is done twice: one deployment at AWS, one at GitHub, one run of
 * the tests, one approval.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EffectKind } from '../../sandbox/github/effects.js';
import type { PromotionsAt } from './promotions-at.js';
import { PRODUCTION, promotionsAt, STAGING } from './promotions-at.js';
import {
  clearAfter,
  freeze,
  inTests,
  inTheMiddle,
  newestPush,
  promote,
  runAt,
  TESTS,
} from './promotion-world.js';
import type { Ledger, Site } from './site.js';
import { LANES, openSite, START_MS, until } from './site.js';
import type { TemporalAgain } from './temporal-again.js';
import { temporalAgain } from './temporal-again.js';
import type { TemporalBetween } from './temporal-between.js';
import { temporalBetween } from './temporal-between.js';

let site: Site;
let temporal: TemporalAgain;
let api: PromotionsAt;
let frontend: PromotionsAt;

beforeAll(async () => {
  temporal = await temporalAgain();
  site = await openSite({ startTemporal: temporal.startTemporal });
  api = promotionsAt(site, 'api');
  frontend = promotionsAt(site, 'frontend');
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());
afterEach(async (context) => {
  site.aws.clearFaults();
  site.github.clearFaults();
  site.github.workflows.behave(TESTS, { conclusion: 'success' });
  for (const lane of LANES) freeze(site, lane, false);
  await clearAfter(context, api, frontend);
});

/** What was made at GitHub since then. */
function madeSince(): (kind: EffectKind) => string[] {
  const before = site.github.effects().length;
  return (kind) =>
    site.github
      .effects()
      .slice(before)
      .filter((made) => made.kind === kind)
      .map(({ detail = '' }) => detail);
}

const once = (ledger: Ledger): void => {
  expect(ledger.began).toEqual(['UpdateService']);
  expect(ledger.registered).toHaveLength(1);
};

const apiAt = () => {
  const { hostname: HOST, port: PORT } = new URL(site.apiUrl);
  return { HOST, PORT };
};

const KILLS = {
  worker: async (): Promise<void> => {
    await Promise.all([site.kill('worker'), site.kill('build-worker')]);
    await Promise.all([site.revive('worker'), site.revive('build-worker')]);
  },
  API: async (): Promise<void> => {
    await site.kill('api');
    await site.revive('api', apiAt());
  },
  Temporal: async (): Promise<void> => {
    await temporal.kill();
    await temporal.revive();
    await until('the API reaches it', async () => (await site.ask('GET', '/readyz')).status === 200);
  },
};

describe.each(Object.keys(KILLS) as (keyof typeof KILLS)[])('%s is killed', { timeout: 150_000 }, (what) => {
  let inStaging: string;
  let inTesting: string;

  it('while one is in staging and one in testing: both go on, each with one deployment and one run', async () => {
    const made = madeSince();
    site.github.workflows.behave(TESTS, { conclusion: 'success', frozen: true });
    const ledgers = { api: site.ledger(STAGING.api), frontend: site.ledger(STAGING.frontend) };
    inTesting = await frontend.merge(`${what} dies while it is tested`);
    const run = await inTests(frontend, inTesting);
    freeze(site, STAGING.api, true);
    inStaging = await api.merge(`${what} dies while it goes to staging`);
    await inTheMiddle(site, api, { release: inStaging, stage: 'staging' });
    site.github.workflows.behave(TESTS, { conclusion: 'success' });

    await KILLS[what]();

    freeze(site, STAGING.api, false);
    site.github.workflows.finish(runAt(run), 'success');
    const [staged, tested] = [await api.unlocked(inStaging), await frontend.unlocked(inTesting)];
    expect(tested.tests).toMatchObject({ url: run, attempts: [{ state: 'passed' }] });
    expect(staged.tests?.attempts).toMatchObject([{ state: 'passed' }]);
    expect(made('dispatch')).toHaveLength(2);
    once(ledgers.api());
    once(ledgers.frontend());
    await until('GitHub has both deployments', () => made('deployment').length >= 2);
    expect(made('deployment')).toHaveLength(2);
  });

  it('while one waits for approval and one is in production: both go on, each with one deployment', async () => {
    const made = madeSince();
    const ledgers = { api: site.ledger(PRODUCTION.api), frontend: site.ledger(PRODUCTION.frontend) };
    freeze(site, PRODUCTION.frontend, true);
    await frontend.approve(inTesting);
    await inTheMiddle(site, frontend, { release: inTesting, stage: 'production' });
    const before = await api.promotion(inStaging);

    await KILLS[what]();

    freeze(site, PRODUCTION.frontend, false);
    expect(await api.promotion(inStaging)).toEqual(before);
    const done = await frontend.reaches(inTesting, 'promoted');
    expect(done.approval).toMatchObject({ by: 'alice', release: inTesting });
    await api.approve(inStaging);
    await api.reaches(inStaging, 'promoted');
    once(ledgers.api());
    once(ledgers.frontend());
    expect(made('dispatch')).toEqual([]);
    await until('GitHub has both deployments', () => made('deployment').length >= 2);
    expect(made('deployment')).toHaveLength(2);
    expect(await site.release(PRODUCTION.frontend)).toBe(inTesting);
  });
});

describe('the worker is killed between an effect and its record', { timeout: 150_000 }, () => {
  let between: TemporalBetween;

  beforeAll(async () => {
    between = await temporalBetween(site.temporal.address);
  });
  afterAll(async () => {
    await between?.close();
  });

  it('GitHub has taken the dispatch of the tests: they are found again, and run once', async () => {
    const made = madeSince();
    site.github.fault({ kind: 'hold-after', method: 'POST', ending: '/dispatches', times: 1 });
    const sha = await api.merge('Dispatched, and nobody heard');
    await until('it is dispatched', () => made('dispatch').length === 1);
    await KILLS.worker();
    const { tests } = await api.unlocked(sha);
    expect(tests?.attempts).toMatchObject([{ attempt: 1, state: 'passed' }]);
    expect(made('dispatch')).toHaveLength(1);
    await api.approve(sha);
    await api.reaches(sha, 'promoted');
  });

  it('GitHub has taken the comment on the pull request: it is found again, and stands there once', async () => {
    const made = madeSince();
    site.github.fault({ kind: 'hold-after', method: 'POST', ending: '/comments', times: 1 });
    const sha = await frontend.merge('Commented, and nobody heard');
    await until('it is said', () => made('comment').length === 1);
    await KILLS.worker();
    await promote(frontend, sha);
    await until('it says that it is in production', () => made('comment-edit').length > 0);
    expect(made('comment')).toHaveLength(1);
  });

  it.each([
    ['staging', 'pqs'],
    ['production', 'pqp'],
  ] as const)(
    'the lane of %s has taken the deployment: it is asked for once more, and is the same',
    async (where, id) => {
      await site.kill('worker');
      await site.revive('worker', { TEMPORAL_ADDRESS: between.address });
      const lane = { staging: STAGING, production: PRODUCTION }[where].api;
      const ledger = site.ledger(lane);
      const held = between.hold('ExecuteMultiOperation', id);
      const sha = await api.merge(`Asked for ${where} twice`);
      if (where === 'production') {
        await api.unlocked(sha);
        await api.approve(sha);
      }
      await held;
      await KILLS.worker();
      if (where === 'staging') {
        await api.unlocked(sha);
        await api.approve(sha);
      }
      await api.reaches(sha, 'promoted');
      once(ledger());
      const all = await site.ask('GET', `/api/deployments?app=api&environment=${where}&limit=50`);
      const ofIt = (all.body.items as { release?: string }[]).filter(({ release }) => release === sha);
      expect(ofIt).toHaveLength(1);
    },
  );
});

describe('the answer to an approval is lost', { timeout: 150_000 }, () => {
  it('Temporal’s to the API: the same key again is the same approval, with one deployment', async () => {
    const between = await temporalBetween(site.temporal.address);
    try {
      await site.kill('api');
      await site.revive('api', { ...apiAt(), TEMPORAL_ADDRESS: between.address });
      const sha = await api.merge('Approved, and nobody heard');
      await api.unlocked(sha);
      const ledger = site.ledger(PRODUCTION.api);
      const key = 'approve-once';
      const ask = (release: string) =>
        site.ask('POST', '/api/promotions/api/approve', { key, body: { release } });
      const held = between.hold('ExecuteMultiOperation', sha);
      const [lost] = await Promise.all([ask(sha), held]);
      expect(lost.status).toBe(503);
      const again = await ask(sha);
      // It is answered with the queue as it is: by now production may have it.
      const approved = [again.body.current, ...again.body.recent].find((one) => one?.release === sha);
      expect([again.status, approved?.approval?.by]).toEqual([200, 'alice']);
      await api.reaches(sha, 'promoted');
      expect((await ask(sha)).status).toBe(200);
      once(ledger());
      const other = await ask('f'.repeat(40));
      expect([other.status, other.body.error.code]).toEqual([409, 'KEY_REUSED']);
    } finally {
      await KILLS.API();
      await between.close();
    }
  });

  it('the API dies while it asks: the same key again', async () => {
    const sha = await frontend.merge('Approved by an API that died');
    await frontend.unlocked(sha);
    const ledger = site.ledger(PRODUCTION.frontend);
    site.aws.fault({ operation: 'ecs:DescribeServices', kind: 'delay', delayMs: 1_000 });
    const ask = () =>
      site.ask('POST', '/api/promotions/frontend/approve', { key: 'approve-twice', body: { release: sha } });
    const first = ask().catch(() => undefined);
    await until('it is looked at', () => site.aws.calls({ operation: 'ecs:DescribeServices' }).length > 0);
    await site.kill('api');
    await first;
    site.aws.clearFaults();
    await site.revive('api', apiAt());
    const again = await ask();
    expect(again.status).toBe(200);
    await frontend.reaches(sha, 'promoted');
    once(ledger());
  });
});

describe('one of them is not there', { timeout: 150_000 }, () => {
  it('the API with no worker: it reads and says so; an approval is refused, and its key is safe later', async () => {
    const sha = await api.merge('Approved with no worker');
    await api.unlocked(sha);
    const ledger = site.ledger(PRODUCTION.api);
    const ask = () =>
      site.ask('POST', '/api/promotions/api/approve', { key: 'no-worker', body: { release: sha } });
    await site.kill('worker');
    const refused = await until('NO_WORKER', async () => {
      const answer = await ask();
      expect(answer.status).toBe(503);
      return answer.body.error.code === 'NO_WORKER' && answer;
    });
    expect(refused.body.error.message).toContain('npm run worker');
    const { waitingFor } = await api.becomes('said', (view) => view.waitingFor?.code === 'NO_WORKER');
    expect(waitingFor?.actions.join()).toContain('npm run worker');
    expect((await api.promotion(sha))?.stage).toBe('awaiting-approval');
    await site.revive('worker');
    const taken = await until('it is taken', async () => {
      const answer = await ask();
      return answer.status === 200 && answer;
    });
    expect(taken.body.current?.approval?.by ?? 'alice').toBe('alice');
    await api.reaches(sha, 'promoted');
    once(ledger());
  });

  it('no build worker: the queue says so, and goes on when there is one', async () => {
    await site.kill('build-worker');
    const sha = await api.merge('Built when there is a build worker');
    const { waitingFor } = await api.reaches(sha, 'staging', 'NO_BUILD_WORKER');
    expect(waitingFor?.actions.join()).toContain('--builds');
    expect(await api.queue()).toMatchObject({ state: 'waiting', waitingFor: { code: 'NO_BUILD_WORKER' } });
    await site.revive('build-worker');
    await promote(api, sha);
  });

  it('workers with no API: a webhook reaches nobody, and heals when it is delivered again', async () => {
    await site.kill('api');
    const sha = await frontend.merge('Told to nobody');
    const refused = await newestPush(site);
    expect(refused.answer?.statusCode).not.toBe(202);
    await site.revive('api', apiAt());
    await site.github.webhooks.redeliver(refused.id);
    await promote(frontend, sha);
  });

  it('GitHub is away while it waits: a maintainer who is remembered approves it, and it goes on', async () => {
    const sha = await api.merge('Approved without GitHub');
    await api.unlocked(sha);
    expect((await site.ask('GET', '/api/me')).status).toBe(200);
    await site.github.down();
    try {
      expect((await api.queue()).waitingFor?.code).toBe('APPROVAL');
      await api.approve(sha);
      await api.reaches(sha, 'promoted');
    } finally {
      await site.github.up();
    }
    const next = await api.merge('GitHub is back');
    await promote(api, next);
  });

  it('GitHub is away as its tests should begin: they begin when it is back', async () => {
    freeze(site, STAGING.frontend, true);
    const sha = await frontend.merge('Tested when GitHub is back');
    await inTheMiddle(site, frontend, { release: sha, stage: 'staging' });
    await site.github.down();
    try {
      freeze(site, STAGING.frontend, false);
      await frontend.reaches(sha, 'testing', 'TESTS_RUNNING');
    } finally {
      await site.github.up();
    }
    await promote(frontend, sha);
  });
});
