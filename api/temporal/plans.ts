/** A plan is a workflow that lives for seconds: its reads need a worker. */
import type { Temporal } from '../../clients/temporal.js';
import { planWorkflowId } from '../../domain/ids.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { Plan, PlanRequest } from '../../domain/plan.js';
import { ApiError } from '../errors.js';
import { command } from './call.js';

/** Somebody waits for it in front of a screen: longer than for a word, where a worker is at it. */
const WITHIN_MS = 12_000;
/** One that nobody took is not made later. */
const LASTS_MS = 30_000;

/** @throws ApiError `NO_WORKER`, `TOO_LATE`, `TEMPORAL_DOWN` */
export async function makePlan(temporal: Temporal, unique: string, request: PlanRequest): Promise<Plan> {
  const workflowId = planWorkflowId(unique);
  const send = async (): Promise<Plan> => {
    const handle = await temporal.client.workflow.start(WORKFLOW.plan, {
      workflowId,
      taskQueue: QUEUE.main,
      args: [request],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowExecutionTimeout: LASTS_MS,
    });
    return (await handle.result()) as Plan;
  };
  const of = { temporal, workflowId, taskQueue: QUEUE.main, send };
  try {
    return await command(of);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'TOO_LATE') throw error;
    return await command({ ...of, withinMs: WITHIN_MS });
  }
}
