/**
 * Rules 2 and 10: workers die with SIGKILL between an effect and its record, and each deployment ends as it
 * would have. The moment is exact: the stand-in has done what was asked and withholds the answer until
 * whoever asked is dead. What was done is counted there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentWorkflowId } from '../../domain/ids.js';
import type { Ledger, Site } from './site.js';
import {
  API_PRODUCTION,
  API_STAGING,
  FRONTEND_PRODUCTION,
  FRONTEND_STAGING,
  LANES,
  openSite,
  refOf,
  START_MS,
  until,
} from './site.js';

let site: Site;

beforeAll(async () => {
  site = await openSite();
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());

/** Holds the next answer to an operation, and says when it is held. */
function hold(operation: string, times = 1): Promise<unknown> {
  site.aws.fault({ operation, kind: 'hold-after', times });
  return site.struck(operation);
}

describe('one SIGKILL of all workers, and new ones', { timeout: 120_000 }, () => {
  let ids: Record<'pushed' | 'registered' | 'updated' | 'watched', string>;
  let ledgers: Record<keyof typeof ids, () => Ledger>;
  let pushedFirst: string | undefined;
  const commit = (): string => site.sample.commits.good.at(-1) ?? '';

  beforeAll(async () => {
    ledgers = {
      pushed: site.ledger(API_STAGING),
      registered: site.ledger(FRONTEND_STAGING),
      updated: site.ledger(FRONTEND_PRODUCTION),
      watched: site.ledger(API_PRODUCTION),
    };
    site.aws.behave({ ...refOf(API_PRODUCTION), behaviour: { frozen: true } });
    const watched = await site.deploy(API_PRODUCTION, { tag: site.images('api') });
    await site.watched(watched);

    const updateHeld = hold('ecs:UpdateService');
    const updated = await site.deploy(FRONTEND_PRODUCTION, { tag: site.images('frontend') });
    await updateHeld;
    const registerHeld = hold('ecs:RegisterTaskDefinition');
    const registered = await site.deploy(FRONTEND_STAGING, { tag: site.images('frontend') });
    await registerHeld;
    const pushHeld = site.struck('registry:PutManifest');
    site.aws.fault({ operation: 'registry:PutManifest', kind: 'hold-after', times: 2 });
    const pushed = await site.deploy(API_STAGING, { commit: commit() });
    pushedFirst = (await pushHeld)[0]?.resource;

    await Promise.all([site.kill('worker'), site.kill('build-worker')]);
    ids = { pushed, registered, updated, watched };
    site.aws.clearFaults();
    await Promise.all([site.revive('worker'), site.revive('build-worker')]);
    site.aws.behave({ ...refOf(API_PRODUCTION), behaviour: { frozen: false } });
  }, 120_000);

  const once = (ledger: Ledger, revision: string | undefined): void => {
    expect(ledger.registered).toEqual([revision]);
    expect(ledger.history).toMatchObject([{ by: 'UpdateService', revision }]);
  };

  it('after a push: what was pushed is kept, the rest is built, and it is deployed once', async () => {
    const { outcome, verified, revision } = await site.ended(ids.pushed);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    once(ledgers.pushed(), revision);
    expect(await site.release(API_STAGING)).toBe(commit());
    const pushes = site.aws.calls({ operation: 'registry:PutManifest' });
    expect(
      pushes.filter(({ resource }) => resource === pushedFirst),
      JSON.stringify(pushes),
    ).toHaveLength(1);
  });

  it('after RegisterTaskDefinition: one revision (trap 6)', async () => {
    const { outcome, verified, revision } = await site.ended(ids.registered);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    once(ledgers.registered(), revision);
  });

  it('after UpdateService: one update', async () => {
    const { outcome, verified, revision } = await site.ended(ids.updated);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    once(ledgers.updated(), revision);
  });

  it('in the middle of the watch: it goes on where it stood, each event shown once', async () => {
    const { outcome, verified, revision, rollout } = await site.ended(ids.watched);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    once(ledgers.watched(), revision);
    const events = rollout?.events.map(({ at, message }) => `${at} ${message}`) ?? [];
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events).size).toBe(events.length);
  });
});

