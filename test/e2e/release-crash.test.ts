/**
 * Rules 2 and 10 for releases and rollbacks: the worker dies with SIGKILL after each of their effects, the answer
 * still withheld, and in the end there is one of each. Then what people do to releases: ask twice, mend, give up.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Release } from '../../domain/release.js';
import { freePort } from '../../sandbox/ports.js';
import { AWS_KEYS, FIRST_TAG, PEOPLE, SLACK } from '../../sandbox/settings.js';
import type { App, Releases } from './releases-at.js';
import { ONE_OF_EACH, releasesAt, stepOf } from './releases-at.js';
import type { Ledger, Site } from './site.js';
import { API_PRODUCTION, FRONTEND_PRODUCTION, LANES, openSite, refOf, START_MS, until } from './site.js';
import { textOf } from './texts.js';

const EMERGENCY_TOKEN = 'sandboxEmergencyToken-7d1c0f5e9a3b';
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
      () => holdAtAws('ecr:PutImage'),
      () => at.hold('POST', 'git/refs'),
    );
    moments.push(await stepsOf(ids));
    await killUntil(
      () => holdAtAws('ecs:UpdateService'),
      () => at.hold('PUT', 'contents/'),
    );
    moments.push(await stepsOf(ids));
    await killUntil(() => at.hold('POST', 'pulls'));
    moments.push(await stepsOf(ids));
    await killUntil();
    for (const lane of Object.values(PRODUCTION)) freeze(lane, false);
    puts = site.aws.calls({ operation: 'ecr:PutImage' }).filter(({ effect }) => effect).length;
  }, 180_000);

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
    expect(await site.release(PRODUCTION[app])).toBe(FIRST_TAG);
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

const isBlocked = ({ state }: Release): boolean => state === 'blocked';

/** The latest template of the frontend in production. */
function template(environment: { name: string; value: string }[]): void {
  site.aws.taskDefinition({
    family: 'production-nuxt-template',
    containerDefinitions: [
      {
        ...{ name: 'nuxt', image: `${site.aws.registry}/openverse-frontend:${FIRST_TAG}`, environment },
        portMappings: [{ containerPort: 8080, hostPort: 0 }],
      },
    ],
  });
}

describe('what people do to releases', { timeout: 120_000 }, () => {
  it('the same request sent twice, at once and later, is one release', async () => {
    const { tag } = await at.image('ingestion_server');
    const send = (): Promise<{ status: number; body: { id: string } }> =>
      at.ask('ingestion_server', tag, { key: 'release-it-once' });
    const both = await Promise.all([send(), send()]);
    const [id = ''] = both.map(({ body }) => body.id);
    const release = await at.ended(id);
    for (const { status, body } of [...both, await send()])
      expect({ status, id: body.id }).toEqual({ status: 202, id });
    expect(release.outcome).toBe('succeeded');
    expect(at.made(release)).toEqual(ONE_OF_EACH);
    const made = site.github.effects('tag').filter(({ detail }) => detail === release.release);
    expect(made.map(({ what }) => what)).toEqual([release.gitTag]);
  });

  it('ECS rolls its deployment back: blocked; mended, it is retried to its end under the same names', async () => {
    const { tag, commit } = await at.image('frontend');
    template([{ name: 'SANDBOX_EXIT', value: '1' }]);
    const id = await at.release('frontend', tag);
    const { blocked, deployment, imageTag } = await at.becomes(id, 'blocked', isBlocked);
    expect(blocked).toMatchObject({
      step: 'deploy',
      code: 'DEPLOYMENT_FAILED',
      actions: ['retry', 'abandon'],
    });
    expect((await site.ended(deployment ?? '')).outcome).toBe('rolled-back');
    expect(at.made(await at.read(id))).toEqual({ tag: 0, release: 0, branch: 0, file: 0, pull: 0 });
    const puts = (): number => site.aws.calls({ operation: 'ecr:PutImage' }).length;
    const before = puts();

    template([]);
    const retried = await site.ask('POST', `/api/releases/${id}/retry`, { as: 'bob', body: {} });
    expect(retried.status).toBe(202);
    const release = await at.ended(id);
    expect(release).toMatchObject({ outcome: 'succeeded', retries: 1, gitTag: id, imageTag });
    expect(release.deployment).not.toBe(deployment);
    expect(at.made(release)).toEqual(ONE_OF_EACH);
    expect(puts()).toBe(before);
    expect(await site.release(FRONTEND_PRODUCTION)).toBe(commit);
  });

  it('given up half way it says what exists, and its image is not released as if it were new', async () => {
    const { tag } = await at.image('frontend', { labels: { 'sandbox.exit': '1' } });
    const id = await at.release('frontend', tag);
    await at.becomes(id, 'blocked', isBlocked);
    const body = { reason: 'the image itself is broken' };
    expect((await site.ask('POST', `/api/releases/${id}/abandon`, { body })).status).toBe(202);
    const { outcome, failure, deployment, imageTag } = await at.ended(id);
    expect({ outcome, code: failure?.code }).toEqual({ outcome: 'abandoned', code: 'DEPLOYMENT_FAILED' });
    expect(failure?.message).toContain(body.reason);
    expect(failure?.exists).toEqual([`image tag openverse-frontend:${imageTag}`, `deployment ${deployment}`]);
    expect(Object.keys(await at.digests('frontend', imageTag))).toHaveLength(1);
    const again = await at.ask('frontend', tag);
    expect({ status: again.status, details: again.body.error?.details }).toEqual({
      status: 409,
      details: { id },
    });
  });

  it('a rollback for now stops what runs; what waited ends superseded', async () => {
    const live = await site.release(FRONTEND_PRODUCTION);
    freeze(FRONTEND_PRODUCTION, true);
    const running = await site.deploy(FRONTEND_PRODUCTION, { tag: site.images('frontend') });
    await site.watched(running);
    const waiting = await site.deploy(FRONTEND_PRODUCTION, { tag: site.images('frontend') });
    const rollback = await at.rollBack(FRONTEND_PRODUCTION, { tag: FIRST_TAG, now: true });
    const superseded = await site.ended(waiting);
    expect(superseded).toMatchObject({ outcome: 'superseded', supersededBy: rollback });
    freeze(FRONTEND_PRODUCTION, false);
    expect((await site.ended(running)).outcome).toBe('stopped');
    expect(await site.ended(rollback)).toMatchObject({ outcome: 'succeeded', verified: true });
    expect(await site.release(FRONTEND_PRODUCTION)).toBe(FIRST_TAG);
    // Left was what had been live all the time; what was stopped was never live.
    expect((await at.marks(FRONTEND_PRODUCTION)).map(({ release }) => release)).toContain(live);
  });
});

