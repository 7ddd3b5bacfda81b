/** A person's stop, in every step: what runs is finished, what was begun is taken back, nothing else is sent. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeploymentView } from '../../domain/view.js';
import type { Ledger, Site } from './site.js';
import { API_STAGING, FRONTEND_STAGING, openSite, refOf, START_MS, until } from './site.js';

let site: Site;
let ledger: () => Ledger;
let before: string | undefined;
const LANE = API_STAGING;

beforeAll(async () => {
  site = await openSite();
  await site.calm(LANE);
  // What Sluice goes back to is what Sluice deployed.
  await site.ended(await site.deploy(LANE, { tag: site.images('api') }));
}, START_MS);
afterAll(() => site?.close());
beforeEach(async () => {
  await site.calm(LANE);
  before = site.aws.standing(refOf(LANE)).revision;
  ledger = site.ledger(LANE);
  site.aws.resetCalls();
});
afterEach(() => {
  site.aws.clearFaults();
  freeze(false);
});

const freeze = (frozen: boolean, lane = LANE): void =>
  void site.aws.behave({ ...refOf(lane), behaviour: { frozen } });
const good = (): Promise<string> => site.deploy(LANE, { tag: site.images('api') });

/** Stopped, said by whom; the service as before. */
async function stopped(id: string, step: string): Promise<DeploymentView> {
  const view = await site.ended(id);
  expect(view).toMatchObject({ outcome: 'stopped', failure: { step, code: 'STOPPED' } });
  expect(view.failure?.message).toContain('alice');
  await site.calm(LANE);
  expect(site.aws.standing(refOf(LANE)).revision).toBe(before);
  return view;
}

const nothingWritten = (): void => expect(ledger()).toEqual({ registered: [], began: [], history: [] });

describe('before anything is written', { timeout: 60_000 }, () => {
  it('queued behind another', async () => {
    freeze(true);
    const first = await good();
    await site.watched(first);
    const id = await good();
    const { position, waitingFor } = await site.becomes(id, 'queued', ({ state }) => state === 'queued');
    expect({ position, code: waitingFor?.code }).toEqual({ position: 1, code: 'LANE_BUSY' });
    await site.stopIt(id);
    const { startedAt, outcome } = await site.ended(id);
    expect({ startedAt, outcome }).toEqual({ startedAt: undefined, outcome: 'stopped' });
    freeze(false);
    const { outcome: others, revision } = await site.ended(first);
    expect(others).toBe('succeeded');
    expect(ledger()).toMatchObject({ registered: [revision], began: ['UpdateService'] });
  });

  it('building: the build is given up', async () => {
    site.aws.fault({ operation: 'registry:PutManifest', kind: 'hold-after' });
    const held = site.struck('registry:PutManifest');
    const id = await site.deploy(LANE, { commit: site.sample.commits.good[0] ?? '' });
    await held;
    await site.stopIt(id);
    await stopped(id, 'build');
    nothingWritten();
    const build = `build/api/${site.sample.commits.good[0]}`;
    await until('the build has ended', async () => {
      const { status } = await site.client.workflow.getHandle(build).describe();
      return status.name === 'COMPLETED';
    });
  });

  it.each([
    ['validate', 'ecr:BatchGetImage'],
    ['look', 'ecs:DescribeServices'],
  ])('%s', async (step, operation) => {
    site.aws.fault({ operation, kind: 'delay', delayMs: 6_000 });
    const id = await good();
    await site.becomes(id, `at ${step}`, (view) => view.step === step);
    await site.stopIt(id);
    const from = Date.now();
    await stopped(id, step);
    expect(Date.now() - from).toBeLessThan(5_000);
    nothingWritten();
  });

  it('register: it finishes, and is not updated to', async () => {
    const operation = 'ecs:RegisterTaskDefinition';
    site.aws.fault({ operation, kind: 'hold-after', delayMs: 1_500, times: 1 });
    const held = site.struck(operation);
    const id = await good();
    await held;
    await site.stopIt(id);
    const { revision } = await stopped(id, 'register');
    expect(ledger()).toEqual({ registered: [revision], began: [], history: [] });
    expect(site.aws.calls({ operation: 'ecs:UpdateService' })).toEqual([]);
  });
});

describe('after the update: back to what ran before', { timeout: 60_000 }, () => {
  it('update: it finishes first', async () => {
    const operation = 'ecs:UpdateService';
    site.aws.fault({ operation, kind: 'hold-after', delayMs: 1_500, times: 1 });
    const held = site.struck(operation);
    freeze(true);
    const id = await good();
    await held;
    await site.stopIt(id);
    await until('it goes back', () => ledger().began.length === 2);
    freeze(false);
    // It stands where it goes on: the update has been made.
    await stopped(id, 'stabilise');
    expect(ledger().began).toEqual(['UpdateService', 'StopServiceDeployment']);
  });

  it('stabilise', async () => {
    freeze(true);
    const id = await good();
    await site.watched(id);
    await site.stopIt(id, 'the wrong one');
    await until('it goes back', () => ledger().began.length === 2);
    freeze(false);
    const { failure, dossier } = await stopped(id, 'stabilise');
    expect(failure?.message).toContain('the wrong one');
    expect(dossier?.now).toContain('PRIMARY');
    expect(ledger().began).toEqual(['UpdateService', 'StopServiceDeployment']);
    expect(ledger().registered).toHaveLength(1);
  });

  it('stabilise, at a service without service deployments: by UpdateService', async () => {
    const lane = FRONTEND_STAGING;
    site.aws.behave({ ...refOf(lane), behaviour: { serviceDeployments: false, frozen: true } });
    const was = site.aws.standing(refOf(lane)).revision;
    const of = site.ledger(lane);
    const id = await site.deploy(lane, { tag: site.images('frontend') });
    await site.watched(id);
    await site.stopIt(id);
    await until('it goes back', () => of().began.length === 2);
    freeze(false, lane);
    expect((await site.ended(id)).outcome).toBe('stopped');
    expect(of().history).toMatchObject([{ by: 'UpdateService' }, { by: 'UpdateService', revision: was }]);
    expect(of().registered).toHaveLength(1);
  });

  it('verify: what had won is taken back', async () => {
    const tag = site.images('api', { labels: { 'sandbox.release': 'another' } });
    const id = await site.deploy(LANE, { tag });
    await site.becomes(id, 'at verify', ({ step }) => step === 'verify');
    await site.stopIt(id);
    await stopped(id, 'verify');
    expect(ledger().history).toMatchObject([
      { by: 'UpdateService' },
      { by: 'UpdateService', revision: before },
    ]);
    expect(ledger().registered).toHaveLength(1);
  });

  it('ECS rolls back already: nothing is sent', async () => {
    const tag = site.images('api', { labels: { 'sandbox.exit': '1' } });
    const id = await site.deploy(LANE, { tag });
    await until('ECS rolls back', () => ledger().began.at(-1) === 'breaker' && (freeze(true), true));
    await site.stopIt(id);
    await until('it has looked', () => site.completed(id, 'goBack'));
    freeze(false);
    await stopped(id, 'stabilise');
    expect(ledger().began).toEqual(['UpdateService', 'breaker']);
    expect(site.aws.calls({ operation: 'ecs:StopServiceDeployment' })).toEqual([]);
  });
});
