/** Published releases: asked of `releases/{app}`, read from `release/{app}-{date}`. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { releasesEntity, updateEntity } from '../../clients/entities.js';
import type { Temporal } from '../../clients/temporal.js';
import { releasesWorkflowId, releaseWorkflowId } from '../../domain/ids.js';
import type { AbandonRequest, ReleaseAccepted, ReleasesView, RetryRequest } from '../../domain/messages.js';
import { MEMO, QUEUE, SIGNAL, UPDATE } from '../../domain/messages.js';
import type { Release, ReleaseRequest } from '../../domain/release/release.js';
import { overlayRelease } from '../../domain/release/view.js';
import { ApiError } from '../errors.js';
import { fingerprintOf } from '../ids.js';
import { command, read } from './call.js';
import { pendingOf, workflowTaskSince } from '../../clients/pending.js';
import { describe } from './reads.js';

/**
 * Hands a request to the app's releases, which give it its date.
 * @throws ApiError `ALREADY_RELEASED` with the first release, `KEY_REUSED`, `NO_WORKER`, `TEMPORAL_DOWN`,
 *   `TOO_LATE`
 */
export function requestRelease(temporal: Temporal, request: ReleaseRequest): Promise<ReleaseAccepted> {
  const { app, unique, tag, reason, again, override } = request;
  const entity = releasesEntity(app);
  // Another body under the same key must reach the workflow, which compares: it is another update.
  const updateId = `${unique}/${fingerprintOf([tag, reason ?? null, again ?? false, override ?? false])}`;
  const asked = { update: UPDATE.release, updateId, input: request };
  const send = (): Promise<ReleaseAccepted> => updateEntity(temporal.client, entity, asked);
  return command({ temporal, workflowId: entity.workflowId, taskQueue: QUEUE.main, send });
}

/** Whether a request under this key was accepted before, as far as the app's releases show. */
export async function wasReleaseAsked(t: Temporal, app: string, unique: string): Promise<boolean> {
  const description = await describe(t, releasesWorkflowId(app));
  const view = description?.memo?.[MEMO.releases] as ReleasesView | undefined;
  return view?.seen.some((seen) => seen.unique === unique) ?? false;
}

/**
 * A key belongs to one request, whichever app it was for.
 * @throws ApiError `KEY_REUSED`
 */
export async function assertReleaseKeyUnused(t: Temporal, unique: string, apps: string[]): Promise<void> {
  const held = await Promise.all(apps.map((app) => wasReleaseAsked(t, app, unique)));
  if (!held.includes(true)) return;
  throw new ApiError('KEY_REUSED', 'This Idempotency-Key came with another request before');
}

/**
 * One release as it is now.
 * @returns undefined where Temporal does not hold it
 */
export async function readRelease(t: Temporal, id: string): Promise<Release | undefined> {
  const description = await describe(t, releaseWorkflowId(id));
  const release = description?.memo?.[MEMO.release] as Release | undefined;
  if (!description || !release) return undefined;
  const since = workflowTaskSince(description.raw);
  return overlayRelease({
    release,
    pending: pendingOf(description.raw),
    status: description.status.name,
    ...(description.closeTime ? { closedAt: description.closeTime.toISOString() } : {}),
    ...(since ? { workflowTaskSince: since } : {}),
    now: new Date(),
  });
}

export const retryRelease = (t: Temporal, id: string, request: RetryRequest): Promise<void> =>
  signal(t, id, SIGNAL.retry, request);

export const abandonRelease = (t: Temporal, id: string, request: AbandonRequest): Promise<void> =>
  signal(t, id, SIGNAL.abandon, request);

/** @throws ApiError `NOT_BLOCKED` where it ended in the meantime */
async function signal(t: Temporal, id: string, name: string, request: object): Promise<void> {
  const handle = t.client.workflow.getHandle(releaseWorkflowId(id));
  try {
    await read(t, () => handle.signal(name, request));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new ApiError('NOT_BLOCKED', `${id} has ended already`);
    throw error;
  }
}