describe('no secret', { timeout: 120_000 }, () => {
  const seen = { histories: '', answers: '', logs: '', elsewhere: '' };
  const secrets = [
    ...[EMERGENCY_TOKEN, SLACK.token, AWS_KEYS.secret],
    ...Object.values(PEOPLE).map(({ token }) => token),
  ];
  let release: Release;

  beforeAll(async () => {
    const port = await freePort();
    await site.revive('api', {
      ...{ HOST: '127.0.0.1', PORT: String(port), SLUICE_EMERGENCY_TOKEN: EMERGENCY_TOKEN },
    });
    const { tag } = await at.image('ingestion_server');
    const emergency = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/api/releases`, {
        method: 'POST',
        headers: { authorization: `Bearer ${EMERGENCY_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ app: 'ingestion_server', tag }),
      });
    const early = await emergency();
    seen.answers += await early.text();
    expect(early.status).toBe(401);
    await site.github.down();
    const answer = await emergency();
    const text = await answer.text();
    seen.answers += text;
    expect(answer.status, text).toBe(202);
    const { id } = JSON.parse(text) as { id: string };
    await at.becomes(id, 'at GitHub', (one) => stepOf(one) === 'publish');
    await site.github.up();
    release = await at.ended(id);

    for await (const { workflowId, runId } of site.client.workflow.list()) {
      const handle = site.client.workflow.getHandle(workflowId, runId);
      seen.histories += textOf(await handle.fetchHistory());
      seen.elsewhere += textOf((await handle.describe()).raw);
    }
    seen.answers += site.answers.join('\n');
    const logs = join(site.directory, 'logs');
    for (const name of await readdir(logs)) seen.logs += await readFile(join(logs, name), 'utf8');
    seen.elsewhere += JSON.stringify([site.slack.messages(), site.github.effects()]);
  }, 120_000);

  it('the emergency token lets in while GitHub is down, and everyone is told', () => {
    expect(release).toMatchObject({ actor: 'emergency', outcome: 'succeeded' });
    expect(release.warnings.map(({ code }) => code)).toContain('EMERGENCY');
    expect(seen.logs).toContain('SLUICE_EMERGENCY_TOKEN was used');
    expect(at.made(release)).toEqual(ONE_OF_EACH);
  });

  it.each(Object.keys(seen) as (keyof typeof seen)[])('in %s', (place) => {
    expect(seen[place]).toContain(place === 'elsewhere' ? 'api' : release.id);
    expect(secrets.filter((secret) => seen[place].includes(secret))).toEqual([]);
  });
});
