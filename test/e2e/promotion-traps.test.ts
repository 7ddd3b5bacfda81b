/**
 * The traps that others fell into, where it takes a promotion queue to fall into them.
 *
 * | trap | is tested in |
 * |---|---|
 * | 1 to 6, 14 | traps.test.ts, which says where: they are a deployment's |
 * | 7 approved, staging moves, then production starts | here |
 * | 8 the approver is absent for days | here |
 * | 9 a webhook is lost, comes twice, is delivered again | here; twice in promotion.test.ts |
 * | 10 the tests passed against something else than what is promoted | here |
 * | 11 throttled reads while it waits for approval | here; in a rollout traps.test.ts |
 * | 12 who holds the lock is gone | here |
 * | 13 production was rolled back, and can never be equal again | here; promotion.test.ts |
 * | 15 the desired count changes while it waits for approval | here; in a rollout traps.test.ts |
 * | 16 the service is inactive while it waits for approval | here; in a rollout traps.test.ts |
 * | 17 the history grows over a wait of 13 days | here |
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { promotionWorkflowId } from '../../domain/ids.js';
import { QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import type { PromotionsAt } from './promotions-at.js';
import { PRODUCTION, promotionsAt, STAGING } from './promotions-at.js';
import {
  clearAfter,
  deployPast,
  freeze,
  holdProduction,
  inTests,
  newestPush,
  promote,
  queueRun,
  reconcile,
  runAt,
  stopReconciling,
  TESTS,
  toldOf,
} from './promotion-world.js';
import type { Site } from './site.js';
import { LANES, openSite, refOf, START_MS, until } from './site.js';

let site: Site;
let api: PromotionsAt;
let frontend: PromotionsAt;

beforeAll(async () => {
  site = await openSite({
    // Days of the frontend's approver are seconds.
    configure: (text) =>
      text.replace(
        /( {2}frontend:\n[^]*?approval: required\n)/,
        '$1      remindAfter: 1s\n      escalateAfter: 2s\n',
      ),
  });
  api = promotionsAt(site, 'api');
  frontend = promotionsAt(site, 'frontend');
  await Promise.all([...LANES.map((lane) => site.calm(lane)), stopReconciling(site)]);
  // As the schedule's first pass does: every queue knows where the branch stands.
  await reconcile(site);
}, START_MS);
afterAll(() => site?.close());
afterEach(async (context) => {
  site.aws.clearFaults();
  site.github.clearFaults();
  site.github.webhooks.clearFaults();
  site.github.workflows.behave(TESTS, { conclusion: 'success' });
  for (const lane of LANES) freeze(site, lane, false);
  await clearAfter(context, api, frontend);
});

describe('trap 7: approval given, staging moves, then production starts', { timeout: 120_000 }, () => {
  it.each([
    ['to another release', async (): Promise<void> => void (await deployPast(site, STAGING.api))],
    [
      'away and back to the same release',
      async (): Promise<void> => void (await site.ended(await redeployStaging())),
    ],
  ])('%s: production never gets it, and the approval is void', async (_where, move) => {
    const sha = await api.merge('Approved, then staging moves');
    await api.unlocked(sha);
    const live = await site.release(PRODUCTION.api);
    const goOn = await holdProduction(site, PRODUCTION.api);
    const ledger = site.ledger(PRODUCTION.api);
    const { current } = await api.approve(sha);
    expect(current).toMatchObject({ stage: 'production', approval: { by: 'alice' } });
    await move();
    await goOn();
    const waiting = await api.reaches(sha, 'awaiting-approval', 'STAGING_MOVED');
    expect(waiting.approval).toBeUndefined();
    expect(await site.read(waiting.production ?? '')).toMatchObject({
      ...{ outcome: 'rejected', failure: { code: 'STAGING_MOVED' } },
    });
    expect(await site.release(PRODUCTION.api)).toBe(live);
    expect(ledger().began).toEqual([]);
    const refused = await api.ask('approve', { release: sha });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'STAGING_MOVED']);
    expect((await api.ask('retry', { release: sha })).status).toBe(200);
    await promote(api, sha);
  });

  it('staging moves before the approval, and nobody tells of it: the approval is refused without a trace', async () => {
    const sha = await api.merge('Approved on old evidence');
    await api.unlocked(sha);
    await deployPast(site, STAGING.api);
    const refused = await api.ask('approve', { release: sha });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'STAGING_MOVED']);
    const held = await api.promotion(sha);
    expect([held?.stage, held?.approval, held?.production]).toEqual([
      'awaiting-approval',
      undefined,
      undefined,
    ]);
    // And the queue knows it a moment later: what the refusal says can be done.
    await api.reaches(sha, 'awaiting-approval', 'STAGING_MOVED');
    expect((await api.ask('retry', { release: sha })).status).toBe(200);
    await promote(api, sha);
  });

  it('staging moves before the approval, and reconcile finds it: it says so before anybody approves', async () => {
    const sha = await api.merge('Its evidence is void');
    await api.unlocked(sha);
    await deployPast(site, STAGING.api);
    await reconcile(site);
    await api.reaches(sha, 'awaiting-approval', 'STAGING_MOVED');
    expect((await api.ask('retry', { release: sha })).status).toBe(200);
    await promote(api, sha);
  });

  async function redeployStaging(): Promise<string> {
    return site.deploy(STAGING.api, { tag: (await site.release(STAGING.api)) ?? '' });
  }
});

describe('trap 8: the approver is absent for days', { timeout: 120_000 }, () => {
  it('who merged is told, then the maintainers, once each; nothing is given up; a late approval counts', async () => {
    const sha = await frontend.merge('Everybody is at the conference');
    const { id, waitingFor } = await frontend.unlocked(sha);
    const told = await until('the maintainers are told', async () => {
      const news = await toldOf(site, id);
      return news.includes('escalated') && news;
    });
    expect(told).toEqual(['staging', 'testing', 'unlocked', 'waiting', 'escalated']);
    const before = await queueRun(site, 'frontend');
    // The next merge of days waits, and says for what.
    const next = await frontend.merge('Merged meanwhile');
    const { waitingFor: why } = await frontend.reaches(next, 'queued', 'PROMOTION_RUNNING');
    expect(why?.detail).toContain(id);
    expect(await frontend.queue()).toMatchObject({ state: 'waiting', waitingFor });
    expect(await toldOf(site, id)).toEqual(told);
    expect((await queueRun(site, 'frontend')).runId).toBe(before.runId);
    await promote(frontend, sha);
    await promote(frontend, next);
  });
});

describe('trap 9: a webhook is lost, comes twice, is delivered again', { timeout: 120_000 }, () => {
  it.each([
    ['delivered again by hand', async () => redeliver()],
    ['found by reconcile', () => reconcile(site)],
  ])('lost, then %s: it starts', async (_how, heal) => {
    site.github.webhooks.fault({ kind: 'lost', event: 'push' });
    const sha = await api.merge('Told of late');
    expect((await newestPush(site)).answer?.statusCode).not.toBe(202);
    site.github.webhooks.clearFaults();
    await heal();
    await promote(api, sha);
  });

  it('lost, and the next one comes: what it brings goes, and reconcile says that it carries the lost one', async () => {
    site.github.webhooks.fault({ kind: 'lost', event: 'push' });
    const lost = await api.merge('Nobody tells of it');
    await newestPush(site);
    site.github.webhooks.clearFaults();
    const next = await api.merge('The next one is told of');
    await api.unlocked(next);
    await reconcile(site);
    expect(await api.reaches(lost, 'superseded')).toMatchObject({ carriedBy: `api.${next}` });
    await promote(api, next);
  });

  it('delivered again long after its end, and found by reconcile as well: nothing is done twice', async () => {
    const sha = await api.merge('Told of three times');
    await promote(api, sha);
    const ledger = site.ledger(STAGING.api);
    await redeliver();
    await reconcile(site);
    await api.becomes('idle', ({ state }) => state === 'idle');
    const { recent, waiting, current } = await api.queue();
    expect([current, waiting, recent.filter(({ release }) => release === sha).length]).toEqual([
      undefined,
      [],
      1,
    ]);
    expect(ledger().began).toEqual([]);
  });

  async function redeliver(): Promise<void> {
    const { id } = await newestPush(site);
    await site.github.webhooks.redeliver(id);
    expect((await newestPush(site)).answer?.statusCode).toBe(202);
  }

  it('all of the tests’ webhooks are lost: their run is followed all the same', async () => {
    site.github.webhooks.fault({ kind: 'lost', event: 'workflow_run' });
    await promote(api, await api.merge('Nobody tells how its tests went'));
  });
});

describe(
  'trap 10: the tests passed against something else than what is promoted',
  { timeout: 120_000 },
  () => {
    it('staging is deployed past Sluice while they run: not passed, and tested again from staging on', async () => {
      site.github.workflows.behave(TESTS, { conclusion: 'success', frozen: true });
      const sha = await api.merge('Tested against something else');
      const run = await inTests(api, sha);
      await deployPast(site, STAGING.api);
      site.github.workflows.finish(runAt(run), 'success');
      const void_ = await api.reaches(sha, 'testing', 'STAGING_MOVED');
      expect(void_.tests?.attempts.map(({ state }) => state)).toEqual(['inconclusive']);
      expect(void_.tests?.attempts[0]?.detail).toContain('Staging moved while its tests ran');
      site.github.workflows.behave(TESTS, { conclusion: 'success' });
      expect((await api.ask('retry', { release: sha })).status).toBe(200);
      const { tests: anew } = await api.unlocked(sha);
      expect(anew?.attempts.map(({ state }) => state)).toEqual(['inconclusive', 'passed']);
      await promote(api, sha);
    });

    it('a run that told nothing is run again; after the last one a person decides', async () => {
      site.github.workflows.behave(TESTS, { conclusion: 'cancelled' });
      const sha = await api.merge('Cancelled runs');
      const waiting = await api.reaches(sha, 'testing', 'TESTS_INCONCLUSIVE');
      expect(waiting.tests?.attempts.map(({ state }) => state)).toEqual(['inconclusive', 'inconclusive']);
      const refused = await api.ask('approve', { release: sha });
      expect([refused.status, refused.body.error.code]).toEqual([409, 'NOT_UNLOCKED']);
      site.github.workflows.behave(TESTS, { conclusion: 'success' });
      expect((await api.ask('retry', { release: sha })).status).toBe(200);
      await promote(api, sha);
    });
  },
);

describe(
  'traps 11, 15 and 16: staging cannot be read while it waits for approval',
  { timeout: 120_000 },
  () => {
    it('trap 11: throttled reads: 503 and no trace; the same approval is taken a moment later', async () => {
      const sha = await api.merge('Throttled');
      await api.unlocked(sha);
      site.aws.fault({ operation: 'ecs:*', kind: 'throttle' });
      const approve = () =>
        site.ask('POST', '/api/promotions/api/approve', { body: { release: sha }, key: `throttled ${sha}` });
      expect((await approve()).status).toBe(503);
      expect((await api.promotion(sha))?.approval).toBeUndefined();
      site.aws.clearFaults();
      // Under the same key, as the command line does it by itself: done now, and once.
      for (const _time of [1, 2]) expect((await approve()).status).toBe(200);
      await api.reaches(sha, 'promoted');
    });

    it('trap 15: staging is scaled to 0 and up again: it is the deployment that was tested, and can be approved', async () => {
      const sha = await api.merge('Nobody is at staging');
      await api.unlocked(sha);
      site.aws.scale({ ...refOf(STAGING.api), desired: 0 });
      await until('nothing serves', () => site.aws.standing(refOf(STAGING.api)).serving === 0);
      site.aws.scale({ ...refOf(STAGING.api), desired: 4 });
      await until('four serve', () => site.aws.standing(refOf(STAGING.api)).serving === 4);
      await promote(api, sha);
      site.aws.scale({ ...refOf(STAGING.api), desired: 2 });
      await site.calm(STAGING.api);
    });

    it('trap 16: the service is inactive: said with its code, nothing is approved', async () => {
      const sha = await frontend.merge('Its staging is deleted');
      await frontend.unlocked(sha);
      const { revision = '' } = site.aws.standing(refOf(STAGING.frontend));
      site.aws.removeService({ ...refOf(STAGING.frontend), how: 'inactive' });
      const refused = await frontend.ask('approve', { release: sha });
      expect([refused.body.error.code, (await frontend.promotion(sha))?.approval]).toEqual([
        'SERVICE_GONE',
        undefined,
      ]);
      // Made anew it is another deployment of the same images: what was tested is gone with the old one.
      site.aws.removeService({ ...refOf(STAGING.frontend), how: 'gone' });
      site.aws.service({ ...refOf(STAGING.frontend), taskDefinition: revision });
      await site.calm(STAGING.frontend);
      const again = await frontend.ask('approve', { release: sha });
      expect([again.status, again.body.error.code]).toEqual([409, 'STAGING_MOVED']);
      await frontend.reaches(sha, 'awaiting-approval', 'STAGING_MOVED');
      expect((await frontend.ask('retry', { release: sha })).status).toBe(200);
      await promote(frontend, sha);
    });
  },
);

describe('trap 12: who holds the lock is gone', { timeout: 120_000 }, () => {
  it('the lock names its reason and holder; any maintainer lifts it', async () => {
    const sha = await api.merge('Locked by somebody who left');
    await api.unlocked(sha);
    const lock = { reason: 'until I am back', by: 'bob' };
    const put = await site.ask('PUT', '/api/locks/promotions/api', {
      body: { reason: lock.reason },
      as: 'bob',
    });
    expect([put.status, put.body]).toEqual([200, { ...lock, at: expect.any(String) }]);
    site.github.removeMember('bob');
    try {
      const locked = await api.reaches(sha, 'awaiting-approval', 'LOCKED');
      expect(locked.waitingFor?.detail).toContain('until I am back');
      expect(locked.waitingFor?.actions).toContain('unlock');
      expect((await api.queue()).lock).toMatchObject(lock);
      expect((await api.unlock()).status).toBe(204);
      await promote(api, sha);
      expect((await api.unlock()).body.error.code).toBe('NOT_LOCKED');
    } finally {
      site.github.addMember('bob');
    }
  });
});

describe('trap 13: production was rolled back, and can never be equal again', { timeout: 120_000 }, () => {
  it('locked, with its ways out: staging is restored while it is locked, and unlocked the next merge goes', async () => {
    const back = await site.release(PRODUCTION.api);
    const sha = await api.merge('Rolled back');
    await promote(api, sha);
    const body = { app: 'api', environment: 'production', reason: 'errors everywhere' };
    const rollback = await site.ask('POST', '/api/rollbacks', { body });
    expect(await site.ended(rollback.body.id)).toMatchObject({ outcome: 'succeeded', release: back });
    const next = await api.merge('Waits behind the rollback');
    const { waitingFor } = await api.reaches(next, 'queued', 'PRODUCTION_ROLLED_BACK');
    expect(waitingFor?.actions.join()).toMatch(/unlock.*restore staging/);
    const restored = await api.ask('resolve', { choice: 'restore-staging', reason: 'start from there' });
    expect(restored.status).toBe(200);
    await until('staging is back', async () => (await site.release(STAGING.api)) === back);
    await api.becomes(
      'only the lock is left',
      ({ waitingFor: why }) => why?.code === 'PRODUCTION_ROLLED_BACK',
    );
    expect((await api.promotion(next))?.stage).toBe('queued');
    expect((await api.unlock()).status).toBe(204);
    await promote(api, next);
    const bad = await site.ask('POST', '/api/deployments', {
      body: { app: 'api', environment: 'staging', tag: sha },
    });
    expect([bad.status, bad.body.error.code]).toEqual([409, 'RELEASE_BAD']);
  });
});

describe('trap 17: the history grows over a wait of 13 days', { timeout: 180_000 }, () => {
  /** What `reconcile` makes of them in a day. */
  const LOOKS = (24 * 60) / 5;
  /** Temporal's: it ends a run there. */
  const LIMIT = 51_200;
  const look = (): Promise<void> =>
    site.client.workflow.getHandle(promotionWorkflowId('frontend')).signal(SIGNAL.look);

  it('it waits without an event; looked at every five minutes it stays small, and goes on as a new run', async () => {
    const sha = await frontend.merge('For thirteen days');
    const { id } = await frontend.unlocked(sha);
    await until('all are told', async () => (await toldOf(site, id)).includes('escalated'));
    const quiet = await settled();
    await expect(settled()).resolves.toEqual(quiet);

    for (let n = 0; n < 5; n += 1) {
      await look();
      await settled();
    }
    const perLook = ((await settled()).events - quiet.events) / 5;
    expect(perLook).toBeGreaterThan(0);
    expect(perLook * LOOKS).toBeLessThan(LIMIT / 10);

    // It was terminated, and begins anew with runs of few events: nothing is lost with any of them.
    const before = await frontend.queue();
    const handle = site.client.workflow.getHandle(promotionWorkflowId('frontend'));
    await handle.terminate('tests');
    await site.client.workflow.start(WORKFLOW.promotionQueue, {
      workflowId: promotionWorkflowId('frontend'),
      taskQueue: QUEUE.main,
      args: [{ app: 'frontend', tuning: { continueAfterEvents: 40 } }],
    });
    const runs = new Set<string>();
    await until('it has gone on as a new run three times', async () => {
      await look();
      runs.add((await settled()).runId);
      return runs.size >= 4;
    });
    expect(await frontend.queue()).toEqual(before);
    expect((await frontend.merge('Meanwhile')).length).toBe(40);
    await promote(frontend, sha);
  });

  /** After nothing has happened for a moment. */
  async function settled(): Promise<Awaited<ReturnType<typeof queueRun>>> {
    let last = await queueRun(site, 'frontend');
    let since = Date.now();
    await until('nothing happens any more', async () => {
      const now = await queueRun(site, 'frontend');
      if (now.events !== last.events || now.runId !== last.runId) since = Date.now();
      last = now;
      return Date.now() - since > 600;
    });
    return last;
  }
});
