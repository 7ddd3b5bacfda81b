/** A promotion's production deployment asks for all conditions once more when it has its lane's turn. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeploymentRequest, Target } from '../../domain/deployment.js';
import { SIGNAL } from '../../domain/messages.js';
import type { TurnAnswer } from '../../domain/promotion/conditions.js';
import { createLanes } from '../support/lanes.js';
import { request } from '../support/requests.js';
import type { Calls } from '../support/scripted.js';
import { eventually, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let lanes: ReturnType<typeof createLanes>;
const calls: Calls = [];
const acts = { ...script(), promotionTurn: async (_input: object): Promise<TurnAnswer> => answer };
let answer: TurnAnswer;
let target: Target;
let count = 0;

const GO: TurnAnswer = { answer: 'go' };
const LOCKED: TurnAnswer = { answer: 'wait', code: 'LOCKED', message: 'The queue is locked by bob' };

beforeAll(async () => {
  temporal = await connect();
  workers = await scriptedWorkers(temporal, acts, calls);
  lanes = createLanes(temporal.client);
});
afterAll(async () => {
  await workers.stop();
  await temporal.close();
});
beforeEach(() => {
  calls.splice(0);
  count += 1;
  target = { app: `app${count}`, environment: 'production' };
  answer = GO;
});
afterEach(() => Object.assign(acts, script()));

const promotion = (change: Partial<DeploymentRequest> = {}): DeploymentRequest =>
  request({
    ...{
      ...target,
      kind: 'promotion',
      tag: 'a'.repeat(40),
      parent: { type: 'promotion', id: `${target.app}.x` },
    },
    ...change,
  });
const asked = (): number => calls.filter(({ name }) => name === 'promotionTurn').length;

async function waiting(): Promise<DeploymentRequest> {
  answer = LOCKED;
  const one = promotion();
  await lanes.request(one);
  await eventually(async () =>
    expect(await lanes.read(one.id)).toMatchObject({
      ...{
        state: 'queued',
        waitingFor: { code: 'LOCKED', detail: 'The queue is locked by bob', who: 'a maintainer' },
      },
    }),
  );
  await eventually(async () =>
    expect(await lanes.view(target)).toMatchObject({ waiting: [{ id: one.id, ready: false }] }),
  );
  return one;
}

describe('at its turn', () => {
  it('they hold: it goes', async () => {
    const one = promotion();
    await lanes.request(one);
    expect(await lanes.result(one.id)).toMatchObject({ outcome: 'succeeded' });
    expect(calls.find(({ name }) => name === 'promotionTurn')?.input).toEqual({
      ...{ app: target.app, deployment: one.id },
    });
    const names = calls.map(({ name }) => name);
    expect(names.indexOf('promotionTurn')).toBeLessThan(names.indexOf('validate'));
  });

  it('they do not: rejected with that code, and nothing was written', async () => {
    answer = { answer: 'reject', code: 'STAGING_MOVED', message: 'Staging runs something else' };
    const one = promotion();
    await lanes.request(one);
    const ended = await lanes.result(one.id);
    expect(ended).toMatchObject({
      outcome: 'rejected',
      failure: { step: 'validate', code: 'STAGING_MOVED', message: 'Staging runs something else' },
    });
    expect(ended).not.toHaveProperty('startedAt');
    expect(calls.map(({ name }) => name)).not.toContain('register');
    const next = request(target);
    await lanes.request(next);
    expect(await lanes.result(next.id)).toMatchObject({ outcome: 'succeeded' });
  });

  it.each([
    ['its staging deployment', { environment: 'staging', kind: 'deploy' }],
    ['a release of the same app', { kind: 'release', parent: { type: 'release', id: 'r' } }],
  ] as const)('nothing is asked for %s', async (_words, change) => {
    const one = promotion(change);
    await lanes.request(one);
    expect(await lanes.result(one.id)).toMatchObject({ outcome: 'succeeded' });
    expect(asked()).toBe(0);
  });
});

describe('they may hold later', () => {
  it('it gives the turn back, another one goes first; woken, it looks again and goes', async () => {
    const one = await waiting();
    const other = request(target);
    await lanes.request(other);
    expect(await lanes.result(other.id)).toMatchObject({ outcome: 'succeeded' });
    const before = await lanes.read(one.id);
    await lanes.handle(one.id).signal(SIGNAL.look);
    await eventually(() => expect(asked()).toBe(2));
    await eventually(async () =>
      expect((await lanes.view(target)).waiting).toMatchObject([{ ready: false }]),
    );
    expect((await lanes.read(one.id)).waitingFor?.since).toBe(before.waitingFor?.since);
    answer = GO;
    await lanes.handle(one.id).signal(SIGNAL.look);
    const ended = await lanes.result(one.id);
    expect(ended).toMatchObject({ outcome: 'succeeded' });
    expect(ended).not.toHaveProperty('waitingFor');
    expect(asked()).toBe(3);
  });

  it('it looks again by itself', async () => {
    const one = await waiting();
    answer = GO;
    expect(await lanes.result(one.id)).toMatchObject({ outcome: 'succeeded' });
    expect(asked()).toBe(2);
  });

  it('a rollback takes its place', async () => {
    const one = await waiting();
    const back = request({ ...target, kind: 'rollback', supersedes: true });
    await lanes.request(back);
    expect(await lanes.result(one.id)).toMatchObject({ outcome: 'superseded', supersededBy: back.id });
    expect(await lanes.result(back.id)).toMatchObject({ outcome: 'succeeded' });
  });

  it('a person stops it', async () => {
    const one = await waiting();
    await lanes.stop(one.id);
    expect(await lanes.result(one.id)).toMatchObject({
      ...{
        outcome: 'stopped',
        failure: { message: expect.stringContaining('nothing was changed') as string },
      },
    });
    await eventually(async () => expect((await lanes.view(target)).waiting).toEqual([]));
  });
});
