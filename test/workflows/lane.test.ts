import { WorkflowUpdateFailedError } from '@temporalio/client';
import { heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Target } from '../../domain/deployment.js';
import { laneWorkflowId } from '../../domain/ids.js';
import { emptyLane } from '../../domain/lane.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import { createLanes } from '../support/lanes.js';
import { request } from '../support/requests.js';
import type { Calls, Script } from '../support/scripted.js';
import { eventually, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let acts: Script;
const calls: Calls = [];

/** A lane of its own for each test: what one leaves behind is not the next one's. */
let target: Target;
let count = 0;

beforeAll(async () => {
  temporal = await connect();
  acts = script();
  workers = await scriptedWorkers(temporal, acts, calls);
});
afterAll(async () => {
  await workers.stop();
  await temporal.close();
});
beforeEach(() => {
  calls.splice(0);
  count += 1;
  target = { app: `app${count}`, environment: 'staging' };
});
afterEach(() => Object.assign(acts, script()));

/** Deployments wait in `validate` until they are let through. */
function closeGate() {
  const { validate } = script();
  let opened = false;
  acts.validate = async (input) => {
    while (!opened) await new Promise((resolve) => setTimeout(resolve, 20));
    return validate(input);
  };
  return () => {
    opened = true;
  };
}

const typeOf = (error: unknown): string | null | undefined =>
  error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure
    ? error.cause.type
    : undefined;

async function refusal(
  sent: Promise<unknown>,
): Promise<{ type: string | null | undefined; details: unknown }> {
  try {
    await sent;
  } catch (error) {
    const { cause } = error as WorkflowUpdateFailedError;
    return { type: typeOf(error), details: (cause as ApplicationFailure).details?.[0] };
  }
  throw new Error('it was not refused');
}

describe('turns', () => {
  it('are taken one at a time, in order, with positions', async () => {
    const lanes = createLanes(temporal.client);
    const open = closeGate();
    const all = [request(target), request(target), request(target)];
    const positions = [];
    for (const one of all) positions.push((await lanes.request(one)).position);
    expect(positions).toEqual([0, 1, 2]);
    const view = await eventually(async () => {
      const seen = await lanes.view(target);
      expect(seen.running?.id).toBe(all[0]!.id);
      return seen;
    });
    expect(view.waiting.map(({ id }) => id)).toEqual([all[1]!.id, all[2]!.id]);
    open();
    const ended = await Promise.all(all.map(({ id }) => lanes.result(id)));
    expect(ended.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    for (const [earlier, later] of [
      [ended[0]!, ended[1]!],
      [ended[1]!, ended[2]!],
    ] as const) {
      expect(later.startedAt! >= earlier.finishedAt!).toBe(true);
    }
  });

  it('of ten services run side by side', async () => {
    const lanes = createLanes(temporal.client);
    const all = Array.from({ length: 10 }, (_, i) => request({ app: `many${i}`, environment: 'staging' }));
    await Promise.all(all.map((one) => lanes.request(one)));
    const ended = await Promise.all(all.map(({ id }) => lanes.result(id)));
    expect(ended.every(({ outcome }) => outcome === 'succeeded')).toBe(true);
  });

  it('are given to a rollback before the others', async () => {
    const lanes = createLanes(temporal.client);
    const open = closeGate();
    const [first, second] = [request(target), request(target)];
    const back = request({ ...target, kind: 'rollback' });
    await lanes.request(first);
    await lanes.request(second);
    expect((await lanes.request(back)).position).toBe(1);
    open();
    const [a, b] = await Promise.all([lanes.result(back.id), lanes.result(second.id)]);
    expect(a.startedAt! < b.startedAt!).toBe(true);
  });
});

describe('a request', () => {
  it('that comes again is the same deployment, and another body with its key is refused', async () => {
    const lanes = createLanes(temporal.client);
    const one = request(target);
    expect(await lanes.request(one)).toMatchObject({ id: one.id, again: false });
    expect(await lanes.request(one)).toMatchObject({ id: one.id, again: true });
    await lanes.result(one.id);
    expect(await lanes.request(one)).toMatchObject({ id: one.id, again: true });
    expect(await refusal(lanes.request({ ...one, tag: 'other' }))).toMatchObject({ type: 'KEY_REUSED' });
    expect(calls.filter(({ name }) => name === 'register')).toHaveLength(1);
  });

  it('that comes ten times at once is one deployment', async () => {
    const lanes = createLanes(temporal.client);
    const one = request(target);
    const answers = await Promise.all(Array.from({ length: 10 }, () => lanes.request(one)));
    expect(answers.filter(({ again }) => !again)).toHaveLength(1);
    expect((await lanes.result(one.id)).outcome).toBe('succeeded');
    expect(calls.filter(({ name }) => name === 'register')).toHaveLength(1);
  });

  it('is known again after the lane continued as new', async () => {
    const lanes = createLanes(temporal.client, { continueAfterEvents: 30 });
    const one = request(target);
    await lanes.request(one);
    await lanes.result(one.id);
    const { runId } = await lanes.lane(target).describe();
    for (let i = 0; i < 3; i += 1) {
      const next = request(target);
      await lanes.request(next);
      await lanes.result(next.id);
    }
    await eventually(async () => expect((await lanes.lane(target).describe()).runId).not.toBe(runId));
    expect(await lanes.request(one)).toMatchObject({ id: one.id, again: true });
    expect(calls.filter(({ name }) => name === 'register')).toHaveLength(4);
  });
});

describe('a lock', () => {
  it('refuses requests with reason, author and time, and a second lock', async () => {
    const lanes = createLanes(temporal.client);
    const held = await lanes.lock('freeze', target);
    expect(held).toMatchObject({ reason: 'freeze', by: 'bob' });
    expect(await refusal(lanes.request(request(target)))).toEqual({ type: 'LOCKED', details: held });
    expect(await refusal(lanes.lock('mine', target))).toEqual({ type: 'LOCKED', details: held });
    expect((await lanes.view(target)).lock).toEqual(held);
    expect(await lanes.unlock(target)).toEqual(held);
    expect(await refusal(lanes.unlock(target))).toMatchObject({ type: 'NOT_LOCKED' });
  });

  it('holds back what waits, lets what runs go on, and lets it go when it is lifted', async () => {
    const lanes = createLanes(temporal.client);
    const open = closeGate();
    const [running, waiting] = [request(target), request(target)];
    await lanes.request(running);
    await lanes.request(waiting);
    await lanes.lock('freeze', target);
    open();
    expect((await lanes.result(running.id)).outcome).toBe('succeeded');
    await eventually(async () => expect((await lanes.view(target)).running).toBeUndefined());
    expect((await lanes.read(waiting.id)).state).toBe('queued');
    await lanes.unlock(target);
    expect((await lanes.result(waiting.id)).outcome).toBe('succeeded');
  });
});

describe('a rollback of production', () => {
  const back = (change: object = {}) =>
    request({ ...target, kind: 'rollback', supersedes: true, reason: 'errors', ...change });

  it('goes first, and what waits ends superseded, linked to it, also while it builds', async () => {
    const lanes = createLanes(temporal.client);
    const open = closeGate();
    let built = false;
    acts.buildImages = async () => {
      while (!built) {
        heartbeat();
        await sleep(50);
      }
      return script().buildImages({ app: '', commit: '' });
    };
    const commit = 'c'.repeat(40);
    const [running, waiting, other] = [
      request(target),
      request(target),
      request({ ...target, kind: 'rollback' }),
    ];
    const building = request({ ...target, commit, tag: commit });
    for (const one of [running, waiting, building, other]) await lanes.request(one);
    const one = back();
    expect((await lanes.request(one)).position).toBe(2);
    const superseded = await Promise.all([lanes.result(waiting.id), lanes.result(building.id)]);
    for (const ended of superseded) {
      expect(ended).toMatchObject({
        outcome: 'superseded',
        supersededBy: one.id,
        failure: { code: 'SUPERSEDED' },
        dossier: { stoppedTasks: [] },
      });
      expect(ended.startedAt).toBeUndefined();
    }
    expect((await lanes.view(target)).waiting.map(({ id }) => id)).toEqual([other.id, one.id]);
    expect((await lanes.read(running.id)).state).toBe('running');
    built = true;
    open();
    expect((await lanes.result(one.id)).outcome).toBe('succeeded');
    expect((await lanes.result(running.id)).outcome).toBe('succeeded');
    expect(calls.filter(({ name }) => name === 'register')).toHaveLength(3);
  });

  it('that comes again supersedes nothing more', async () => {
    const lanes = createLanes(temporal.client);
    const open = closeGate();
    const one = back();
    await lanes.request(one);
    const after = request(target);
    await lanes.request(after);
    expect(await lanes.request(one)).toMatchObject({ again: true });
    open();
    expect((await lanes.result(after.id)).outcome).toBe('succeeded');
  });

  it('now stops what runs, with who and why', async () => {
    const lanes = createLanes(temporal.client);
    acts.stabilise = async (input) => {
      if (input.revision.endsWith(':2')) {
        for (;;) {
          heartbeat();
          await sleep(50);
        }
      }
      return script().stabilise(input);
    };
    const running = request(target);
    await lanes.request(running);
    await eventually(async () => expect((await lanes.read(running.id)).step).toBe('stabilise'));
    const one = back({ now: true });
    await lanes.request(one);
    const stopped = await lanes.result(running.id);
    expect(stopped).toMatchObject({ outcome: 'stopped', failure: { code: 'STOPPED' } });
    expect(stopped.failure?.message).toContain(`Stopped by alice: ${one.id} goes in its place: errors`);
    acts.stabilise = script().stabilise;
    const ended = await lanes.result(one.id);
    expect(ended.outcome).toBe('succeeded');
    expect(ended.startedAt! >= stopped.finishedAt!).toBe(true);
  });

  it('passes a lock with override only', async () => {
    const lanes = createLanes(temporal.client);
    const held = await lanes.lock('freeze', target);
    expect(await refusal(lanes.request(back()))).toEqual({ type: 'LOCKED', details: held });
    const one = back({ override: true });
    await lanes.request(one);
    expect((await lanes.result(one.id)).outcome).toBe('succeeded');
    expect((await lanes.view(target)).lock).toEqual(held);
  });
});

describe('a bad mark', () => {
  const mark = { release: 'b'.repeat(40), reason: 'errors', by: 'bob', at: '2026-01-01T00:00:00.000Z' };

  it('is set once, refuses the release, and yields to an override', async () => {
    const lanes = createLanes(temporal.client);
    expect(await lanes.markBad(mark, target)).toEqual(mark);
    expect(await lanes.markBad({ ...mark, reason: 'other', by: 'carol' }, target)).toEqual(mark);
    expect((await lanes.view(target)).bad).toEqual([mark]);
    const one = request({ ...target, tag: mark.release });
    expect(await refusal(lanes.request(one))).toEqual({ type: 'RELEASE_BAD', details: mark });
    const over = request({ ...target, tag: mark.release, override: true, reason: 'we know' });
    await lanes.request(over);
    expect((await lanes.result(over.id)).outcome).toBe('succeeded');
  });

  it('outlives the lane’s continue-as-new and its termination', async () => {
    const lanes = createLanes(temporal.client, { continueAfterEvents: 20 });
    await lanes.markBad(mark, target);
    const { runId } = await lanes.lane(target).describe();
    for (let i = 0; i < 2; i += 1) {
      const next = request(target);
      await lanes.request(next);
      await lanes.result(next.id);
    }
    await eventually(async () => expect((await lanes.lane(target).describe()).runId).not.toBe(runId));
    expect((await lanes.view(target)).bad).toEqual([mark]);
    await lanes.lane(target).terminate('break glass');
    expect(await refusal(lanes.request(request({ ...target, tag: mark.release })))).toEqual({
      type: 'RELEASE_BAD',
      details: mark,
    });
  });

  it('is known to a lane that was handed over before there were any', async () => {
    const lanes = createLanes(temporal.client);
    const { bad: _bad, ...state } = emptyLane(target);
    await temporal.client.workflow.start(WORKFLOW.lane, {
      workflowId: laneWorkflowId(target),
      taskQueue: QUEUE.main,
      args: [{ ...target, state }],
    });
    await lanes.markBad(mark, target);
    expect((await lanes.view(target)).bad).toEqual([mark]);
  });
});

describe('a lane survives', () => {
  const watchful = { watchdogMs: 300 };

  it('its deployments being terminated', async () => {
    const lanes = createLanes(temporal.client, watchful);
    const open = closeGate();
    const [first, second] = [request(target), request(target)];
    await lanes.request(first);
    await lanes.request(second);
    await lanes.handle(first.id).terminate('break glass');
    open();
    expect((await lanes.result(second.id)).outcome).toBe('succeeded');
  });

  it('itself being terminated: lock, live release, running and waiting deployments are there again', async () => {
    const lanes = createLanes(temporal.client, watchful);
    const before = request(target);
    await lanes.request(before);
    await lanes.result(before.id);
    const open = closeGate();
    const [running, waiting] = [request(target), request(target)];
    await lanes.request(running);
    await lanes.request(waiting);
    await lanes.lock('freeze', target);
    await eventually(async () => expect((await lanes.view(target)).running?.id).toBe(running.id));
    await lanes.lane(target).terminate('break glass');

    expect(await refusal(lanes.request(request(target)))).toMatchObject({ type: 'LOCKED' });
    const view = await lanes.view(target);
    expect(view.lock).toMatchObject({ reason: 'freeze' });
    expect(view.live?.id).toBe(before.id);
    expect(view.running?.id).toBe(running.id);
    expect(view.waiting.map(({ id }) => id)).toEqual([waiting.id]);
    open();
    await lanes.result(running.id);
    await lanes.unlock(target);
    expect((await lanes.result(waiting.id)).outcome).toBe('succeeded');
  });

  it('being terminated while one runs, heard of by nobody: its end starts the lane again', async () => {
    const lanes = createLanes(temporal.client);
    const open = closeGate();
    const [running, waiting] = [request(target), request(target)];
    await lanes.request(running);
    await lanes.request(waiting);
    await eventually(async () => expect((await lanes.view(target)).running?.id).toBe(running.id));
    await lanes.lane(target).terminate('break glass');
    open();
    expect((await lanes.result(running.id)).outcome).toBe('succeeded');
    expect((await lanes.result(waiting.id)).outcome).toBe('succeeded');
    expect((await lanes.view(target)).live).toBeDefined();
  });

  it('continuing as new with deployments running and waiting', async () => {
    const lanes = createLanes(temporal.client, { continueAfterEvents: 25 });
    const open = closeGate();
    const all = Array.from({ length: 8 }, () => request(target));
    for (const one of all) await lanes.request(one);
    open();
    const ended = await Promise.all(all.map(({ id }) => lanes.result(id)));
    expect(ended.map(({ outcome }) => outcome)).toEqual(all.map(() => 'succeeded'));
    const { raw } = await lanes.lane(target).describe();
    expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(raw.workflowExecutionInfo?.execution?.runId);
    expect(calls.filter(({ name }) => name === 'register')).toHaveLength(8);
  });

  it('a signal that makes no sense', async () => {
    const lanes = createLanes(temporal.client);
    await lanes.lock('x', target);
    await lanes.lane(target).signal('ended', { id: 'staging.nobody.abcdef', outcome: 'failed' });
    await lanes.unlock(target);
    const one = request(target);
    await lanes.request(one);
    expect((await lanes.result(one.id)).outcome).toBe('succeeded');
  });
});
