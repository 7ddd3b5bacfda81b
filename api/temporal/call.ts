/** Every call to Temporal ends in time, and every failure of one becomes an answer for a person. */
import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import proto from '@temporalio/proto';
import { millis } from '../../clients/pending.js';
import type { Temporal } from '../../clients/temporal.js';
import type { Code } from '../../domain/codes.js';
import { CODES, isCode } from '../../domain/codes.js';
import { ApiError } from '../errors.js';

export const CALL_MS = 3_000;
/** Is it Temporal, or only its workers? Asked once a call has already taken its time. */
const HEALTH_MS = 1_000;
/** A poll lasts up to a minute: who polled longer ago is gone. */
const POLLER_GONE_MS = 70_000;
/** A worker takes a task at once: one that lies longer is taken by none. */
const TASK_UNTAKEN_MS = 1_500;

const GRPC = { DEADLINE_EXCEEDED: 4, UNAVAILABLE: 14, NOT_FOUND: 5, INVALID_ARGUMENT: 3 } as const;

/** @throws ApiError `TEMPORAL_DOWN` where Temporal cannot be asked; other errors as they are. */
export async function read<T>(temporalClient: Temporal, ask: () => Promise<T>): Promise<T> {
  try {
    return await temporalClient.connection.withDeadline(Date.now() + CALL_MS, ask);
  } catch (error) {
    if (isOutage(error)) throw outage(error);
    throw error;
  }
}

/**
 * An update of an entity, which needs a worker.
 * @param workflowId the entity's, to see whether anything takes its tasks
 * @throws ApiError with the workflow's own code where it refuses; `TEMPORAL_DOWN`, `NO_WORKER` or `TOO_LATE`
 *   where no answer came: the same Idempotency-Key is safe to send again
 */
export async function command<T>(of: {
  temporal: Temporal;
  workflowId: string;
  taskQueue: string;
  send: () => Promise<T>;
  /** Longer where the entity itself takes its time. */
  withinMs?: number;
}): Promise<T> {
  try {
    return await of.temporal.connection.withDeadline(Date.now() + (of.withinMs ?? CALL_MS), of.send);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal) throw refusal;
    if (!isLate(error) && !isOutage(error)) throw error;
    throw await whyLate(of);
  }
}

/** What a workflow refused with: an ApplicationFailure whose type is one of our codes. */
function refusalOf(error: unknown): ApiError | undefined {
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure) || !isCode(cause.type)) return undefined;
  const details: unknown = cause.details?.[0];
  return new ApiError(
    cause.type,
    cause.message || CODES[cause.type].text,
    isRecord(details) ? details : undefined,
  );
}

async function whyLate(of: { temporal: Temporal; workflowId: string; taskQueue: string }): Promise<ApiError> {
  const { connection } = of.temporal;
  try {
    const untaken = await connection.withDeadline(Date.now() + HEALTH_MS, () => nobodyWorks(of));
    const code: Code = untaken ? 'NO_WORKER' : 'TOO_LATE';
    return new ApiError(code, `${sentence(CODES[code].text)}: ${CODES[code].actions.join(', ')}`);
  } catch (error) {
    return outage(error);
  }
}

async function nobodyWorks(of: {
  temporal: Temporal;
  workflowId: string;
  taskQueue: string;
}): Promise<boolean> {
  const { client, connection, namespace } = of.temporal;
  const queue = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: of.taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  const recent = (queue.pollers ?? []).some(
    ({ lastAccessTime }) => Date.now() - millis(lastAccessTime) < POLLER_GONE_MS,
  );
  if (!recent) return true;
  // A worker that was killed stands in the list of pollers for minutes; its untaken task tells.
  const task = await pendingTask(client, of.workflowId);
  return task !== undefined && Date.now() - task > TASK_UNTAKEN_MS;
}

async function pendingTask(client: Temporal['client'], workflowId: string): Promise<number | undefined> {
  try {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    const task = raw.pendingWorkflowTask;
    return task && !millis(task.startedTime) ? millis(task.scheduledTime) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

const isLate = (error: unknown): boolean => error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;

export function isOutage(error: unknown): boolean {
  if (error instanceof NamespaceNotFoundError) return true;
  const code = grpcCode(error);
  return code !== undefined && code !== GRPC.NOT_FOUND && code !== GRPC.INVALID_ARGUMENT;
}

export const isInvalidArgument = (error: unknown): boolean => grpcCode(error) === GRPC.INVALID_ARGUMENT;

function grpcCode(error: unknown): number | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return at.code;
  }
  return undefined;
}

/** Its address and inner words stay in the log. */
function outage(error: unknown): ApiError {
  const { text, actions } = CODES.TEMPORAL_DOWN;
  const answer = new ApiError('TEMPORAL_DOWN', `${sentence(text)}: ${actions.join(', ')}`);
  answer.cause = error;
  return answer;
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
