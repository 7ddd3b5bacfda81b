/** Reads of deployments and lanes by `describe`: they need no worker. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Temporal } from '../../clients/temporal.js';
import type { Deployment, Target } from '../../domain/deployment.js';
import {
  deploymentWorkflowId,
  laneWorkflowId,
  parseDeploymentId,
  promotionWorkflowId,
  rollbackWorkflowId,
} from '../../domain/ids.js';
import type { LaneView, Ticket } from '../../domain/messages.js';
import { MEMO } from '../../domain/messages.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { promisedTicket } from '../../domain/promotion/view.js';
import type { DeploymentView } from '../../domain/view.js';
import { overlay, queuedView } from '../../domain/view.js';
import { read } from './call.js';
import { millis, pendingOf, pendingOfBuild, workflowTaskSince } from '../../clients/pending.js';

/** @returns undefined where Temporal does not hold the workflow */
export async function describe(
  t: Temporal,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await read(t, () => t.client.workflow.getHandle(workflowId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** @returns undefined where the lane was never used */
export async function readLane(t: Temporal, target: Target): Promise<LaneView | undefined> {
  const description = await describe(t, laneWorkflowId(target));
  return description?.memo?.[MEMO.lane] as LaneView | undefined;
}

/** Whether Temporal holds a deployment of this id. */
export const holdsDeployment = async (t: Temporal, id: string): Promise<boolean> =>
  (await describe(t, deploymentWorkflowId(id))) !== undefined;

/**
 * One deployment as it is now.
 * @param id of the right form (`parseDeploymentId`)
 * @returns undefined where Temporal does not hold it
 */
export async function readDeployment(t: Temporal, id: string): Promise<DeploymentView | undefined> {
  const target = parseDeploymentId(id);
  if (!target) return undefined;
  const description = await describe(t, deploymentWorkflowId(id));
  const deployment = description?.memo?.[MEMO.deployment] as Deployment | undefined;
  if (!description || !deployment) {
    return (await readTicket(t, target, id)) ?? (await readRollback(t, target));
  }
  if (description.status.name === 'COMPLETED') return (await readResult(t, id)) ?? deployment;
  // It has said how it ends and is about to close; its dossier is in its result.
  const unexplained = deployment.state === 'finished' && deployment.outcome !== 'succeeded';
  if (unexplained && description.status.name === 'RUNNING')
    return (await readResult(t, id, true)) ?? deployment;
  const { raw } = description;
  const lane = deployment.state === 'queued' ? await readLane(t, target) : undefined;
  const since = workflowTaskSince(raw);
  return overlay({
    deployment,
    pending: [...pendingOf(raw), ...(await pendingOfBuild(deployment, (build) => describe(t, build)))],
    ...(lane ? { lane } : {}),
    status: description.status.name,
    ...(description.closeTime ? { closedAt: description.closeTime.toISOString() } : {}),
    ...(since ? { workflowTaskSince: since } : {}),
    now: new Date(),
  });
}

/** A rollback has its record before its deployment exists, and for good where it was rejected. */
async function readRollback(
  t: Temporal,
  target: Target & { unique: string },
): Promise<DeploymentView | undefined> {
  const description = await describe(t, rollbackWorkflowId(target, target.unique));
  const deployment = description?.memo?.[MEMO.deployment] as Deployment | undefined;
  if (!description || !deployment) return undefined;
  const since = workflowTaskSince(description.raw);
  const view = overlay({
    deployment,
    pending: pendingOf(description.raw),
    status: description.status.name,
    ...(description.closeTime ? { closedAt: description.closeTime.toISOString() } : {}),
    ...(since ? { workflowTaskSince: since } : {}),
    now: new Date(),
  });
  // What it finds out now comes before its place in the lane, and so before any turn.
  return view.state === 'running' ? { ...view, state: 'queued' } : view;
}

/** Accepted, and its workflow is about to start: the lane knows it already, or the promotion queue is about to ask. */
async function readTicket(t: Temporal, target: Target, id: string): Promise<DeploymentView | undefined> {
  const { app, environment } = target;
  const lane = await readLane(t, target);
  const inLane = [lane?.running, ...(lane?.waiting ?? [])].find((one) => one?.id === id);
  const ticket = inLane ?? (await readPromised(t, app, id));
  return ticket ? queuedView(ticket, { app, environment, ...(lane ? { lane } : {}) }) : undefined;
}

async function readPromised(t: Temporal, app: string, id: string): Promise<Ticket | undefined> {
  const queue = await describe(t, promotionWorkflowId(app));
  const view = queue?.memo?.[MEMO.promotions] as PromotionQueueView | undefined;
  return view && promisedTicket(view, id);
}

/** A deployment closes at once after it has said how it ends, unless there is no worker any more. */
const CLOSES_WITHIN_MS = 1_500;

/**
 * The result has what the memo has no room for: the dossier, and all events.
 * @param closing it is not there yet, but about to be; undefined where that does not come true
 */
async function readResult(t: Temporal, id: string, closing = false): Promise<Deployment | undefined> {
  const ask = (): Promise<unknown> => t.client.workflow.getHandle(deploymentWorkflowId(id)).result();
  try {
    const result = await (closing
      ? t.connection.withDeadline(Date.now() + CLOSES_WITHIN_MS, ask)
      : read(t, ask));
    return typeof result === 'object' && result !== null ? (result as Deployment) : undefined;
  } catch (error) {
    if (closing) return undefined;
    throw error;
  }
}

/** How long Temporal keeps what has ended, in days; undefined where it does not say. */
async function retentionDays(t: Temporal): Promise<number | undefined> {
  const { config } = await read(t, () =>
    t.client.workflowService.describeNamespace({ namespace: t.namespace }),
  );
  const seconds = millis(config?.workflowExecutionRetentionTtl) / 1000;
  return seconds ? Math.round(seconds / 86_400) : undefined;
}

/** For a 404: it may have been there. */
export async function keptWords(t: Temporal): Promise<{ words: string; details: { keptDays?: number } }> {
  const days = await retentionDays(t);
  if (!days) return { words: '', details: {} };
  return {
    words: `; ended ones are kept for ${days} ${days === 1 ? 'day' : 'days'}`,
    details: { keptDays: days },
  };
}
