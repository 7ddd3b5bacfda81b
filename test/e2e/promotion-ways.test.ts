/** Ways out that a person chooses, and what pushes of every kind come to, on real processes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deliveryWorkflowId } from '../../domain/ids.js';
import type { DeliveryEnd } from '../../workflows/delivery.js';
import type { PromotionsAt } from './promotions-at.js';
import { PRODUCTION, promotionsAt, STAGING } from './promotions-at.js';
import { clearAfter, deployPast, freeze, inTheMiddle, newestPush, promote } from './promotion-world.js';
import type { Site } from './site.js';
import { LANES, openSite, START_MS, until } from './site.js';

let site: Site;
let api: PromotionsAt;
let frontend: PromotionsAt;

beforeAll(async () => {
  site = await openSite();
  api = promotionsAt(site, 'api');
  frontend = promotionsAt(site, 'frontend');
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());
afterEach(async (context) => {
  site.github.webhooks.clearFaults();
  for (const lane of LANES) freeze(site, lane, false);
  await clearAfter(context, api, frontend);
});

describe('the environments differ, and nobody knows why', { timeout: 120_000 }, () => {
  it('adopt: what staging runs is tested and promoted as it stands, with the merges that it contains', async () => {
    await deployPast(site, STAGING.api);
    const one = await api.merge('Adopted with the next one');
    await api.reaches(one, 'queued', 'ENVIRONMENTS_DIFFER');
    const two = await api.merge('Adopted itself');
    await api.reaches(two, 'queued', 'ENVIRONMENTS_DIFFER');
    const later = await api.merge('Not in what staging runs');
    await api.reaches(later, 'queued', 'ENVIRONMENTS_DIFFER');
    await site.ended(await site.deploy(STAGING.api, { commit: two }));
    await api.reaches(later, 'queued', 'ENVIRONMENTS_DIFFER');
    const ledger = site.ledger(STAGING.api);
    const answer = await api.ask('resolve', { choice: 'adopt', reason: 'it is what we want' });
    expect([answer.status, answer.body.current]).toMatchObject([
      200,
      { stage: 'testing', release: two, by: 'alice' },
    ]);
    const adopted = await api.unlocked(two);
    expect(adopted.merges.map(({ sha }) => sha)).toEqual([one, two]);
    expect(adopted.tests?.attempts).toMatchObject([{ state: 'passed' }]);
    const { recent, waiting } = await api.queue();
    const ended = recent.filter(({ release }) => release === one || release === two);
    expect(ended.map(({ stage, carriedBy }) => [stage, carriedBy])).toEqual([
      ['superseded', adopted.id],
      ['superseded', adopted.id],
    ]);
    expect(waiting.map(({ release }) => release)).toEqual([later]);
    expect(ledger().began).toEqual([]);
    await promote(api, two);
    await promote(api, later);
  });

  it('override: one start passes, once; it is not taken where nothing waits for it', async () => {
    await deployPast(site, STAGING.api);
    const choose = () => api.ask('resolve', { choice: 'override', reason: 'it does not matter' });
    const early = await choose();
    expect([early.status, early.body.error.code]).toEqual([409, 'NOT_WAITING']);
    const sha = await api.merge('Goes all the same');
    await api.reaches(sha, 'queued', 'ENVIRONMENTS_DIFFER');
    expect((await choose()).status).toBe(200);
    await promote(api, sha);
    await deployPast(site, STAGING.api);
    const next = await api.merge('Waits for an override of its own');
    await api.reaches(next, 'queued', 'ENVIRONMENTS_DIFFER');
    expect((await choose()).status).toBe(200);
    await promote(api, next);
  });
});

describe('rejected and failed', { timeout: 120_000 }, () => {
  it('rejected in staging: its deployment is stopped first; the next merge goes', async () => {
    freeze(site, STAGING.api, true);
    const sha = await api.merge('Rejected at once');
    const staging = await inTheMiddle(site, api, { release: sha, stage: 'staging' });
    expect((await api.ask('reject', { release: sha, reason: 'wrong branch' })).status).toBe(200);
    expect((await api.promotion(sha))?.stage).toBe('staging');
    freeze(site, STAGING.api, false);
    expect((await site.ended(staging)).outcome).toBe('stopped');
    expect(await api.reaches(sha, 'rejected')).toMatchObject({ by: 'alice', reason: 'wrong branch' });
    await promote(api, await api.merge('The right branch'));
  });

  it('stopped in production: failed there; a retry is a new approval of the same images', async () => {
    const sha = await api.merge('Stopped by somebody');
    await api.unlocked(sha);
    freeze(site, PRODUCTION.api, true);
    await api.approve(sha);
    const first = await inTheMiddle(site, api, { release: sha, stage: 'production' });
    await site.stopIt(first, 'not before lunch');
    freeze(site, PRODUCTION.api, false);
    expect(await api.reaches(sha, 'failed')).toMatchObject({ failedStage: 'production' });
    const retried = await api.ask('retry', { release: sha }, 'bob');
    expect([retried.status, retried.body.current]).toMatchObject([
      200,
      { stage: 'production', approval: { by: 'bob', release: sha } },
    ]);
    const { production: second = '' } = await api.reaches(sha, 'promoted');
    expect(second).not.toBe(first);
    const [one, two] = await Promise.all([site.read(first), site.read(second)]);
    expect([one.outcome, two.outcome, two.digests]).toEqual(['stopped', 'succeeded', one.digests]);
  });

  it('failed in staging, and staging restored: both run the same again, and nothing is left to do', async () => {
    const live = await site.release(PRODUCTION.frontend);
    const sha = await frontend.merge('Does not start', 'exits');
    await frontend.reaches(sha, 'failed');
    await deployPast(site, STAGING.frontend);
    const restored = await frontend.ask('resolve', { choice: 'restore-staging', reason: 'start from there' });
    expect(restored.status).toBe(200);
    await until('staging is restored', async () => (await site.release(STAGING.frontend)) === live);
    await frontend.becomes('idle', ({ state }) => state === 'idle');
    await promote(frontend, await frontend.merge('Starts'));
  });
});

const pageOf = (title: string) => ({ [`frontend/${title}.md`]: `${title}\n` });

/** What the newest push to main came to. */
async function pushEnd(): Promise<DeliveryEnd> {
  const { guid } = await newestPush(site);
  const handle = site.client.workflow.getHandle(deliveryWorkflowId(guid));
  return (await handle.result()) as DeliveryEnd;
}

