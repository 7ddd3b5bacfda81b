/** What a person sees of a build: its own record, overlaid with what Temporal knows better at this moment. */
import type { Code } from './codes.js';
import { CODES, isCode } from './codes.js';
import type { WaitingFor } from './deployment.js';
import type { BuildResult, BuildView, BuiltImage } from './messages.js';
import type { BuildProgress, PendingActivity } from './view.js';
import { ENDED_FROM_OUTSIDE, untaken, waitingFor } from './view.js';

/** `GET /api/builds/{id}` */
export interface Build {
  /** `{app}.{commit}` */
  id: string;
  app: string;
  commit: string;
  state: 'running' | 'finished';
  outcome?: BuildResult['outcome'];
  images: BuiltImage[];
  failure?: { code: Code; message: string };
  /** Its last output, scrubbed; maintainers only (rule 7). */
  lastLines?: string[];
  progress?: BuildProgress;
  waitingFor?: WaitingFor;
}

export interface BuildOverlay {
  view: BuildView;
  pending: readonly PendingActivity[];
  /** Temporal's status of the workflow. */
  status: string;
  /** ISO 8601, where a step of the workflow itself waits for a worker since then. */
  workflowTaskSince?: string;
  now: Date;
}

export function overlayBuild(input: BuildOverlay): Build {
  const { view, pending, status } = input;
  const { id, app, commit, result } = view;
  if (result) return { id, app, commit, state: 'finished', ...ended(result) };
  if (ENDED_FROM_OUTSIDE.includes(status)) {
    const failure = { code: 'TERMINATED', message: CODES.TERMINATED.text } as const;
    return { id, app, commit, state: 'finished', outcome: 'failed', images: [], failure };
  }
  const progress = pending.find(({ build }) => build)?.build;
  const waits = untaken(input) ?? retried(pending);
  return {
    ...{ id, app, commit, state: 'running', images: [] },
    ...(progress ? { progress } : {}),
    ...(waits ? { waitingFor: waits } : {}),
  };
}

function ended(result: BuildResult): Pick<Build, 'outcome' | 'images' | 'failure' | 'lastLines'> {
  const { outcome } = result;
  if (outcome === 'succeeded') return { outcome, images: result.images };
  const { code, message, lastLines } = result;
  return { outcome, images: [], failure: { code, message }, ...(lastLines.length > 0 ? { lastLines } : {}) };
}

/** An attempt has failed, and the next one has not begun. */
function retried(pending: readonly PendingActivity[]): WaitingFor | undefined {
  const activity = pending.find(({ startedAt, lastFailure }) => !startedAt && isCode(lastFailure?.type));
  const { type, message = '' } = activity?.lastFailure ?? {};
  return activity && isCode(type)
    ? waitingFor(type, activity.scheduledAt, message || CODES[type].text)
    : undefined;
}

/** Who may not read output sees the rest. */
export function withoutOutput({ lastLines: _lastLines, progress, ...build }: Build): Build {
  if (!progress) return build;
  const { lines: _lines, ...rest } = progress;
  return { ...build, progress: rest };
}
