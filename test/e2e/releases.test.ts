/**
 * What people do to releases on the real stack: ask twice, mend, give up, go back now; and the emergency token, which
 * like every other one is found nowhere afterwards (rule 7).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Release } from '../../domain/release/release.js';
import { freePort } from '../../sandbox/ports.js';
import { AWS_KEYS, FIRST_TAG, PEOPLE, SLACK } from '../../sandbox/settings.js';
import type { Releases } from './releases-at.js';
import { ONE_OF_EACH, releasesAt, stepOf } from './releases-at.js';
import type { Site } from './site.js';
import { FRONTEND_PRODUCTION, openSite, refOf, START_MS } from './site.js';
import { textOf } from './texts.js';

const EMERGENCY_TOKEN = 'sandboxEmergencyToken-7d1c0f5e9a3b';

let site: Site;
let at: Releases;

beforeAll(async () => {
  site = await openSite();
  at = releasesAt(site);
  await site.calm(FRONTEND_PRODUCTION);
}, START_MS);
afterAll(async () => {
  at?.close();
  await site?.close();
});

const freeze = (frozen: boolean): void =>
  void site.aws.behave({ ...refOf(FRONTEND_PRODUCTION), behaviour: { frozen } });
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
    freeze(true);
    const running = await site.deploy(FRONTEND_PRODUCTION, { tag: site.images('frontend') });
    await site.watched(running);
    const waiting = await site.deploy(FRONTEND_PRODUCTION, { tag: site.images('frontend') });
    const rollback = await at.rollBack(FRONTEND_PRODUCTION, { tag: FIRST_TAG, now: true });
    const superseded = await site.ended(waiting);
    expect(superseded).toMatchObject({ outcome: 'superseded', supersededBy: rollback });
    freeze(false);
    expect((await site.ended(running)).outcome).toBe('stopped');
    expect(await site.ended(rollback)).toMatchObject({ outcome: 'succeeded', verified: true });
    expect(await site.release(FRONTEND_PRODUCTION)).toBe(site.sample.commits.first);
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
    expect(seen[place]).toContain(release.id);
    expect(secrets.filter((secret) => seen[place].includes(secret))).toEqual([]);
  });
});
