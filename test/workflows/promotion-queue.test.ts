/** The promotion queue with the tests, deployments and lanes that belong to it, on a real server. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deploymentWorkflowId, testsWorkflowId } from '../../domain/ids.js';
import type { Lock } from '../../domain/messages.js';
import { SIGNAL } from '../../domain/messages.js';
import { createLanes } from '../support/lanes.js';
import { LIVE, MERGES, moveTo, promotionWorlds } from '../support/promotion-world.js';
import type { QueueAt } from '../support/promotion-world.js';
import { eventually } from '../support/scripted.js';
import { request } from '../support/requests.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

const [A, B, C] = MERGES;
const EVERY = { policy: { queue: 'every-merge', approval: 'required' } } as const;

vi.setConfig({ testTimeout: 180_000 });

let temporal: TestTemporal;
let worlds: Awaited<ReturnType<typeof promotionWorlds>>;
let lanes: ReturnType<typeof createLanes>;

beforeAll(async () => {
  temporal = await connect();
  worlds = await promotionWorlds(temporal);
  lanes = createLanes(temporal.client);
});
afterAll(async () => {
  await worlds.stop();
  await temporal.close();
});

/** @returns the code that it was refused with, or undefined */
async function refusal(asked: Promise<unknown>): Promise<string | null | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
      return error.cause.type;
    throw error;
  }
}

const changes = ({ world }: QueueAt): [string, string][] =>
  world.told.map(({ change, promotion }) => [change, promotion.release]);

describe('the whole road', () => {
  it('merge, staging, tests, the button, production: the very digests; then the next one', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    const ready = await queue.unlocked(A);
    expect(ready.tests).toMatchObject({
      ...{ state: 'passed', url: queue.world.runs[0]?.url },
      attempts: [{ attempt: 1, state: 'passed', others: { other: LIVE }, detail: 'passed' }],
    });
    await queue.merges(B);
    expect(await queue.reaches(B, 'queued', 'PROMOTION_RUNNING')).toBeDefined();
    expect(queue.world.staging.release).toBe(A);
    const answer = await queue.ask('approve', { release: A });
    expect(answer.current).toMatchObject({ stage: 'production', approval: { by: 'bob', release: A } });
    await queue.reaches(A, 'promoted');
    expect(queue.world.production).toMatchObject({ release: A, digests: { image: `sha256:${A}` } });
    await queue.unlocked(B);
    expect(changes(queue).filter(([, release]) => release === A)).toEqual([
      ...[
        ['staging', A],
        ['testing', A],
        ['unlocked', A],
        ['production', A],
        ['ended', A],
      ],
    ]);
    expect(queue.world.dispatched.map(({ marker }) => marker)).toEqual([
      ...[`sluice-${queue.world.app}.${A}-1`, `sluice-${queue.world.app}.${B}-1`],
    ]);
  });

  it('tests that fail are tried again; a broken staging fails; both are retried', async () => {
    const queue = await worlds.open();
    queue.world.conclusions.push('failure', 'failure', 'success');
    await queue.merges(A);
    expect(await queue.reaches(A, 'failed')).toMatchObject({ failure: { code: 'TESTS_FAILED' } });
    await queue.ask('retryPromotion', { release: A });
    const { tests } = await queue.unlocked(A);
    expect(tests?.attempts.map(({ state }) => state)).toEqual(['failed', 'failed', 'passed']);
    await queue.ask('reject', { release: A, reason: 'ugly' });
    queue.world.broken.add('staging');
    await queue.merges(B);
    expect(await queue.reaches(B, 'failed')).toMatchObject({
      ...{ failedStage: 'staging', failure: { code: 'ROLLED_BACK' } },
    });
    queue.world.broken.clear();
    await queue.ask('retryPromotion', { release: B });
    await queue.unlocked(B);
    expect((await queue.find(A))?.stage).toBe('rejected');
  });
});

