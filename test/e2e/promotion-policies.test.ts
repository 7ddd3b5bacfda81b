/** What `sluice.yaml` may say of promotions beside the defaults: who approves, what queues, how it is tested. */
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { PromotionsAt } from './promotions-at.js';
import { PRODUCTION, promotionsAt, STAGING } from './promotions-at.js';
import { clearAfter, freeze, inTheMiddle, promote } from './promotion-world.js';
import type { Answer, Site } from './site.js';
import { LANES, openSite, START_MS } from './site.js';

let site: Site;
let api: PromotionsAt;
let frontend: PromotionsAt;

const SECRET = 'sandboxSecretOfTheTests00000000000000000';

/** Reads a file of the release, and asks staging what it runs. */
const CHECK = [
  'cat api/verdict',
  'grep -q passes api/verdict',
  `node -e "fetch(process.env.SLUICE_URL_API+'/version.json').then(a=>a.json()).then(({release})=>process.exit(release===process.env.SLUICE_RELEASE?0:9))"`,
].join(' && ');

/** App → what is said of it instead. */
type Said = Record<string, { tests?: object; promotion: object }>;

function saying(text: string, said: Said): string {
  const config = parse(text) as { apps: Record<string, object> };
  for (const [app, instead] of Object.entries(said)) {
    const { tests: _tests, ...rest } = config.apps[app] as { tests?: object };
    config.apps[app] = { ...rest, ...instead };
  }
  return stringify(config);
}

const apiAt = () => {
  const { hostname: HOST, port: PORT } = new URL(site.apiUrl);
  return { HOST, PORT, TESTS_WEBHOOK_SECRET: SECRET };
};

beforeAll(async () => {
  site = await openSite({
    configure: (text) =>
      saying(text, {
        api: {
          tests: { command: ['sh', '-c', CHECK] },
          promotion: { queue: 'latest', approval: 'automatic' },
        },
        frontend: {
          tests: { report: true },
          promotion: { queue: 'every-merge', approval: 'required' },
        },
      }),
  });
  api = promotionsAt(site, 'api');
  frontend = promotionsAt(site, 'frontend');
  await Promise.all([...LANES.map((lane) => site.calm(lane)), site.kill('api')]);
  await site.revive('api', apiAt());
}, START_MS);
afterAll(() => site?.close());
afterEach((context) => clearAfter(context, api, frontend));

const judged = async (title: string, verdict: string): Promise<string> => {
  const files = { 'api/verdict': `${title} ${verdict}\n` };
  const { sha } = await site.github.mergePullRequest({ title, author: 'ann', files, by: 'alice' });
  return sha;
};

