/** What people ask for, as updates of the lane and signals to deployments. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { laneEntity, updateEntity } from '../../clients/entities.js';
import type { Temporal } from '../../clients/temporal.js';
import type { DeploymentRequest, Target } from '../../domain/deployment.js';
import {
  deploymentId,
  deploymentWorkflowId,
  parseDeploymentId,
  rollbackWorkflowId,
} from '../../domain/ids.js';
import type { Accepted, Lock, LockRequest, StopRequest } from '../../domain/messages.js';
import { QUEUE, SIGNAL, UPDATE } from '../../domain/messages.js';
import { ApiError } from '../errors.js';
import { fingerprintOf } from '../ids.js';
import { command, read } from './call.js';
import { holdsDeployment } from './reads.js';

/** An update of the lane, which is started where it does not run yet. */
function updateLane<T>(of: {
  temporal: Temporal;
  target: Target;
  update: string;
  /** The server gives the same id the same answer, as long as the lane's run lasts. */
  updateId: string;
  input: unknown;
}): Promise<T> {
  const { temporal, update, updateId, input } = of;
  const entity = laneEntity(of.target);
  const send = (): Promise<T> => updateEntity(temporal.client, entity, { update, updateId, input });
  return command({ temporal, workflowId: entity.workflowId, taskQueue: QUEUE.main, send });
}

/**
 * Hands an accepted form to its lane.
 * @throws ApiError `LOCKED` with the lock, `KEY_REUSED`, `NO_WORKER`, `TEMPORAL_DOWN`, `TOO_LATE`
 */
export function requestDeployment(temporal: Temporal, request: DeploymentRequest): Promise<Accepted> {
  // Another body under the same key must reach the lane, which compares: it is another update.
  const { queuedAt: _queuedAt, limits: _limits, ...body } = request;
  const updateId = `${request.id}/${fingerprintOf(body)}`;
  return updateLane({ temporal, target: request, update: UPDATE.request, updateId, input: request });
}

/** More lanes than this are asked about in one question, whose answer lags by a moment. */
const ASKED_ONE_BY_ONE = 20;

/**
 * A key belongs to one request, whatever lane it went to: the same key for another service is another body.
 * @param targets every other lane there is
 * @throws ApiError `KEY_REUSED`
 */
export async function assertKeyUnused(temporal: Temporal, unique: string, targets: Target[]): Promise<void> {
  const ids = targets.map((target) => deploymentId(target, unique));
  const held =
    ids.length <= ASKED_ONE_BY_ONE
      ? (await Promise.all(ids.map((id) => holdsDeployment(temporal, id)))).includes(true)
      : await holdsAny(temporal, ids);
  if (held) throw new ApiError('KEY_REUSED', 'This Idempotency-Key came with another request before');
}

async function holdsAny(temporal: Temporal, ids: string[]): Promise<boolean> {
  const quoted = ids.map((id) => `'${deploymentWorkflowId(id)}'`);
  const query = `WorkflowId IN (${quoted.join(', ')})`;
  const { count } = await read(temporal, () => temporal.client.workflow.count(query));
  return count > 0;
}

/** @throws ApiError `FINISHED` where it ended in the meantime */
export async function stopDeployment(temporal: Temporal, id: string, request: StopRequest): Promise<void> {
  const target = parseDeploymentId(id);
  // A rollback is stopped by itself until its deployment exists.
  const rollback = target ? [rollbackWorkflowId(target, target.unique)] : [];
  for (const workflowId of [deploymentWorkflowId(id), ...rollback]) {
    const handle = temporal.client.workflow.getHandle(workflowId);
    try {
      return await read(temporal, () => handle.signal(SIGNAL.stop, request));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  throw new ApiError('FINISHED', `${id} has ended already`);
}

/** @throws ApiError `LOCKED` with the lock that is there */
export async function lockLane(of: {
  temporal: Temporal;
  target: Target;
  request: LockRequest;
  /** Of the Idempotency-Key, or random. */
  unique: string;
}): Promise<Lock> {
  const { temporal, target, request, unique } = of;
  const lock = await updateLane<Lock>({
    ...{ temporal, target, update: UPDATE.lock },
    updateId: `lock/${unique}`,
    input: request,
  });
  if (lock.reason === request.reason) return lock;
  throw new ApiError('KEY_REUSED', 'This Idempotency-Key came with another reason before');
}

/** @throws ApiError `NOT_LOCKED` */
export async function unlockLane(of: {
  temporal: Temporal;
  target: Target;
  by: string;
  /** Of the Idempotency-Key, or random. */
  unique: string;
}): Promise<void> {
  const { temporal, target, by, unique } = of;
  const updateId = `unlock/${unique}`;
  await updateLane<void>({ temporal, target, update: UPDATE.unlock, updateId, input: { by, key: unique } });
}
