/** One attempt of a promotion's tests, on a real server. */
import { heartbeat, sleep } from '@temporalio/activity';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { testsWorkflowId } from '../../domain/ids.js';
import type { TestsReport } from '../../domain/messages.js';
import { QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import type { TestsInput } from '../../workflows/tests.js';
import type { QueueAt } from '../support/promotion-world.js';
import { LIVE, MERGES, moveTo, promotionWorlds } from '../support/promotion-world.js';
import { eventually, failing } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

const [A] = MERGES;

let temporal: TestTemporal;
let worlds: Awaited<ReturnType<typeof promotionWorlds>>;
let original: typeof worlds.acts;

beforeAll(async () => {
  temporal = await connect();
  worlds = await promotionWorlds(temporal);
  original = { ...worlds.acts };
});
afterAll(async () => {
  await worlds.stop();
  await temporal.close();
});
afterEach(() => Object.assign(worlds.acts, original));

/** Staging runs A; the queue is started by the report. */
async function started(conclusion: string | null = 'success', prepare?: (queue: QueueAt) => void) {
  const queue = worlds.prepared();
  const { world } = queue;
  moveTo(world, 'staging', A);
  world.conclusions.push(conclusion);
  const { digests = {}, primary = '' } = world.staging;
  prepare?.(queue);
  const promotion = `${world.app}.${A}`;
  const input: TestsInput = {
    ...{ app: world.app, promotion, attempt: 1, evidence: { release: A, digests, primary } },
    until: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const handle = await temporal.client.workflow.start(WORKFLOW.tests, {
    workflowId: testsWorkflowId(promotion, 1),
    taskQueue: QUEUE.main,
    args: [input],
  });
  return { queue, world, handle, result: () => handle.result() as Promise<TestsReport> };
}

const reported = (): TestsReport =>
  (worlds.calls.findLast(({ name }) => name === 'reportTests')?.input as { report: TestsReport }).report;

describe('a workflow run at GitHub', () => {
  it.each([
    ['success', 'passed', 'passed'],
    ['failure', 'failed', 'failed'],
    ['cancelled', 'inconclusive', 'cancelled'],
    ['timed_out', 'inconclusive', 'timed out'],
  ] as const)(
    'that ends with %s: %s, with its address and what the others’ staging ran',
    async (end, state, why) => {
      const { world, result } = await started(end);
      const report = await result();
      expect(report).toEqual({
        ...{ promotion: `${world.app}.${A}`, attempt: 1, state, url: world.runs[0]?.url },
        ...{ others: { other: LIVE }, detail: expect.stringContaining(why) as string },
      });
      expect(reported()).toEqual(report);
      expect(world.dispatched).toMatchObject([
        { release: A, workflow: 'e2e.yml', marker: `sluice-${world.app}.${A}-1` },
      ]);
    },
  );

  it('on something else than what is promoted is not started', async () => {
    const { world, result } = await started('success', ({ world: one }) => moveTo(one, 'staging', A));
    expect(await result()).toMatchObject({
      state: 'inconclusive',
      detail: 'Staging moved before its tests began',
    });
    expect(world.dispatched).toEqual([]);
  });

  it.each([
    ['moved', (queue: QueueAt) => moveTo(queue.world, 'staging', LIVE), 'Staging moved while its tests ran'],
    ['moved away and back', (queue: QueueAt) => moveTo(queue.world, 'staging', A), 'Staging moved'],
    ['tells nothing', (queue: QueueAt) => (queue.world.staging = {}), 'was not known while its tests ran'],
    [
      'cannot be read',
      (queue: QueueAt) => (queue.world.staging = { unreadable: { code: 'AWS_DOWN', message: 'throttled' } }),
      'throttled (while its tests ran)',
    ],
  ] as const)('counts for nothing where staging %s meanwhile', async (_words, change, why) => {
    const { queue, world, result } = await started(null);
    await eventually(() => expect(queue.count('followTests')).toBe(1));
    change(queue);
    queue.concludes(1, 'success');
    const report = await result();
    expect(report).toMatchObject({ state: 'inconclusive', url: world.runs[0]?.url });
    expect(report.detail).toContain(why);
  });

  it('that cannot be dispatched is inconclusive, with the reason', async () => {
    worlds.acts.dispatchTests = failing('GITHUB_FAILED', 'e2e.yml is not there');
    const { result } = await started();
    expect(await result()).toMatchObject({ state: 'inconclusive', detail: 'e2e.yml is not there' });
  });

  it('whose watch is given up is inconclusive', async () => {
    worlds.acts.followTests = failing('GITHUB_FAILED', 'the run is gone');
    const { result } = await started();
    expect(await result()).toMatchObject({ state: 'inconclusive', detail: 'the run is gone' });
  });
});

describe('a webhook about a run', () => {
  it('is looked at beside the watch, and ends it', async () => {
    const { queue, handle, result } = await started(null, ({ world }) => world.held.add('followTests'));
    await eventually(() => expect(queue.count('followTests')).toBe(1));
    await handle.signal(SIGNAL.runChanged, { id: 99 });
    await handle.signal(SIGNAL.runChanged, { id: 1 });
    await eventually(() => expect(queue.count('readTestRun')).toBe(1));
    queue.concludes(1, 'success');
    await handle.signal(SIGNAL.runChanged, { id: 1 });
    expect(await result()).toMatchObject({ state: 'passed' });
    expect(queue.count('readTestRun')).toBe(2);
    queue.world.held.clear();
  });

  it('that cannot be followed up leaves it to the watch', async () => {
    worlds.acts.readTestRun = failing('GITHUB_FAILED', 'no');
    const { queue, handle, result } = await started(null);
    await eventually(() => expect(queue.count('followTests')).toBe(1));
    await handle.signal(SIGNAL.runChanged, { id: 1 });
    await eventually(() => expect(queue.count('readTestRun')).toBe(1));
    queue.concludes(1, 'failure');
    expect(await result()).toMatchObject({ state: 'failed' });
  });

  it('that is slow to be read holds up no verdict, and takes none back', async () => {
    let isHeld = true;
    let began = false;
    worlds.acts.readTestRun = async (input) => {
      const found = { ...(await original.readTestRun(input)) };
      began = true;
      while (isHeld) {
        heartbeat();
        await sleep(30);
      }
      return found;
    };
    const { queue, handle, result } = await started(null);
    await eventually(() => expect(queue.count('followTests')).toBe(1));
    await handle.signal(SIGNAL.runChanged, { id: 1 });
    await eventually(() => expect(began).toBe(true));
    queue.concludes(1, 'failure');
    try {
      await eventually(async () => expect((await handle.describe()).status.name).toBe('COMPLETED'));
    } finally {
      // It tells of a run in progress, as it was when it began.
      isHeld = false;
    }
    expect(await result()).toMatchObject({ state: 'failed' });
  });

  it('before the run is known is kept until it is', async () => {
    const { queue, handle, result } = await started('success', ({ world }) => {
      world.held.add('dispatchTests').add('followTests');
    });
    await handle.signal(SIGNAL.runChanged, { id: 1 });
    queue.world.held.delete('dispatchTests');
    expect(await result()).toMatchObject({ state: 'passed' });
    queue.world.held.clear();
  });
});

describe('besides', () => {
  it('a command on a build worker', async () => {
    const tests = {
      kind: 'command',
      command: ['npx', 'playwright', 'test'],
      attempts: 1,
      timeoutMs: 1,
    } as const;
    const { queue, result } = await started(null, ({ world }) => {
      world.tests = { ...tests, command: [...tests.command] };
    });
    expect(await result()).toMatchObject({ state: 'passed', detail: '3 passed' });
    const ran = worlds.calls.find(({ name }) => name === 'runTestCommand')?.input;
    expect(ran).toMatchObject({ app: queue.world.app, release: A, command: tests.command });
  });

  it('cancelled, nobody waits for its report', async () => {
    const { queue, handle } = await started(null);
    await eventually(() => expect(queue.count('followTests')).toBe(1));
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect(queue.count('reportTests')).toBe(0);
    await expect(queue.handle.describe()).rejects.toThrow();
  });
});
