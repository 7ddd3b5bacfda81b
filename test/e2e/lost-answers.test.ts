/**
 * Rule 2 where the network fails instead of the worker: what was done at AWS is found again and not done
 * twice. And an AWS that throttles, fails or loses reads only makes a deployment slower.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultInput } from '../../sandbox/aws/index.js';
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
  site = await openSite();
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());
afterEach(() => site.aws.clearFaults());

async function succeedsOnce(lane: Lane): Promise<void> {
  const ledger = site.ledger(lane);
  const tag = site.images(lane.app);
  const { outcome, verified, revision, failure } = await site.ended(await site.deploy(lane, { tag }));
  expect({ outcome, verified, failure }).toEqual({
    outcome: 'succeeded',
    verified: true,
    failure: undefined,
  });
  const { registered, history } = ledger();
  expect(registered).toEqual([revision]);
  expect(history).toMatchObject([{ by: 'UpdateService', revision }]);
  expect(await site.release(lane)).toBe(tag);
}

describe('an answer is lost after the effect', { timeout: 90_000 }, () => {
  it.each([
    ['RegisterTaskDefinition', API_STAGING],
    ['UpdateService', FRONTEND_STAGING],
  ] as const)('of %s: it is found again', async (name, lane) => {
    const operation = `ecs:${name}`;
    site.aws.resetCalls();
    site.aws.fault({ operation, kind: 'lose-after', times: 1 });
    await succeedsOnce(lane);
    expect(site.aws.calls({ operation })).toMatchObject([{ effect: true, fault: 'lose-after' }]);
  });

  it('of StopServiceDeployment: ECS goes back once', async () => {
    const lane = API_PRODUCTION;
    const { revision: before } = site.aws.standing(refOf(lane));
    const ledger = site.ledger(lane);
    site.aws.behave({ ...refOf(lane), behaviour: { frozen: true } });
    const id = await site.deploy(lane, { tag: site.images(lane.app) });
    await site.watched(id);
    site.aws.resetCalls();
    const operation = 'ecs:StopServiceDeployment';
    site.aws.fault({ operation, kind: 'lose-after', times: 1 });
    await site.stopIt(id);
    await until('StopServiceDeployment', () => site.aws.calls({ operation }).length > 0);
    site.aws.behave({ ...refOf(lane), behaviour: { frozen: false } });
    expect((await site.ended(id)).outcome).toBe('stopped');
    expect(site.aws.calls({ operation })).toMatchObject([{ effect: true, fault: 'lose-after' }]);
    expect(ledger().began).toEqual(['UpdateService', 'StopServiceDeployment']);
    expect(site.aws.standing(refOf(lane)).revision).toBe(before);
  });
});

describe('an AWS that is not well', { timeout: 90_000 }, () => {
  const every = (operation: string, kind: FaultInput['kind'], n: number, times?: number): FaultInput => ({
    ...{ operation, kind, every: n },
    ...(times ? { times } : {}),
  });

  it.each([
    ['every third call to ECS is throttled', API_STAGING, [every('ecs:*', 'throttle', 3)]],
    ['every third call to AWS is throttled', FRONTEND_STAGING, [every('*', 'throttle', 3)]],
    // What may have been done is looked for with as many calls as before: in step with the fault, it would strike
    // the same write for ever. So these end.
    ['every third call to AWS is answered 500', API_PRODUCTION, [every('*', 'error', 3, 15)]],
    ['every third answer of ECS is lost', FRONTEND_PRODUCTION, [every('ecs:*', 'lose-after', 3, 15)]],
    [
      'every second read of the service is lost, and every third of its tasks',
      API_STAGING,
      [
        every('ecs:DescribeServices', 'lose-before', 2),
        every('ecs:ListTasks', 'lose-after', 3),
        every('ecs:DescribeTasks', 'lose-before', 3),
      ],
    ],
  ] as const)('%s', async (_name, lane, faults) => {
    for (const fault of faults) site.aws.fault(fault);
    await succeedsOnce(lane);
    expect(site.aws.faults().every(({ struck }) => struck > 0)).toBe(true);
  });
});
