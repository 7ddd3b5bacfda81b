/** What Temporal's description of a workflow tells of the activities that it waits for. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { Deployment, Rollout } from '../domain/deployment.js';
import { buildWorkflowId } from '../domain/ids.js';
import type { BuildProgress, PendingActivity } from '../domain/view.js';
import { isBuilding } from '../domain/view.js';

type Raw = WorkflowExecutionDescription['raw'];
type RawPending = temporal.api.workflow.v1.IPendingActivityInfo;

/** `PENDING_ACTIVITY_STATE_SCHEDULED`: no worker holds it. */
const SCHEDULED = 1;

/** @param type only activities of this type */
export const pendingOf = (raw: Raw, type?: string): PendingActivity[] =>
  (raw.pendingActivities ?? []).map(toPending).filter((one) => type === undefined || one.type === type);

/**
 * What the build waits for that a deployment waits for.
 * @param describe one workflow; undefined where there is none
 */
export async function pendingOfBuild(
  deployment: Deployment,
  describe: (workflowId: string) => Promise<WorkflowExecutionDescription | undefined>,
): Promise<PendingActivity[]> {
  const { app, commit } = deployment;
  if (!commit || !isBuilding(deployment)) return [];
  const build = await describe(buildWorkflowId(app, commit));
  return build?.status.name === 'RUNNING' ? pendingOf(build.raw, 'buildImages') : [];
}

/** ISO 8601, since when a task of the workflow itself lies there; undefined: none does. */
export function workflowTaskSince(raw: Raw): string | undefined {
  const task = raw.pendingWorkflowTask;
  if (!task?.scheduledTime || millis(task.startedTime)) return undefined;
  return iso(millis(task.originalScheduledTime) || millis(task.scheduledTime));
}

function toPending(raw: RawPending): PendingActivity {
  const type = raw.activityType?.name ?? '';
  const told = lastHeartbeat(raw);
  const startedAt = Number(raw.state) === SCHEDULED ? 0 : millis(raw.lastStartedTime);
  const failure = raw.lastFailure;
  return {
    type,
    attempt: raw.attempt ?? 1,
    scheduledAt: iso(millis(raw.scheduledTime)),
    ...(startedAt ? { startedAt: iso(startedAt) } : {}),
    ...(failure
      ? {
          lastFailure: {
            ...(failure.applicationFailureInfo?.type ? { type: failure.applicationFailureInfo.type } : {}),
            message: failure.message ?? '',
          },
        }
      : {}),
    ...(isRollout(told?.['rollout']) ? { rollout: told['rollout'] } : {}),
    ...(type === 'buildImages' && isBuildProgress(told) ? { build: told } : {}),
  };
}

/** The first detail: `{ rollout, memory }` of the watch, `{ phase, image, lines }` of a build. */
function lastHeartbeat({ heartbeatDetails }: RawPending): Record<string, unknown> | undefined {
  const payload = heartbeatDetails?.payloads?.[0];
  if (!payload) return undefined;
  try {
    const detail: unknown = defaultPayloadConverter.fromPayload(payload);
    return typeof detail === 'object' && detail !== null ? { ...detail } : undefined;
  } catch {
    return undefined; // written by another version: the record alone is shown
  }
}

const isRollout = (value: unknown): value is Rollout =>
  typeof value === 'object' && value !== null && 'desired' in value && 'events' in value;

const isBuildProgress = (value: unknown): value is BuildProgress =>
  typeof value === 'object' && value !== null && 'phase' in value && typeof value.phase === 'string';

const iso = (at: number): string => new Date(at).toISOString();

export interface ProtoTime {
  seconds?: unknown;
  nanos?: number | null;
}

/** @returns milliseconds since the epoch; 0 where it is absent. */
export const millis = (time: ProtoTime | null | undefined): number =>
  time ? Number(time.seconds ?? 0) * 1000 + Math.floor((time.nanos ?? 0) / 1e6) : 0;