describe('approval: automatic, tests by a command', { timeout: 120_000 }, () => {
  it('passed: it goes to production by itself, and the approval says so', async () => {
    const sha = await judged('All by itself', 'passes');
    const done = await api.reaches(sha, 'promoted');
    expect(done.tests?.attempts).toMatchObject([{ attempt: 1, state: 'passed' }]);
    expect(done.approval).toMatchObject({ by: 'sluice', release: sha });
    expect(await site.read(done.production ?? '')).toMatchObject({
      ...{ kind: 'promotion', actor: 'sluice', outcome: 'succeeded', verified: true },
    });
    expect(await site.release(PRODUCTION.api)).toBe(sha);
    expect((await api.queue()).policy).toEqual({ queue: 'latest', approval: 'automatic' });
  });

  it('failed: it stays in staging, with what the command said', async () => {
    const live = await site.release(PRODUCTION.api);
    const sha = await judged('Not good enough', 'fails');
    const failed = await api.reaches(sha, 'failed');
    expect(failed.tests?.attempts.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(failed.failure?.message).toContain('it ended with 1: Not good enough fails');
    expect(await site.release(PRODUCTION.api)).toBe(live);
    const mended = await judged('Good enough', 'passes');
    await api.reaches(mended, 'promoted');
  });

  it('a release that contains a bad one waits for a person', async () => {
    const bad = await site.release(PRODUCTION.api);
    const body = { app: 'api', environment: 'production', reason: 'loses data' };
    await site.ended((await site.ask('POST', '/api/rollbacks', { body })).body.id);
    const sha = await judged('Says that it is mended', 'passes');
    await api.reaches(sha, 'queued', 'PRODUCTION_ROLLED_BACK');
    expect((await api.unlock()).status).toBe(204);
    const waiting = await api.reaches(sha, 'awaiting-approval', 'RELEASE_BAD');
    expect(waiting.waitingFor?.detail).toContain(bad);
    await api.approve(sha);
    expect((await api.reaches(sha, 'promoted')).approval?.by).toBe('alice');
  });
});

describe('queue: every-merge, tests reported from elsewhere', { timeout: 120_000 }, () => {
  const awaited = (sha: string) => frontend.reaches(sha, 'testing', 'TESTS_AWAITED');
  const signed = async (body: object, secret = SECRET): Promise<Pick<Answer, 'status' | 'body'>> => {
    const text = JSON.stringify(body);
    const response = await fetch(`${site.apiUrl}/api/promotions/frontend/tests`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-sluice-signature-256': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`,
      },
      body: text,
    });
    return { status: response.status, body: await response.json() };
  };

  it('each merge goes on its own, in the order of main; its tests are reported by a maintainer', async () => {
    const shas = [await frontend.merge('One'), await frontend.merge('Two'), await frontend.merge('Three')];
    for (const sha of shas) {
      await awaited(sha);
      expect((await frontend.promotion(sha))?.merges.map((merge) => merge.sha)).toEqual([sha]);
      const url = `https://ci.example.org/${sha}`;
      const answer = await frontend.ask('tests', { release: sha, passed: true, url });
      expect([answer.status, answer.text.includes(url)]).toEqual([200, true]);
      const { tests } = await frontend.unlocked(sha);
      expect(tests).toMatchObject({ state: 'passed', url });
      await promote(frontend, sha);
    }
  });

  it('signed: taken without a person; a wrong signature is refused, as is a report of something else', async () => {
    const sha = await frontend.merge('Reported by CI');
    await awaited(sha);
    const forged = await signed({ release: sha, passed: true }, 'another secret');
    expect([forged.status, forged.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    const nobody = await site.ask('POST', '/api/promotions/frontend/tests', {
      ...{ as: null, body: { release: sha, passed: true } },
    });
    expect(nobody.status).toBe(401);
    const outsider = await frontend.ask('tests', { release: sha, passed: true }, 'mallory');
    expect(outsider.status).toBe(403);
    const other = await signed({ release: 'a'.repeat(40), passed: true });
    expect(other.status).toBeGreaterThanOrEqual(400);
    expect((await frontend.promotion(sha))?.stage).toBe('testing');
    // Failed once: a second report is waited for.
    expect((await signed({ release: sha, passed: false })).status).toBe(200);
    await frontend.becomes('the second attempt', ({ current }) => current?.tests?.attempt === 2);
    expect((await signed({ release: sha, passed: true })).status).toBe(200);
    const { tests, waitingFor } = await frontend.unlocked(sha);
    expect(tests?.attempts.map(({ state }) => state)).toEqual(['failed', 'passed']);
    expect(waitingFor?.detail).toContain('passed at attempt 2');
    await promote(frontend, sha);
  });
});

describe(
  'sluice.yaml is changed, and Sluice started anew: queue: off; no tests',
  { timeout: 120_000 },
  () => {
    beforeAll(async () => {
      const file = join(site.directory, 'sluice.yaml');
      const text = await readFile(file, 'utf8');
      const changed = saying(text, {
        api: { promotion: { queue: 'off', approval: 'required' } },
        frontend: { promotion: { queue: 'latest', approval: 'required' } },
      });
      await writeFile(file, changed);
      await Promise.all([site.kill('worker'), site.kill('build-worker'), site.kill('api')]);
      await Promise.all([site.revive('worker'), site.revive('build-worker'), site.revive('api', apiAt())]);
    }, START_MS);

    it('off: every merge goes to staging, a newer one in its place; production moves by approval only', async () => {
      const live = await site.release(PRODUCTION.api);
      const first = await api.merge('To staging');
      const { waitingFor } = await api.unlocked(first);
      expect(waitingFor?.detail).toContain('no tests are configured');
      // The environments differ, and nothing waits for that.
      const second = await api.merge('To staging, too');
      const unlocked = await api.unlocked(second);
      expect(await api.promotion(first)).toMatchObject({ stage: 'superseded', carriedBy: unlocked.id });
      expect(await site.release(STAGING.api)).toBe(second);
      expect(await site.release(PRODUCTION.api)).toBe(live);
      expect((await api.ask('approve', { release: first })).body.error.code).toBe('NOT_UNLOCKED');
      await promote(api, second);
      expect(await site.release(PRODUCTION.api)).toBe(second);
    });

    it('off: one that is merged while another goes to staging takes its place, and both deployments end', async () => {
      freeze(site, STAGING.api, true);
      const first = await api.merge('Overtaken on its way');
      const one = await inTheMiddle(site, api, { release: first, stage: 'staging' });
      const second = await api.merge('Overtakes');
      const { staging: two = '' } = await api.reaches(second, 'staging');
      expect((await api.promotion(first))?.stage).toBe('superseded');
      freeze(site, STAGING.api, false);
      expect((await site.ended(one)).outcome).toBe('succeeded');
      expect((await site.ended(two)).outcome).toBe('succeeded');
      await promote(api, second);
    });

    it('an app without tests: unlocked once staging runs it, and the button says so', async () => {
      const sha = await frontend.merge('Untested');
      const { waitingFor, tests } = await frontend.unlocked(sha);
      expect([waitingFor?.detail, tests]).toEqual([
        expect.stringContaining('no tests are configured'),
        undefined,
      ]);
      await frontend.approve(sha);
      const { approval } = await frontend.reaches(sha, 'promoted');
      expect(approval?.tests).toBe('no tests are configured');
    });
  },
);
