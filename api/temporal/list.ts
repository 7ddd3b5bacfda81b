/** Lists by visibility: unfinished first, then by end, newest first, which is the server's own order. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { millis } from '../../clients/pending.js';
import type { Temporal } from '../../clients/temporal.js';
import type { Deployment } from '../../domain/deployment.js';
import { MEMO, SEARCH_ATTRIBUTE, WORKFLOW } from '../../domain/messages.js';
import type { Release } from '../../domain/release/release.js';
import { overlayRelease } from '../../domain/release/view.js';
import type { DeploymentView } from '../../domain/view.js';
import { overlay } from '../../domain/view.js';
import { cursorOf, NO_CURSOR, tokenOf } from '../cursor.js';
import { badRequest } from '../errors.js';
import { isInvalidArgument, read } from './call.js';

export interface DeploymentFilter {
  app?: string;
  environment?: string;
  kind?: string;
  outcome?: string;
  actor?: string;
}

export type ReleaseFilter = Pick<DeploymentFilter, 'app' | 'outcome' | 'actor'>;

export interface Page<T> {
  items: T[];
  cursor?: string;
}

/** Values reach the query only in this form: no quote, no backslash, nothing to escape. */
const SAFE = /^[A-Za-z0-9][A-Za-z0-9._[\]-]{0,127}$/;

function conditionsOf(filter: DeploymentFilter): string[] {
  return Object.entries(SEARCH_ATTRIBUTE).flatMap(([field, attribute]) => {
    const value = filter[field as keyof DeploymentFilter];
    if (value === undefined) return [];
    if (!SAFE.test(value)) throw badRequest(`querystring/${field} has a form that no ${field} has`);
    return [`${attribute}='${value}'`];
  });
}

/** A rollback that ended before its deployment came to be stands for itself: only such a one has an outcome there. */
export const OF_DEPLOYMENTS =
  `(WorkflowType='${WORKFLOW.deployment}' OR ` +
  `(WorkflowType='${WORKFLOW.rollback}' AND ${SEARCH_ATTRIBUTE.outcome} IS NOT NULL))`;

export const deploymentsQuery = (filter: DeploymentFilter): string =>
  [OF_DEPLOYMENTS, ...conditionsOf(filter)].join(' AND ');

export const releasesQuery = (filter: ReleaseFilter): string =>
  [`WorkflowType='${WORKFLOW.release}'`, ...conditionsOf(filter)].join(' AND ');

interface Wanted<F> {
  filter: F;
  limit: number;
  cursor?: string;
}

export async function listDeployments(
  t: Temporal,
  { filter, ...paging }: Wanted<DeploymentFilter>,
): Promise<Page<DeploymentView>> {
  const page = await list(t, deploymentsQuery(filter), paging);
  return { ...page, items: page.items.flatMap(deploymentsOf) };
}

export async function listReleases(
  t: Temporal,
  { filter, ...paging }: Wanted<ReleaseFilter>,
): Promise<Page<Release>> {
  const page = await list(t, releasesQuery(filter), paging);
  return { ...page, items: page.items.flatMap(releasesOf) };
}

/** One, or none where its record is not written yet. */
export function deploymentsOf(execution: Execution): DeploymentView[] {
  const deployment = memoOf<Deployment>(execution, MEMO.deployment);
  return deployment ? [overlay({ deployment, pending: [], ...stateOf(execution) })] : [];
}

export function releasesOf(execution: Execution): Release[] {
  const release = memoOf<Release>(execution, MEMO.release);
  return release ? [overlayRelease({ release, pending: [], ...stateOf(execution) })] : [];
}

export type Execution = temporal.api.workflow.v1.IWorkflowExecutionInfo;

export async function list(
  t: Temporal,
  query: string,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<Page<Execution>> {
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
    const next = page.nextPageToken;
    return { items: page.executions ?? [], ...(next?.length ? { cursor: cursorOf(next) } : {}) };
  } catch (error) {
    if (nextPageToken && isInvalidArgument(error)) throw badRequest(NO_CURSOR);
    throw error;
  }
}

export function memoOf<T>({ memo }: Execution, key: string): T | undefined {
  const payload = memo?.fields?.[key];
  return payload ? defaultPayloadConverter.fromPayload<T>(payload) : undefined;
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

function stateOf({ status, closeTime }: Execution): { status: string; closedAt?: string; now: Date } {
  const closedAt = millis(closeTime);
  return {
    status: STATUS[status ?? 0] ?? 'RUNNING',
    ...(closedAt ? { closedAt: new Date(closedAt).toISOString() } : {}),
    now: new Date(),
  };
}