describe('approve', () => {
  it('under race with a lock: one of them holds, and nothing half-done is left', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('observePromotion');
    const before = queue.count('observePromotion');
    const approved = refusal(queue.ask('approve', { release: A }));
    await eventually(() => expect(queue.count('observePromotion')).toBeGreaterThan(before));
    await queue.ask('lock', { reason: 'conference' });
    queue.world.held.clear();
    expect(await approved).toBe('LOCKED');
    const found = await queue.reaches(A, 'awaiting-approval', 'LOCKED');
    expect(found).not.toHaveProperty('approval');
    expect(found).not.toHaveProperty('production');
    await queue.ask('unlock', {});
    await queue.unlocked(A);
    await queue.ask('approve', { release: A });
    await queue.reaches(A, 'promoted');
  });

  it('is refused with the reason while staging has moved, or the read does not come in time', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('observePromotion');
    expect(await refusal(queue.ask('approve', { release: A }))).toBe('TOO_LATE');
    queue.world.held.clear();
    moveTo(queue.world, 'staging', LIVE);
    expect(await refusal(queue.ask('approve', { release: A }))).toBe('STAGING_MOVED');
    expect((await queue.find(A))?.stage).toBe('awaiting-approval');
  });

  it('twice at once is done once', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    const answers = await Promise.all([1, 2].map(() => refusal(queue.ask('approve', { release: A }))));
    expect(answers.sort()).toEqual(['NOT_UNLOCKED', undefined]);
    await queue.reaches(A, 'promoted');
    expect(queue.world.deployments).toBe(2);
  });

  it('void at the turn: back to the button with the code; the approval is gone', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('promotionTurn');
    await queue.ask('approve', { release: A });
    moveTo(queue.world, 'staging', LIVE);
    queue.world.held.clear();
    const found = await queue.reaches(A, 'awaiting-approval', 'STAGING_MOVED');
    expect(found).not.toHaveProperty('approval');
    expect(await lanes.read(found.production ?? '')).toMatchObject({
      ...{ outcome: 'rejected', failure: { code: 'STAGING_MOVED' } },
    });
    expect(queue.world.production.release).toBe(LIVE);
    await queue.ask('retryPromotion', { release: A });
    await queue.unlocked(A);
  });
});

describe('Idempotency keys', () => {
  it('the same again is answered as before; another body is KEY_REUSED; also in a later run', async () => {
    const queue = await worlds.open({ continueAfterEvents: 30 });
    await queue.merges(A);
    await queue.unlocked(A);
    const { runId } = await queue.handle.describe();
    await queue.ask('approve', { release: A }, { key: 'once' });
    expect(await refusal(queue.ask('approve', { release: A }, { key: 'once' }))).toBeUndefined();
    expect(await refusal(queue.ask('approve', { release: B }, { key: 'once' }))).toBe('KEY_REUSED');
    await queue.reaches(A, 'promoted');
    await queue.merges(B);
    await queue.unlocked(B);
    expect((await queue.handle.describe()).runId).not.toBe(runId);
    const again = await queue.ask('approve', { release: A }, { key: 'once' });
    expect(again.current).toMatchObject({ release: B, stage: 'awaiting-approval' });
    expect(await refusal(queue.ask('reject', { release: A, reason: 'x' }, { key: 'once' }))).toBe(
      'KEY_REUSED',
    );
  });

  it('sent again while the first is looked at: done once, and both are answered', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('observePromotion');
    const before = queue.count('observePromotion');
    const first = queue.ask('approve', { release: A }, { key: 'twice' });
    await eventually(() => expect(queue.count('observePromotion')).toBeGreaterThan(before));
    const second = queue.ask('approve', { release: A }, { key: 'twice' });
    const other = refusal(queue.ask('approve', { release: A, reason: 'other' }, { key: 'twice' }));
    queue.world.held.clear();
    for (const answer of [await first, await second]) {
      expect(answer.current).toMatchObject({ release: A, stage: 'production', approval: { by: 'bob' } });
    }
    expect(await other).toBe('KEY_REUSED');
    await queue.reaches(A, 'promoted');
    expect(queue.world.deployments).toBe(2);
  });

  it('of locking and unlocking: answered as before, in a later run too; another’s lock stays', async () => {
    const queue = await worlds.open({ continueAfterEvents: 30 });
    const lock = () => queue.ask<Lock>('lock', { reason: 'incident' }, { key: 'on' });
    const unlock = () => queue.ask<Lock>('unlock', {}, { key: 'off' });
    const hold = () =>
      queue.ask<Lock>('lock', { reason: 'bad', code: 'PRODUCTION_ROLLED_BACK' }, { key: 'rollback' });
    const held = await lock();
    expect(held).toMatchObject({ reason: 'incident', by: 'bob' });
    const joined = await hold();
    expect(joined.reason).toBe('incident; bad');
    const { runId } = await queue.handle.describe();
    await eventually(async () => {
      await queue.handle.signal(SIGNAL.look);
      expect((await queue.handle.describe()).runId).not.toBe(runId);
    }, 60_000);
    expect(await lock()).toEqual(held);
    expect(await unlock()).toEqual(joined);
    expect(await hold()).toEqual(joined);
    expect(await queue.view()).not.toHaveProperty('lock');
    const other = await queue.ask<Lock>('lock', { reason: 'somebody else’s' });
    const next = await queue.handle.describe();
    await eventually(async () => {
      await queue.handle.signal(SIGNAL.look);
      expect((await queue.handle.describe()).runId).not.toBe(next.runId);
    }, 60_000);
    expect(await unlock()).toEqual(joined);
    expect((await queue.view()).lock).toEqual(other);
    expect(await refusal(queue.ask('lock', { reason: 'another' }, { key: 'on' }))).toBe('KEY_REUSED');
    expect(await refusal(queue.ask('unlock', { reason: 'another' }, { key: 'off' }))).toBe('KEY_REUSED');
  });

  it('of what was refused, as the read came too late, is judged afresh', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('observePromotion');
    expect(await refusal(queue.ask('approve', { release: A }, { key: 'late' }))).toBe('TOO_LATE');
    queue.world.held.clear();
    expect(await refusal(queue.ask('approve', { release: A }, { key: 'late' }))).toBeUndefined();
    await queue.reaches(A, 'promoted');
  });
});

