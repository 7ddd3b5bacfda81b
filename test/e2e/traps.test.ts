/**
 * The traps that others fell into, as far as one deployment can; those of a queue: promotion-traps.test.ts.
 *
 * | trap | is tested in |
 * |---|---|
 * | 1 a rollback by the breaker reads as success | here; crash.test.ts, while no worker runs |
 * | 2 a timeout reads as failure while ECS goes on | limits.test.ts |
 * | 3 somebody deploys over us | turns.test.ts |
 * | 4 the way back is a revision that failed | here |
 * | 5 cleaning up deregisters what runs | here |
 * | 6 a worker dies between register and update | crash.test.ts |
 * | 11 throttled reads of tasks make a healthy rollout look stuck | here |
 * | 14 more than 100 events between two reads | here |
 * | 15 the desired count changes, or is 0 | here |
 * | 16 the service is inactive, or gone | here |
 */
import { DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lane, Site } from './site.js';
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
  site = await openSite({ configure: (text) => text.replace('verify: 20s', 'verify: 3s') });
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());
afterEach(() => {
  site.aws.clearFaults();
  for (const lane of LANES) if (site.aws.standing(refOf(lane))) freeze(lane, false);
});

const freeze = (lane: Lane, frozen: boolean): void =>
  void site.aws.behave({ ...refOf(lane), behaviour: { frozen } });
const broken = { labels: { 'sandbox.exit': '1' } };

/** In the middle of its rollout, which stands still until `freeze(lane, false)`. */
async function inTheMiddle(lane: Lane): Promise<string> {
  freeze(lane, true);
  const id = await site.deploy(lane, { tag: site.images(lane.app) });
  await site.watched(id);
  return id;
}

