/**
 * Rules 2 and 10 for releases and rollbacks: the worker dies with SIGKILL after each of their effects, the answer
 * still withheld, and in the end there is one of each.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIRST_TAG } from '../../sandbox/settings.js';
import type { App, Releases } from './releases-at.js';
import { ONE_OF_EACH, releasesAt, stepOf } from './releases-at.js';
import type { Ledger, Site } from './site.js';
import { API_PRODUCTION, FRONTEND_PRODUCTION, LANES, openSite, refOf, START_MS, until } from './site.js';

const APPS = ['api', 'frontend', 'ingestion_server'] as const;
const PRODUCTION = { api: API_PRODUCTION, frontend: FRONTEND_PRODUCTION };

let site: Site;
let at: Releases;

beforeAll(async () => {
  site = await openSite();
  at = releasesAt(site);
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(async () => {
  at?.close();
  await site?.close();
});

function holdAtAws(operation: string, times = 1): Promise<unknown> {
  site.aws.fault({ operation, kind: 'hold-after', times });
  return site.struck(operation, times);
}

/**
 * Two moments for one kill: who has come to theirs first, and gives up waiting for the answer, gets no further.
 * Nobody else needs that service until the kill.
 */
const stayAtAws = async (operation: string): Promise<void> => {
  await holdAtAws(operation);
  for (const each of ['ecs:*', 'ecr:*']) site.aws.fault({ operation: each, kind: 'error' });
};
const stayAtGitHub = async (method: 'POST' | 'PUT', path: string): Promise<void> => {
  await at.hold(method, path);
  site.github.fault({ kind: 'bad-gateway', path: '/repos/' });
};

/** The next moments are set up while nobody works. */
async function killUntil(...next: (() => Promise<unknown>)[]): Promise<void> {
  await site.kill('worker');
  site.aws.clearFaults();
  site.github.clearFaults();
  const reached = Promise.all(next.map((hold) => hold()));
  await Promise.all([site.revive('worker'), reached]);
}

const freeze = (lane: typeof API_PRODUCTION, frozen: boolean): void =>
  void site.aws.behave({ ...refOf(lane), behaviour: { frozen } });

/** Every release at its step, as it stood when the worker was killed. */
const stepsOf = async (ids: Record<App, string>): Promise<(string | undefined)[]> =>
  Promise.all(APPS.map(async (app) => stepOf(await at.read(ids[app]))));

describe('a release, its worker killed after each effect', { timeout: 120_000 }, () => {
  let ids: Record<App, string>;
  let images: Record<App, { tag: string; commit: string }>;
  let ledgers: Record<keyof typeof PRODUCTION, () => Ledger>;
  const moments: (string | undefined)[][] = [];
  let tagged: Record<string, string>;
  let puts = 0;

  beforeAll(async () => {
    images = {
      api: await at.image('api'),
      frontend: await at.image('frontend'),
      ingestion_server: await at.image('ingestion_server'),
    };
    ledgers = { api: site.ledger(API_PRODUCTION), frontend: site.ledger(FRONTEND_PRODUCTION) };
    for (const lane of Object.values(PRODUCTION)) freeze(lane, true);

    const updated = holdAtAws('ecs:UpdateService');
    const frontend = await at.release('frontend', images.frontend.tag);
    await updated;
    const firstTag = holdAtAws('ecr:PutImage');
    const api = await at.release('api', images.api.tag);
    await firstTag;
    const published = at.hold('POST', 'releases');
    const ingestion = await at.release('ingestion_server', images.ingestion_server.tag);
    await published;
    ids = { api, frontend, ingestion_server: ingestion };
    moments.push(await stepsOf(ids));
    tagged = await at.digests('api', `rel-${(await at.read(api)).date}`);

    await killUntil(
      () => stayAtAws('ecr:PutImage'),
      () => stayAtGitHub('POST', 'git/refs'),
    );
    moments.push(await stepsOf(ids));
    await killUntil(
      () => stayAtAws('ecs:UpdateService'),
      () => stayAtGitHub('PUT', 'contents/'),
    );
    moments.push(await stepsOf(ids));
    await killUntil(() => stayAtGitHub('POST', 'pulls'));
    moments.push(await stepsOf(ids));
    await killUntil();
    for (const lane of Object.values(PRODUCTION)) freeze(lane, false);
    puts = site.aws.calls({ operation: 'ecr:PutImage' }).filter(({ effect }) => effect).length;
  }, 240_000);

  it('it died where it was meant to', () => {
    expect(moments).toEqual([
      ['tag', 'deploy', 'publish'],
      ['tag', 'deploy', 'changelog'],
      ['deploy', 'deploy', 'changelog'],
      ['deploy', 'deploy', 'changelog'],
    ]);
    // Of two images one, and in the end each once: four in all.
    expect(Object.keys(tagged)).toHaveLength(1);
    expect(puts).toBe(4);
  });

  it.each(APPS)('%s: it ends as it would have, with one of each', async (app) => {
    const release = await at.ended(ids[app]);
    const { outcome, retries, gitTag, imageTag, warnings } = release;
    expect({ outcome, retries, warnings }).toEqual({
      outcome: 'succeeded',
      retries: undefined,
      warnings: [],
    });
    expect(release.steps.map(({ state }) => state)).toEqual([
      ...['done', 'done', app === 'ingestion_server' ? 'skipped' : 'done', 'done', 'done'],
    ]);
    expect(at.made(release)).toEqual(ONE_OF_EACH);
    const [tag] = site.github.effects('tag').filter(({ what }) => what === gitTag);
    expect(tag?.detail).toBe(images[app].commit);
    expect(await at.digests(app, imageTag)).toEqual(await at.digests(app, images[app].tag));
    expect(release.digests).toEqual(await at.digests(app, imageTag));
  });

  it.each(['api', 'frontend'] as const)('%s: one revision, one update', async (app) => {
    const { deployment = '' } = await at.ended(ids[app]);
    const { outcome, verified, revision } = await site.ended(deployment);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    const ledger = ledgers[app]();
    expect(ledger.registered).toEqual([revision]);
    expect(ledger.history).toMatchObject([{ by: 'UpdateService', revision }]);
    expect(await site.release(PRODUCTION[app])).toBe(images[app].commit);
  });

  it('the same image again is refused with the release that it was', async () => {
    const { status, body } = await at.ask('api', images.api.tag, { as: 'bob' });
    expect({ status, code: body.error.code }).toEqual({ status: 409, code: 'ALREADY_RELEASED' });
    expect(body.error.details).toEqual({ id: ids.api });
  });
});