describe('reject', () => {
  it('during staging stops the deployment; the next one goes', async () => {
    const queue = await worlds.open();
    queue.world.held.add('stabilise');
    await queue.merges(A);
    const { staging = '' } = await queue.reaches(A, 'staging');
    await eventually(async () => expect((await lanes.read(staging)).step).toBe('stabilise'));
    await queue.ask('reject', { release: A, reason: 'wrong' });
    queue.world.held.clear();
    expect(await lanes.result(staging)).toMatchObject({
      ...{ outcome: 'stopped', failure: { message: expect.stringContaining('rejected: wrong') as string } },
    });
    await queue.reaches(A, 'rejected');
    await queue.merges(B);
    await queue.unlocked(B);
  });

  it('of what is tested stops its tests', async () => {
    const queue = await worlds.open();
    queue.world.conclusions.push(null);
    await queue.merges(A);
    await queue.reaches(A, 'testing', 'TESTS_RUNNING');
    await eventually(() => expect(queue.count('followTests')).toBe(1));
    await queue.ask('reject', { release: A, reason: 'wrong' });
    const tests = temporal.client.workflow.getHandle(testsWorkflowId(`${queue.world.app}.${A}`, 1));
    await eventually(async () => expect((await tests.describe()).status.name).toBe('CANCELLED'));
    expect((await queue.find(A))?.tests?.state).toBe('inconclusive');
  });
});

