/** From merge to production on real processes: signed webhooks, tests as a workflow run, the button, the queue. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PromotionsAt } from './promotions-at.js';
import { PRODUCTION, promotionsAt, STAGING } from './promotions-at.js';
import { newestPush } from './promotion-world.js';
import type { Site } from './site.js';
import { FRONTEND_STAGING, LANES, openSite, START_MS } from './site.js';

let site: Site;
let api: PromotionsAt;
let frontend: PromotionsAt;

const TESTS = 'playwright.yml';

beforeAll(async () => {
  site = await openSite();
  api = promotionsAt(site, 'api');
  frontend = promotionsAt(site, 'frontend');
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());
afterEach(() => site.github.workflows.behave(TESTS, { conclusion: 'success' }));

describe('from merge to production', { timeout: 120_000 }, () => {
  it('a merge goes to staging, is tested, unlocked, approved, and production gets those very digests', async () => {
    const sha = await api.merge('Search by license');
    const unlocked = await api.unlocked(sha);
    expect(unlocked).toMatchObject({
      merges: [{ sha, title: 'Search by license', author: 'ann', mergedBy: 'alice' }],
      tests: { state: 'passed', attempt: 1, attempts: [{ state: 'passed' }] },
    });
    expect(unlocked.tests?.url).toMatch(/\/actions\/runs\/\d+$/);
    expect(await api.queue()).toMatchObject({ state: 'waiting', waitingFor: { code: 'APPROVAL' } });
    expect(await site.release(STAGING.api)).toBe(sha);
    expect(await site.release(PRODUCTION.api)).not.toBe(sha);

    const answered = (await api.ask('approve', { release: sha }, 'bob')).body;
    expect(answered.current).toMatchObject({ stage: 'production', approval: { by: 'bob', release: sha } });
    const done = await api.reaches(sha, 'promoted');
    expect(await site.release(PRODUCTION.api)).toBe(sha);
    const [deployment, staged] = await Promise.all([
      site.read(done.production ?? ''),
      site.read(done.staging ?? ''),
    ]);
    expect(deployment).toMatchObject({
      kind: 'promotion',
      outcome: 'succeeded',
      verified: true,
      actor: 'bob',
    });
    expect(staged).toMatchObject({
      kind: 'deploy',
      actor: 'alice',
      parent: { type: 'promotion', id: done.id },
    });
    expect(deployment.digests).toEqual(staged.digests);
    expect(done.approval).toMatchObject({ digests: staged.digests, tests: unlocked.tests?.url });
    expect(deployment.steps.find(({ name }) => name === 'build')?.state).toBe('skipped');
    expect((await api.queue()).state).toBe('idle');
  });

  it('an app that a push does not touch is left alone; the other apps’ releases stand in the attempt', async () => {
    const before = await api.queue();
    const sha = await frontend.merge('A new page');
    const { tests } = await frontend.unlocked(sha);
    expect(await api.queue()).toEqual(before);
    expect(tests?.attempts[0]?.others).toEqual({ api: await site.release(STAGING.api) });
    await frontend.approve(sha);
    await frontend.reaches(sha, 'promoted');
  });

  it('nothing new reaches staging until production reports the same; the newest then carries the others', async () => {
    const [first, second, third] = [
      await api.merge('One'),
      await api.merge('Two'),
      await api.merge('Three'),
    ] as const;
    await api.unlocked(first);
    const held = await api.becomes('two wait', ({ waiting }) => waiting.length === 2);
    expect(held.waiting.map(({ release }) => release)).toEqual([second, third]);
    expect(held.waiting[0]?.waitingFor).toMatchObject({ code: 'PROMOTION_RUNNING' });
    expect(await site.release(STAGING.api)).toBe(first);
    const refused = await api.ask('approve', { release: third });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'NOT_UNLOCKED']);
    await api.approve(first);
    await api.reaches(first, 'promoted');
    const carrying = await api.unlocked(third);
    expect(carrying.merges.map(({ title }) => title)).toEqual(['Two', 'Three']);
    expect(await api.promotion(second)).toMatchObject({ stage: 'superseded', carriedBy: carrying.id });
    await api.approve(third);
    await api.reaches(third, 'promoted');
  });

  it('tests that fail are tried again, visibly; failing for the last time it never reaches production', async () => {
    const live = await site.release(PRODUCTION.api);
    site.github.workflows.behave(TESTS, { conclusion: 'failure' });
    const broken = await api.merge('Breaks the search');
    const failed = await api.reaches(broken, 'failed');
    expect(failed).toMatchObject({ failedStage: 'testing', failure: { code: 'TESTS_FAILED' } });
    expect(failed.tests?.attempts.map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
    ]);
    expect(await site.release(PRODUCTION.api)).toBe(live);
    const refused = await api.ask('approve', { release: broken });
    expect(refused.body.error.code).toBe('NOT_UNLOCKED');
    // Fix forward: the next merge goes, although the environments differ, for a known reason.
    site.github.workflows.behave(TESTS, { conclusion: 'success' });
    const mended = await api.merge('Mends the search');
    await api.unlocked(mended);
    await api.approve(mended);
    await api.reaches(mended, 'promoted');
  });

  it('a failed stage is retried with the same tag', async () => {
    site.github.workflows.behave(TESTS, { conclusion: 'failure' });
    const sha = await frontend.merge('Flaky');
    await frontend.reaches(sha, 'failed');
    site.github.workflows.behave(TESTS, { conclusion: 'success' });
    const answer = await frontend.ask('retry', { release: sha });
    expect([answer.status, answer.body.current.stage]).toEqual([200, 'testing']);
    const { tests } = await frontend.unlocked(sha);
    expect(tests?.attempts.map(({ state }) => state)).toEqual(['failed', 'failed', 'passed']);
    await frontend.approve(sha);
    await frontend.reaches(sha, 'promoted');
  });

  it('rejected: the next merge goes; cancelled: it never starts', async () => {
    const first = await frontend.merge('Not good');
    await frontend.unlocked(first);
    const second = await frontend.merge('Not now');
    await frontend.reaches(second, 'queued');
    expect((await frontend.ask('cancel', { release: second, reason: 'not now' })).status).toBe(200);
    expect((await frontend.ask('reject', { release: first, reason: 'looks wrong' })).status).toBe(200);
    expect(await frontend.promotion(first)).toMatchObject({
      stage: 'rejected',
      by: 'alice',
      reason: 'looks wrong',
    });
    expect(await frontend.promotion(second)).toMatchObject({ stage: 'cancelled' });
    const third = await frontend.merge('Better');
    await frontend.unlocked(third);
    await frontend.approve(third);
    await frontend.reaches(third, 'promoted');
  });

  it('a broken start is rolled back by ECS: failed in staging, which runs what ran before', async () => {
    const live = await site.release(STAGING.frontend);
    const sha = await frontend.merge('Does not start', 'exits');
    const failed = await frontend.reaches(sha, 'failed');
    expect(failed).toMatchObject({ failedStage: 'staging', failure: { code: 'ROLLED_BACK' } });
    expect(await site.release(FRONTEND_STAGING)).toBe(live);
  });

  it('only maintainers steer it; what is unknown is refused', async () => {
    const outsider = await api.ask('approve', { release: 'a'.repeat(40) }, 'mallory');
    expect([outsider.status, outsider.body.error.code]).toEqual([403, 'NOT_A_MAINTAINER']);
    const nobody = await site.ask('POST', '/api/promotions/api/reject', { as: null, body: {} });
    expect(nobody.status).toBe(401);
    expect((await api.ask('reject', { release: 'b'.repeat(40), reason: 'x' })).body.error.code).toBe(
      'NOT_FOUND',
    );
    expect((await site.ask('GET', '/api/promotions/ingestion_server')).status).toBe(404);
  });
});

describe('production is rolled back', { timeout: 120_000 }, () => {
  it('the queue is locked with the reason and the release bad; unlocked, the next merge goes (trap 13)', async () => {
    const back = await site.release(PRODUCTION.api);
    const sha = await api.merge('Slow search');
    await api.unlocked(sha);
    await api.approve(sha);
    await api.reaches(sha, 'promoted');
    const rollback = await site.ask('POST', '/api/rollbacks', {
      body: { app: 'api', environment: 'production', reason: 'search is slow' },
    });
    expect(rollback.status).toBe(202);
    expect(await site.ended(rollback.body.id)).toMatchObject({ outcome: 'succeeded', release: back });
    const locked = await api.queue();
    expect(locked).toMatchObject({ state: 'locked', lock: { by: 'alice', code: 'PRODUCTION_ROLLED_BACK' } });
    expect(locked.lock?.reason).toContain('search is slow');
    const fixed = await api.merge('Quick search');
    await api.reaches(fixed, 'queued', 'PRODUCTION_ROLLED_BACK');
    expect((await api.unlock()).status).toBe(204);
    await api.unlocked(fixed);
    await api.approve(fixed);
    await api.reaches(fixed, 'promoted');
  });
});

describe('the environments differ', { timeout: 120_000 }, () => {
  it('somebody deploys to staging while it waits for approval: the evidence is void; a retry tests again', async () => {
    const sha = await api.merge('Approved too late');
    await api.unlocked(sha);
    const other = await site.deploy(STAGING.api, { tag: site.images('api') });
    await site.ended(other);
    await api.reaches(sha, 'awaiting-approval', 'STAGING_MOVED');
    const refused = await api.ask('approve', { release: sha });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'STAGING_MOVED']);
    expect((await api.ask('retry', { release: sha })).status).toBe(200);
    await api.unlocked(sha);
    await api.approve(sha);
    await api.reaches(sha, 'promoted');
  });

  it('nobody knows why: nothing starts until a person adopts, restores or overrides', async () => {
    const foreign = site.images('api');
    await site.ended(await site.deploy(STAGING.api, { tag: foreign }));
    const sha = await api.merge('Waits for a decision');
    await api.reaches(sha, 'queued', 'ENVIRONMENTS_DIFFER');
    expect(await api.queue()).toMatchObject({
      state: 'waiting',
      waitingFor: { code: 'ENVIRONMENTS_DIFFER' },
    });
    const restored = await api.ask('resolve', { choice: 'restore-staging', reason: 'nobody knows it' });
    expect(restored.status).toBe(200);
    await api.unlocked(sha);
    const deployments = await site.ask('GET', '/api/deployments?app=api&environment=staging&kind=redeploy');
    expect(deployments.body.items[0]).toMatchObject({
      outcome: 'succeeded',
      parent: { type: 'promotion', id: 'api' },
    });
    await api.approve(sha);
    await api.reaches(sha, 'promoted');
  });

  it('locked by a person: approve and retry are refused, merges still queue, unlock goes on', async () => {
    const sha = await api.merge('During the conference');
    await api.unlocked(sha);
    expect((await api.lock('conference')).status).toBe(200);
    const again = await api.lock('once more');
    expect([again.status, again.body.error.details.reason]).toEqual([409, 'conference']);
    expect((await api.ask('approve', { release: sha })).body.error.code).toBe('LOCKED');
    const second = await api.merge('Another one');
    await api.reaches(second, 'queued');
    expect((await api.unlock()).status).toBe(204);
    await api.unlocked(sha);
    await api.approve(sha);
    await api.reaches(sha, 'promoted');
    await api.unlocked(second);
    await api.approve(second);
    await api.reaches(second, 'promoted');
  });

  it('locked after the approval: the deployment gives its turn back and stays queued, then goes', async () => {
    const sha = await api.merge('Approved, then held');
    await api.unlocked(sha);
    site.aws.behave({
      cluster: 'production-default',
      service: 'production-api',
      behaviour: { frozen: true },
    });
    const before = await site.deploy(PRODUCTION.api, { tag: (await api.promotion(sha))?.release ?? '' });
    await site.watched(before);
    await api.approve(sha);
    expect((await api.lock('wait')).status).toBe(200);
    site.aws.behave({
      cluster: 'production-default',
      service: 'production-api',
      behaviour: { frozen: false },
    });
    await site.ended(before);
    const { production = '' } = await api.reaches(sha, 'production');
    await site.becomes(
      production,
      'queued with the lock',
      ({ state, waitingFor }) => state === 'queued' && waitingFor?.code === 'LOCKED',
    );
    expect((await api.unlock()).status).toBe(204);
    expect(await site.ended(production)).toMatchObject({ outcome: 'succeeded' });
    await api.reaches(sha, 'promoted');
  });
});

describe('webhooks', { timeout: 120_000 }, () => {
  it('one that comes twice, or is delivered again, changes nothing (trap 9)', async () => {
    site.github.webhooks.fault({ kind: 'twice', event: 'push' });
    const sha = await frontend.merge('Told twice');
    const { staging } = await frontend.unlocked(sha);
    const { id } = await newestPush(site);
    site.github.webhooks.clearFaults();
    await site.github.webhooks.redeliver(id);
    expect((await newestPush(site)).answer?.statusCode).toBe(202);
    const after = await frontend.unlocked(sha);
    expect(after.staging).toBe(staging);
    expect([after, ...(await frontend.queue()).recent].filter(({ release }) => release === sha)).toHaveLength(
      1,
    );
    await frontend.approve(sha);
    await frontend.reaches(sha, 'promoted');
  });
});
