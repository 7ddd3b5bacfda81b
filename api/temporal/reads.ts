/** Reads of deployments and lanes by `describe` and visibility: they need no worker. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { Temporal } from '../../clients/temporal.js';
import type { Deployment, Target } from '../../domain/deployment.js';
import {
  buildWorkflowId,
  deploymentWorkflowId,
  laneWorkflowId,
  parseDeploymentId,
} from '../../domain/ids.js';
import type { LaneView } from '../../domain/messages.js';
import { MEMO, SEARCH_ATTRIBUTE, WORKFLOW } from '../../domain/messages.js';
import type { DeploymentView, PendingActivity } from '../../domain/view.js';
import { overlay, queuedView } from '../../domain/view.js';
import { cursorOf, NO_CURSOR, tokenOf } from '../cursor.js';
import { badRequest } from '../errors.js';
import { isInvalidArgument, millis, read } from './call.js';
import { pendingOf, workflowTaskSince } from './pending.js';

/** @returns undefined where Temporal does not hold the workflow */
async function describe(t: Temporal, workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
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
  if (!description || !deployment) return readTicket(t, target, id);
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
    pending: [...pendingOf(raw), ...(await pendingOfBuild(t, deployment))],
    ...(lane ? { lane } : {}),
    status: description.status.name,
    ...(description.closeTime ? { closedAt: description.closeTime.toISOString() } : {}),
    ...(since ? { workflowTaskSince: since } : {}),
    now: new Date(),
  });
}

/** Accepted, and its workflow is about to start: the lane knows it already. */
async function readTicket(t: Temporal, target: Target, id: string): Promise<DeploymentView | undefined> {
  const lane = await readLane(t, target);
  const ticket = [lane?.running, ...(lane?.waiting ?? [])].find((one) => one?.id === id);
  return lane && ticket ? queuedView(ticket, lane) : undefined;
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

async function pendingOfBuild(t: Temporal, { app, commit, steps }: Deployment): Promise<PendingActivity[]> {
  const building = steps.some(({ name, state }) => name === 'build' && state === 'running');
  if (!commit || !building) return [];
  const build = await describe(t, buildWorkflowId(app, commit));
  return build?.status.name === 'RUNNING'
    ? pendingOf(build.raw).filter(({ type }) => type === 'buildImages')
    : [];
}

export interface DeploymentFilter {
  app?: string;
  environment?: string;
  kind?: string;
  outcome?: string;
  actor?: string;
}

export interface Page {
  items: DeploymentView[];
  cursor?: string;
}

/** Values reach the query only in this form: no quote, no backslash, nothing to escape. */
const SAFE = /^[A-Za-z0-9][A-Za-z0-9._[\]-]{0,127}$/;

export function listQuery(filter: DeploymentFilter): string {
  const conditions = Object.entries(SEARCH_ATTRIBUTE).flatMap(([field, attribute]) => {
    const value = filter[field as keyof DeploymentFilter];
    if (value === undefined) return [];
    if (!SAFE.test(value)) throw badRequest(`querystring/${field} has a form that no ${field} has`);
    return [`${attribute}='${value}'`];
  });
  return [`WorkflowType='${WORKFLOW.deployment}'`, ...conditions].join(' AND ');
}

/** Unfinished first, then by end, newest first: the server's own order, which takes no ORDER BY. */
export async function listDeployments(
  t: Temporal,
  { filter, limit, cursor }: { filter: DeploymentFilter; limit: number; cursor?: string },
): Promise<Page> {
  const query = listQuery(filter);
  const nextPageToken = cursor === undefined ? undefined : tokenOf(cursor);
  try {
    const page = await read(t, () =>
      t.client.workflowService.listWorkflowExecutions({
        namespace: t.namespace,
        query,
        pageSize: limit,
        ...(nextPageToken ? { nextPageToken } : {}),
      }),
    );
    const items = (page.executions ?? []).flatMap((execution) => listed(execution));
    const next = page.nextPageToken;
    return { items, ...(next?.length ? { cursor: cursorOf(next) } : {}) };
  } catch (error) {
    if (nextPageToken && isInvalidArgument(error)) throw badRequest(NO_CURSOR);
    throw error;
  }
}

/** By their numbers in the protocol. */
const STATUS: Record<number, string> = {
  1: 'RUNNING',
  2: 'COMPLETED',
  3: 'FAILED',
  4: 'CANCELLED',
  5: 'TERMINATED',
  7: 'TIMED_OUT',
};

function listed(execution: temporal.api.workflow.v1.IWorkflowExecutionInfo): DeploymentView[] {
  const payload = execution.memo?.fields?.[MEMO.deployment];
  if (!payload) return [];
  const deployment = defaultPayloadConverter.fromPayload<Deployment>(payload);
  const closedAt = millis(execution.closeTime);
  const view = overlay({
    deployment,
    pending: [],
    status: STATUS[execution.status ?? 0] ?? 'RUNNING',
    ...(closedAt ? { closedAt: new Date(closedAt).toISOString() } : {}),
    now: new Date(),
  });
  return [view];
}

/** How long Temporal keeps what has ended, in days; undefined where it does not say. */
export async function retentionDays(t: Temporal): Promise<number | undefined> {
  const { config } = await read(t, () =>
    t.client.workflowService.describeNamespace({ namespace: t.namespace }),
  );
  const seconds = millis(config?.workflowExecutionRetentionTtl) / 1000;
  return seconds ? Math.round(seconds / 86_400) : undefined;
}