const mergeFiles = async (title: string, files: Record<string, string>): Promise<string> => {
  const { sha } = await site.github.mergePullRequest({ title, author: 'ann', files, by: 'alice' });
  return sha;
};

describe('pushes', { timeout: 120_000 }, () => {
  it('one merge of two apps: each has its own promotion, beside the other', async () => {
    const sha = await mergeFiles('Both at once', { 'api/both.md': 'both\n', 'frontend/both.md': 'both\n' });
    const [ofApi, ofFrontend] = await Promise.all([api.unlocked(sha), frontend.unlocked(sha)]);
    expect([ofApi.id, ofFrontend.id]).toEqual([`api.${sha}`, `frontend.${sha}`]);
    await api.approve(sha);
    await api.reaches(sha, 'promoted');
    expect((await frontend.promotion(sha))?.stage).toBe('awaiting-approval');
    await promote(frontend, sha);
  });

  it('one that touches no app, a tag, another branch: nothing happens', async () => {
    const before = [await api.queue(), await frontend.queue()];
    const head = await mergeFiles('Only words', { 'docs/words.md': 'words\n' });
    expect(await pushEnd()).toMatchObject({ merges: {}, refused: [] });
    const told = site.github.webhooks.deliveries('push').length;
    for (const ref of ['refs/tags/v1', 'refs/heads/elsewhere']) {
      await site.github.push({ by: 'alice', ref, after: head });
    }
    await site.github.webhooks.settled();
    const answers = site.github.webhooks.deliveries('push').slice(told);
    expect(answers).toHaveLength(2);
    for (const { answer } of answers) expect(answer?.statusCode).toBeLessThan(300);
    expect([await api.queue(), await frontend.queue()]).toEqual(before);
  });

  it('deliveries out of order: the merges wait in the order of main', async () => {
    const current = await frontend.merge('Under way');
    await frontend.unlocked(current);
    const numbers: number[] = [];
    for (const title of ['First, told last', 'Second', 'Third']) {
      const opened = await site.github.openPullRequest({ title, author: 'ann', files: pageOf(title) });
      numbers.push(opened.number);
    }
    await site.github.webhooks.settled();
    // Merged one after the other, told of in another order.
    site.github.webhooks.fault({ kind: 'late', event: 'push', times: 1, delayMs: 2_500 });
    const merged: string[] = [];
    for (const number of numbers) {
      merged.push((await site.github.mergePullRequest({ number, by: 'alice' })).sha);
    }
    await frontend.becomes('the later two wait', (queue) => queue.waiting.length === 2);
    const { waiting } = await frontend.becomes('all three wait', (queue) => queue.waiting.length === 3);
    expect(waiting.map(({ release }) => release)).toEqual(merged);
    await promote(frontend, current);
    const carrying = await frontend.unlocked(merged[2] ?? '');
    expect(carrying.merges.map(({ sha }) => sha)).toEqual(merged);
    await promote(frontend, merged[2] ?? '');
  });

  it('forced: a waiting merge that is no longer on the branch is cancelled, the current one goes on', async () => {
    const current = await api.merge('Stays');
    await api.unlocked(current);
    const gone = await api.merge('Is pushed away');
    await api.reaches(gone, 'queued');
    await site.github.push({ by: 'alice', after: current });
    const instead = await api.merge('Comes instead');
    expect(await api.reaches(gone, 'cancelled')).toMatchObject({ failure: { code: 'NOT_ON_BRANCH' } });
    await api.reaches(instead, 'queued', 'PROMOTION_RUNNING');
    await promote(api, current);
    await promote(api, instead);
    expect((await api.promotion(instead))?.merges.map(({ sha }) => sha)).toEqual([instead]);
  });
});