describe('ECS rolls back while no worker runs', { timeout: 120_000 }, () => {
  let seen: string;
  let unanswered: string;
  let ledgers: { seen: () => Ledger; unanswered: () => Ledger };
  const broken = (): string => site.images('frontend', { labels: { 'sandbox.exit': '1' } });
  const rolledBack = (ledger: () => Ledger, lane: typeof FRONTEND_STAGING): Promise<unknown> =>
    until(
      'ECS has rolled back',
      () => ledger().began.includes('breaker') && site.aws.standing(refOf(lane)).stableAt,
    );

  beforeAll(async () => {
    ledgers = { seen: site.ledger(FRONTEND_STAGING), unanswered: site.ledger(FRONTEND_PRODUCTION) };
    site.aws.behave({ ...refOf(FRONTEND_STAGING), behaviour: { frozen: true } });
    seen = await site.deploy(FRONTEND_STAGING, { tag: broken() });
    await site.watched(seen);
    const held = hold('ecs:UpdateService');
    site.aws.behave({ ...refOf(FRONTEND_PRODUCTION), behaviour: { frozen: true } });
    unanswered = await site.deploy(FRONTEND_PRODUCTION, { tag: broken() });
    await held;
    await site.kill('worker');
    site.aws.clearFaults();
    for (const lane of [FRONTEND_STAGING, FRONTEND_PRODUCTION]) {
      site.aws.behave({ ...refOf(lane), behaviour: { frozen: false } });
    }
    await rolledBack(ledgers.seen, FRONTEND_STAGING);
    await rolledBack(ledgers.unanswered, FRONTEND_PRODUCTION);
    await site.revive('worker');
  }, 120_000);

  it.each(['seen', 'unanswered'] as const)(
    'the update was %s: rolled-back, nothing sent again (trap 1)',
    async (which) => {
      const { outcome, failure, revision, dossier } = await site.ended({ seen, unanswered }[which]);
      expect({ outcome, code: failure?.code }).toEqual({ outcome: 'rolled-back', code: 'ROLLED_BACK' });
      const ledger = ledgers[which]();
      expect(ledger.registered).toEqual([revision]);
      expect(ledger.began).toEqual(['UpdateService', 'breaker']);
      expect(dossier?.stoppedTasks[0]?.exitCodes).toEqual({ nuxt: 1 });
    },
  );
});

it('SIGTERM in the middle of the watch hands over to another worker at once', async () => {
  const ledger = site.ledger(API_PRODUCTION);
  site.aws.behave({ ...refOf(API_PRODUCTION), behaviour: { frozen: true } });
  const id = await site.deploy(API_PRODUCTION, { tag: site.images('api') });
  await site.watched(id);
  const { worker } = site.newest;
  await site.revive('worker');
  await worker.stop();
  site.aws.behave({ ...refOf(API_PRODUCTION), behaviour: { frozen: false } });
  const { outcome, revision, rollout } = await site.ended(id);
  expect(outcome).toBe('succeeded');
  // It was told of, not missed: no heartbeat had to fail to come.
  const { events } = await site.client.workflow.getHandle(deploymentWorkflowId(id)).fetchHistory();
  const again = (events ?? []).flatMap(
    ({ activityTaskStartedEventAttributes: one }) => one?.lastFailure ?? [],
  );
  expect(again.length).toBeGreaterThan(0);
  expect(again.filter(({ timeoutFailureInfo }) => timeoutFailureInfo)).toEqual([]);
  expect(ledger()).toMatchObject({ registered: [revision], began: ['UpdateService'] });
  expect(rollout?.running).toBe(2);
}, 60_000);