describe('a rollback, its worker killed after each effect', { timeout: 120_000 }, () => {
  let ids: Record<keyof typeof PRODUCTION, string>;
  let ledgers: Record<keyof typeof PRODUCTION, () => Ledger>;
  let atTheMark: Ledger;
  let left: Record<keyof typeof PRODUCTION, string>;

  beforeAll(async () => {
    left = {
      api: (await site.release(API_PRODUCTION)) ?? '',
      frontend: (await site.release(FRONTEND_PRODUCTION)) ?? '',
    };
    ledgers = { api: site.ledger(API_PRODUCTION), frontend: site.ledger(FRONTEND_PRODUCTION) };
    const registered = holdAtAws('ecs:RegisterTaskDefinition');
    const frontend = await at.rollBack(FRONTEND_PRODUCTION, { tag: FIRST_TAG });
    await registered;
    // Its deployment looks at the service before it writes: there is time to kill it.
    site.aws.fault({ operation: 'ecs:DescribeServices', kind: 'delay', delayMs: 3_000 });
    const api = await at.rollBack(API_PRODUCTION, { tag: FIRST_TAG });
    await until('the mark is there', async () => (await at.marks(API_PRODUCTION)).length > 0);
    ids = { api, frontend };
    await killUntil(() => {
      atTheMark = ledgers.api();
      return holdAtAws('ecs:UpdateService', 2);
    });
    await killUntil();
  }, 120_000);

  it('the mark came before anything was written', () => {
    expect(atTheMark).toEqual({ registered: [], began: [], history: [] });
  });

  it.each(['api', 'frontend'] as const)('%s: one revision, one update, one mark', async (app) => {
    const { kind, outcome, verified, revision } = await site.ended(ids[app]);
    expect({ kind, outcome, verified }).toEqual({ kind: 'rollback', outcome: 'succeeded', verified: true });
    const ledger = ledgers[app]();
    expect(ledger.registered).toEqual([revision]);
    expect(ledger.history).toMatchObject([{ by: 'UpdateService', revision }]);
    expect((await at.marks(PRODUCTION[app])).map(({ release }) => release)).toEqual([left[app]]);
    expect(await site.release(PRODUCTION[app])).toBe(site.sample.commits.first);
  });

  it('what was left is not deployed again', async () => {
    const body = { app: 'api', environment: 'production', tag: left.api };
    // By its tag or its commit: the mark is of the release.
    const [mark] = await at.marks(API_PRODUCTION);
    const { status, body: said } = await site.ask('POST', '/api/deployments', {
      body: { ...body, tag: mark?.tag ?? left.api },
    });
    expect({ status, code: said.error?.code }).toEqual({ status: 409, code: 'RELEASE_BAD' });
  });
});