describe('who was ended in Temporal', () => {
  it('tests: inconclusive by the watchdog, and tried again', async () => {
    const queue = await worlds.open({ watchdogMs: 300 });
    queue.world.conclusions.push(null);
    await queue.merges(A);
    await queue.reaches(A, 'testing', 'TESTS_RUNNING');
    await eventually(() => expect(queue.count('followTests')).toBe(1));
    await temporal.client.workflow.getHandle(testsWorkflowId(`${queue.world.app}.${A}`, 1)).terminate('x');
    const { tests } = await queue.unlocked(A);
    expect(tests?.attempts.map(({ state }) => state)).toEqual(['inconclusive', 'passed']);
  });

  it('a deployment: failed by the watchdog, and retried', async () => {
    const queue = await worlds.open({ watchdogMs: 300 });
    queue.world.held.add('stabilise');
    await queue.merges(A);
    const { staging = '' } = await queue.reaches(A, 'staging');
    await eventually(async () => expect((await lanes.read(staging)).step).toBe('stabilise'));
    await temporal.client.workflow.getHandle(deploymentWorkflowId(staging)).terminate('break glass');
    queue.world.held.clear();
    expect(await queue.reaches(A, 'failed')).toMatchObject({
      ...{ failedStage: 'staging', failure: { code: 'TERMINATED' } },
    });
    await lanes.lane({ app: queue.world.app, environment: 'staging' }).terminate('its watchdog is slow');
    await queue.ask('retryPromotion', { release: A });
    await queue.unlocked(A);
  });

  it('the queue: started anew it has lock, current, waiting and recent, and nothing is doubled', async () => {
    const queue = await worlds.open({}, EVERY);
    await queue.promote(A);
    await queue.merges(B, C);
    await queue.unlocked(B);
    await queue.ask('lock', { reason: 'conference' });
    await queue.reaches(B, 'awaiting-approval', 'LOCKED');
    const before = await queue.view();
    await queue.handle.terminate('break glass');
    await queue.start();
    const after = await eventually(async () => {
      const view = await queue.view();
      expect(view.current).toBeDefined();
      return view;
    });
    expect(after).toEqual(before);
    await queue.merges(A, B, C);
    await queue.ask('unlock', {});
    await queue.unlocked(B);
    await queue.ask('approve', { release: B });
    await queue.reaches(B, 'promoted');
    await queue.unlocked(C);
    const { waiting, recent } = await queue.view();
    expect(waiting).toEqual([]);
    expect(recent.map(({ release, stage }) => [release, stage])).toEqual([
      [B, 'promoted'],
      [A, 'promoted'],
    ]);
    // Two deployments each of A and B, and one of C.
    expect(queue.world.deployments).toBe(5);
  });

  it.each(['staging', 'testing', 'production'] as const)('the queue, in %s: it goes on', async (stage) => {
    const queue = await worlds.open();
    const hold = { staging: 'staging/stabilise', testing: 'followTests', production: 'production/stabilise' };
    queue.world.held.add(hold[stage]);
    await queue.merges(A);
    if (stage === 'production') {
      await queue.unlocked(A);
      await queue.ask('approve', { release: A });
    }
    await queue.reaches(A, stage);
    await queue.handle.terminate('break glass');
    await queue.start({ watchdogMs: 500 });
    // What ended while it was away told nobody, or a queue that was just starting.
    queue.world.held.clear();
    if (stage !== 'production') {
      await queue.unlocked(A);
      await queue.ask('approve', { release: A });
    }
    await queue.reaches(A, 'promoted');
    expect(queue.world.deployments).toBe(2);
    expect(queue.world.dispatched).toHaveLength(1);
  });
});

describe('continues as new', () => {
  it('in every stage, with promotions waiting: loses and doubles nothing', async () => {
    const queue = await worlds.open({ continueAfterEvents: 12 }, EVERY);
    await queue.merges(C, A);
    await queue.merges(B, A);
    for (const release of [A, B, C]) {
      await queue.merges(A, B, C);
      await queue.unlocked(release);
      await queue.handle.signal(SIGNAL.look);
      await queue.ask('approve', { release }, { key: `approve ${release}` });
      await queue.reaches(release, 'promoted');
    }
    const { waiting, recent } = await queue.view();
    expect(waiting).toEqual([]);
    expect(recent.map(({ release, stage }) => [release, stage])).toEqual([
      [C, 'promoted'],
      [B, 'promoted'],
      [A, 'promoted'],
    ]);
    expect(queue.world.deployments).toBe(6);
    expect(queue.world.dispatched).toHaveLength(3);
    const { seen, keys } = await queue.state();
    expect(seen.map(({ sha }) => sha)).toEqual([A, B, C]);
    expect(keys).toEqual([]);
    expect(await refusal(queue.ask('reject', { release: A, reason: 'x' }, { key: `approve ${A}` }))).toBe(
      'KEY_REUSED',
    );
    const runs = await eventually(async () => {
      let found = 0;
      const query = `WorkflowId = 'promotion/${queue.world.app}' AND ExecutionStatus = 'ContinuedAsNew'`;
      for await (const _one of temporal.client.workflow.list({ query })) found += 1;
      expect(found).toBeGreaterThan(9);
      return found;
    });
    expect(runs).toBeGreaterThan(9);
  });
});