describe('traps', { timeout: 60_000 }, () => {
  it('trap 1: a rollback by the breaker is no success, though the service is stable', async () => {
    const lane = API_STAGING;
    const first = await site.ended(await site.deploy(lane, { tag: site.images('api') }));
    const ledger = site.ledger(lane);
    const { outcome, failure, dossier } = await site.ended(
      await site.deploy(lane, { tag: site.images('api', broken) }),
    );
    expect({ outcome, code: failure?.code }).toEqual({ outcome: 'rolled-back', code: 'ROLLED_BACK' });
    await site.calm(lane);
    expect(site.aws.standing(refOf(lane)).revision).toBe(first.revision);
    expect(await site.release(lane)).toBe(first.release);
    expect(ledger().registered).toHaveLength(1);
    expect(dossier?.stoppedTasks[0]).toMatchObject({ exitCodes: { django: 1 } });
  });

  it('trap 4: the way back is the last revision that was COMPLETED, not the one before, which failed', async () => {
    const lane = FRONTEND_PRODUCTION;
    // A breaker without rollback leaves what failed as PRIMARY.
    site.aws.removeService({ ...refOf(lane), how: 'gone' });
    site.aws.service({ ...refOf(lane), taskDefinition: refOf(lane).service, breaker: 'stop' });
    await site.calm(lane);
    const good = await site.ended(await site.deploy(lane, { tag: site.images('frontend') }));
    expect(good.warnings.map(({ code }) => code)).toContain('NO_ROLLBACK');
    const failed = await site.ended(await site.deploy(lane, { tag: site.images('frontend', broken) }));
    expect({ outcome: failed.outcome, code: failed.failure?.code }).toEqual({
      outcome: 'failed',
      code: 'TASKS_FAILED',
    });
    expect(site.aws.standing(refOf(lane)).revision).toBe(failed.revision);

    const ledger = site.ledger(lane);
    const id = await inTheMiddle(lane);
    await site.stopIt(id);
    await until('it goes back', () => ledger().began.length === 2);
    freeze(lane, false);
    expect((await site.ended(id)).outcome).toBe('stopped');
    await site.calm(lane);
    expect(site.aws.standing(refOf(lane)).revision).toBe(good.revision);
  });

  it('trap 11: throttled reads of tasks make nothing look stuck', async () => {
    const lane = API_PRODUCTION;
    const id = await inTheMiddle(lane);
    for (const operation of ['ecs:ListTasks', 'ecs:DescribeTasks'])
      site.aws.fault({ operation, kind: 'throttle' });
    freeze(lane, false);
    const { outcome, verified, steps } = await site.ended(id);
    // The digests could not be read to the end of the limit: said, and never counted as verified.
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: false });
    expect(steps.at(-1)?.detail).toContain('running digests unknown');
    expect(steps.at(-1)?.detail).toContain('the version endpoint reports');
  });

  it('trap 14: more than 100 events between two reads: each is shown once, the newest stay', async () => {
    const lane = FRONTEND_STAGING;
    const id = await inTheMiddle(lane);
    site.aws.emitEvents({ ...refOf(lane), count: 150, message: 'is noisy', copies: 2 });
    const shown = ({ rollout }: { rollout?: { events: { message: string }[] } }): string[] =>
      rollout?.events.map(({ message }) => message).filter((message) => message.includes('is noisy')) ?? [];
    const view = await site.becomes(id, 'told of them', (one) => shown(one).length > 0);
    expect(shown(view).length).toBeGreaterThan(30);
    expect(new Set(shown(view)).size).toBe(shown(view).length);
    expect(shown(view).at(-1)).toContain('is noisy 150');
    freeze(lane, false);
    const { outcome, verified, rollout } = await site.ended(id);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    expect(rollout?.events.length).toBeLessThanOrEqual(50);
  });

  it('trap 15: a desired count that changes during the rollout is the one that counts', async () => {
    const lane = API_STAGING;
    const id = await inTheMiddle(lane);
    site.aws.scale({ ...refOf(lane), desired: 4 });
    freeze(lane, false);
    const { outcome, verified, rollout } = await site.ended(id);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    expect(rollout).toMatchObject({ desired: 4, running: 4 });
    site.aws.scale({ ...refOf(lane), desired: 2 });
    await site.calm(lane);
  });

  it('trap 15: desired 0 is stable, with nothing to verify', async () => {
    const lane = FRONTEND_STAGING;
    const id = await inTheMiddle(lane);
    site.aws.scale({ ...refOf(lane), desired: 0 });
    freeze(lane, false);
    const { outcome, verified, steps } = await site.ended(id);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: false });
    expect(steps.at(-1)?.detail).toContain('Desired count is 0');
    const next = await site.ended(await site.deploy(lane, { tag: site.images('frontend') }));
    expect({ outcome: next.outcome, verified: next.verified }).toEqual({
      outcome: 'succeeded',
      verified: false,
    });
  });

  it('trap 5: nothing that was registered is ever deregistered', async () => {
    expect(Object.keys(site.aws.counts()).filter((name) => /Deregister|DeleteTaskDef/.test(name))).toEqual(
      [],
    );
    for (const lane of LANES) {
      for (const taskDefinition of site.aws.revisions({ family: refOf(lane).service })) {
        const answer = await site.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
        expect(answer.taskDefinition?.status).toBe('ACTIVE');
      }
    }
  });

  it('trap 16: a service that is deleted during the rollout', async () => {
    const lane = API_PRODUCTION;
    const id = await inTheMiddle(lane);
    site.aws.removeService({ ...refOf(lane), how: 'inactive' });
    expect(await site.ended(id)).toMatchObject({
      ...{ outcome: 'failed', failure: { step: 'stabilise', code: 'SERVICE_GONE' } },
    });
  });

  it('trap 16: a service that is not there', async () => {
    const lane = FRONTEND_STAGING;
    site.aws.removeService({ ...refOf(lane), how: 'gone' });
    const id = await site.deploy(lane, { tag: site.images('frontend') });
    expect(await site.ended(id)).toMatchObject({
      ...{ outcome: 'failed', failure: { step: 'look', code: 'SERVICE_GONE' } },
    });
    expect(site.aws.counts()['ecs:CreateService']).toBeUndefined();
    site.aws.service({ ...refOf(lane), taskDefinition: refOf(lane).service });
  });
});
