/** What a person sees of a release: its own record, overlaid with what Temporal knows better at this moment. */
import { CODES, isCode } from '../codes.js';
import type { WaitingFor } from '../deployment.js';
import type { Release } from './release.js';
import { finish, nextStep } from './progress.js';
import type { PendingActivity } from '../view.js';
import { ENDED_FROM_OUTSIDE, TAKEN_WITHIN_MS, waitingFor } from '../view.js';

export interface ReleaseOverlay {
  /** The memo's record. */
  release: Release;
  pending: readonly PendingActivity[];
  /** Temporal's status of the workflow. */
  status: string;
  /** ISO 8601, where the workflow is closed. */
  closedAt?: string;
  /** ISO 8601, where a step of the workflow itself waits for a worker since then. */
  workflowTaskSince?: string;
  now: Date;
}

export function overlayRelease(input: ReleaseOverlay): Release {
  const { release, status, closedAt, now } = input;
  if (release.state === 'finished') return release;
  if (ENDED_FROM_OUTSIDE.includes(status)) {
    const step = release.blocked?.step ?? nextStep(release) ?? 'changelog';
    const message = `its workflow was ended in Temporal (${status.toLowerCase()}) before it could say how it went`;
    const failure = { step, code: 'TERMINATED', message } as const;
    return finish(release, { outcome: 'abandoned', failure }, closedAt ?? now.toISOString());
  }
  if (status !== 'RUNNING') return release;
  const waits = untaken(input) ?? retried(input);
  return waits ? { ...release, waitingFor: waits } : release;
}

function untaken({ pending, workflowTaskSince, now }: ReleaseOverlay): WaitingFor | undefined {
  const waiting = pending.find(({ startedAt }) => !startedAt)?.scheduledAt ?? workflowTaskSince;
  if (!waiting || now.getTime() - Date.parse(waiting) <= TAKEN_WITHIN_MS) return undefined;
  return waitingFor('NO_WORKER', waiting, CODES.NO_WORKER.text);
}

/** An attempt failed with one of our codes and another will follow: the code says what it waits for. */
function retried({ release, pending }: ReleaseOverlay): WaitingFor | undefined {
  for (const { lastFailure, scheduledAt } of pending) {
    const { type, message = '' } = lastFailure ?? {};
    if (!isCode(type)) continue;
    const since = release.steps.find(({ state }) => state === 'running')?.startedAt ?? scheduledAt;
    return waitingFor(type, since, message || CODES[type].text);
  }
  return undefined;
}
