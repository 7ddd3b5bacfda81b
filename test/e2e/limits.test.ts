/** Rule 4: a timeout is not a failure. The 15 minutes and the hard limit, configured in seconds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentView } from '../../domain/view.js';
import type { Ledger, Site } from './site.js';
import { API_STAGING, FRONTEND_STAGING, openSite, refOf, START_MS } from './site.js';

let site: Site;

beforeAll(async () => {
  const limits = 'limits:\n  tellAfter: 2s\n  giveUpAfter: 6s\n';
  site = await openSite({ configure: (text) => text.replace('limits:\n', limits) });
  await Promise.all([site.calm(API_STAGING), site.calm(FRONTEND_STAGING)]);
}, START_MS);
afterAll(() => site?.close());

const isSlow = ({ warnings }: DeploymentView): boolean => warnings.some(({ code }) => code === 'SLOW');

describe('a rollout that stands still', { timeout: 60_000 }, () => {
  let id: string;
  let slow: DeploymentView;
  let ledger: () => Ledger;

  beforeAll(async () => {
    ledger = site.ledger(API_STAGING);
    site.aws.behave({ ...refOf(API_STAGING), behaviour: { frozen: true } });
    id = await site.deploy(API_STAGING, { tag: site.images('api') });
    slow = await site.becomes(id, 'slow', (view) => isSlow(view) && view.step === 'stabilise');
  }, 60_000);

  it('past tellAfter: people are told, and the work goes on', () => {
    expect(slow.warnings.find(({ code }) => code === 'SLOW')?.message).toContain('2 seconds');
    expect(slow).toMatchObject({ state: 'running', step: 'stabilise' });
  });

  it('past giveUpAfter: timed-out, saying what ECS does now, from a fresh read (trap 2)', async () => {
    const { outcome, failure, dossier, startedAt, finishedAt, steps } = await site.ended(id);
    expect({ outcome, step: failure?.step, code: failure?.code }).toEqual({
      ...{ outcome: 'timed-out', step: 'stabilise', code: 'TIMED_OUT' },
    });
    expect(failure?.message).toMatch(
      /PRIMARY is staging-api:\d+ \(IN_PROGRESS.*0 of 2 running.*2 of staging-api:\d+/,
    );
    expect(dossier?.now).toContain('PRIMARY');
    const took = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
    expect(took).toBeGreaterThan(6_000);
    expect(steps.find(({ name }) => name === 'stabilise')?.state).toBe('failed');
    // Left as it is: it is ECS's now, and nobody was asked.
    expect(ledger().began).toEqual(['UpdateService']);
  });

  it('one that settles after tellAfter succeeds, and keeps the warning', async () => {
    site.aws.behave({ ...refOf(FRONTEND_STAGING), behaviour: { frozen: true } });
    const one = await site.deploy(FRONTEND_STAGING, { tag: site.images('frontend') });
    await site.becomes(one, 'slow', isSlow);
    site.aws.behave({ ...refOf(FRONTEND_STAGING), behaviour: { frozen: false } });
    const { outcome, verified, warnings } = await site.ended(one);
    expect({ outcome, verified }).toEqual({ outcome: 'succeeded', verified: true });
    expect(warnings.map(({ code }) => code)).toContain('SLOW');
  });

  it('told early, before the rollout: the warning stays too', async () => {
    site.aws.fault({ operation: 'ecr:BatchGetImage', kind: 'delay', delayMs: 3_000, times: 1 });
    const { outcome, warnings } = await site.ended(
      await site.deploy(FRONTEND_STAGING, { tag: site.images('frontend') }),
    );
    expect(outcome).toBe('succeeded');
    expect(warnings.filter(({ code }) => code === 'SLOW')).toHaveLength(1);
  });
});