describe('production and its lane', () => {
  const production = (queue: QueueAt) => ({ app: queue.world.app, environment: 'production' });

  it('locked at its turn it gives the turn back: another one goes first; unlocked, it goes', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('promotionTurn');
    await queue.ask('approve', { release: A });
    await queue.ask('lock', { reason: 'wait' });
    queue.world.held.clear();
    const { production: id = '' } = await queue.reaches(A, 'production');
    await eventually(async () =>
      expect(await lanes.read(id)).toMatchObject({ state: 'queued', waitingFor: { code: 'LOCKED' } }),
    );
    const other = request({ ...production(queue), tag: LIVE });
    await lanes.request(other);
    expect(await lanes.result(other.id)).toMatchObject({ outcome: 'succeeded' });
    expect((await queue.find(A))?.approval).toBeDefined();
    await queue.reaches(A, 'production', 'LOCKED');
    await queue.ask('unlock', {});
    await queue.reaches(A, 'promoted');
  });

  it('staging unreadable at its turn: the same, and it looks again by itself', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('promotionTurn');
    await queue.ask('approve', { release: A });
    const { staging } = queue.world;
    queue.world.staging = { unreadable: { code: 'AWS_DOWN', message: 'throttled' } };
    queue.world.held.clear();
    const { production: id = '' } = await queue.reaches(A, 'production');
    await eventually(async () =>
      expect(await lanes.read(id)).toMatchObject({ state: 'queued', waitingFor: { code: 'AWS_DOWN' } }),
    );
    const waiting = await queue.reaches(A, 'production', 'AWS_DOWN');
    expect(waiting.waitingFor).toEqual((await lanes.read(id)).waitingFor);
    queue.world.staging = staging;
    await lanes.handle(id).signal(SIGNAL.look);
    expect(await lanes.result(id)).toMatchObject({ outcome: 'succeeded' });
    await queue.reaches(A, 'promoted');
  });

  it('while it waits at the lock a rollback takes its place: superseded, and the promotion has failed', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('promotionTurn');
    await queue.ask('approve', { release: A });
    await queue.ask('lock', { reason: 'wait' });
    queue.world.held.clear();
    const { production: id = '' } = await queue.reaches(A, 'production');
    await eventually(async () => expect((await lanes.read(id)).waitingFor?.code).toBe('LOCKED'));
    const back = request({ ...production(queue), tag: LIVE, kind: 'rollback', supersedes: true });
    await lanes.request(back);
    expect(await lanes.result(id)).toMatchObject({ outcome: 'superseded', supersededBy: back.id });
    expect(await queue.reaches(A, 'failed')).toMatchObject({ failedStage: 'production' });
    expect(await lanes.result(back.id)).toMatchObject({ outcome: 'succeeded' });
  });

  it('a rollback that comes before it gives its turn back takes its place, too', async () => {
    const queue = await worlds.open();
    await queue.merges(A);
    await queue.unlocked(A);
    queue.world.held.add('promotionTurn');
    await queue.ask('approve', { release: A });
    const { production: id = '' } = await queue.reaches(A, 'production');
    await eventually(async () => expect((await lanes.view(production(queue))).running?.id).toBe(id));
    const back = request({ ...production(queue), tag: LIVE, kind: 'rollback', supersedes: true });
    await lanes.request(back);
    await queue.ask('lock', { reason: 'wait' });
    queue.world.held.clear();
    expect(await lanes.result(id)).toMatchObject({ outcome: 'superseded', supersededBy: back.id });
    expect(await queue.reaches(A, 'failed')).toMatchObject({ failedStage: 'production' });
    expect(await lanes.result(back.id)).toMatchObject({ outcome: 'succeeded' });
  });

  it('at a locked lane its deployments wait; they do not fail for it', async () => {
    const queue = await worlds.open();
    const staging = { app: queue.world.app, environment: 'staging' };
    await lanes.lock('maintenance', staging);
    await queue.merges(A);
    const { staging: id = '' } = await queue.reaches(A, 'staging');
    await eventually(async () =>
      expect((await lanes.view(staging)).waiting.map((one) => one.id)).toEqual([id]),
    );
    const { waitingFor } = await queue.reaches(A, 'staging', 'LOCKED');
    expect(waitingFor).toMatchObject({ who: 'a maintainer', actions: ['unlock'] });
    expect(waitingFor?.detail).toContain('maintenance');
    expect(await queue.view()).toMatchObject({ state: 'waiting', waitingFor });
    queue.world.held.add('stabilise');
    await lanes.unlock(staging);
    await eventually(async () => expect(await queue.find(A)).not.toHaveProperty('waitingFor'), 90_000);
    expect(await queue.find(A)).toMatchObject({ stage: 'staging' });
    queue.world.held.clear();
    await queue.unlocked(A);
  });
});
