import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultPayloadConverter } from '@temporalio/common';
import { createMergeRouting } from '../../activities/reconcile/merges.js';
import { buildWorkflowId, promotionWorkflowId, testsWorkflowId } from '../../domain/ids.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import { testConfig } from '../support/github-world.js';
import { mergeOf } from '../support/merges.js';
import { eventually } from '../support/scripted.js';
import { connect, type TestTemporal } from '../support/temporal.js';

/** No worker: what was asked of Temporal stands in the histories. */
let temporal: TestTemporal;
let acts: ReturnType<typeof createMergeRouting>;

beforeAll(async () => {
  temporal = await connect();
  acts = createMergeRouting({ config: testConfig(), client: temporal.client });
});
afterAll(() => temporal.close());

async function signalsOf(workflowId: string): Promise<{ name: string; input: unknown }[]> {
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: one }) => {
    const payload = one?.input?.payloads?.[0];
    return one
      ? [{ name: one.signalName ?? '', input: payload && defaultPayloadConverter.fromPayload(payload) }]
      : [];
  });
}

describe('tellPromotions', () => {
  it('starts a queue that is not there, and tells one that is', async () => {
    const news = { head: 'c'.repeat(40), merges: [mergeOf(1)] };
    await acts.tellPromotions({ app: 'api', news });
    await acts.tellPromotions({ app: 'api', news: { ...news, merges: [] } });
    const { type, taskQueue } = await temporal.client.workflow
      .getHandle(promotionWorkflowId('api'))
      .describe();
    expect({ type, taskQueue }).toEqual({ type: WORKFLOW.promotionQueue, taskQueue: QUEUE.main });
    expect(await signalsOf(promotionWorkflowId('api'))).toEqual([
      { name: 'merges', input: news },
      { name: 'merges', input: { ...news, merges: [] } },
    ]);
  });
});

describe('startBuild', () => {
  it('starts it once, also where it has ended', async () => {
    const build = { app: 'ingestion', commit: 'd'.repeat(40) };
    await acts.startBuild(build);
    await acts.startBuild(build);
    const handle = temporal.client.workflow.getHandle(buildWorkflowId(build.app, build.commit));
    const { runId } = await handle.describe();
    await handle.terminate();
    await acts.startBuild(build);
    expect((await handle.describe()).runId).toBe(runId);
  });
});

describe('tellTests', () => {
  it('tells every attempt that runs of a run that has news', async () => {
    const ids = [1, 2, 3].map((attempt) => testsWorkflowId('api.x', attempt));
    for (const workflowId of ids) {
      await temporal.client.workflow.start(WORKFLOW.tests, { workflowId, taskQueue: QUEUE.main, args: [] });
    }
    await temporal.client.workflow.getHandle(ids[2] ?? '').terminate();
    await eventually(async () => expect(await acts.tellTests({ id: 42 })).toBe(2));
    const [first = [], second = [], third = []] = await Promise.all(ids.map(signalsOf));
    for (const told of [first, second]) {
      expect(told.length).toBeGreaterThan(0);
      for (const one of told) expect(one).toEqual({ name: 'runChanged', input: { id: 42 } });
    }
    expect(third).toEqual([]);
  });
});
