/**
 * What a person sees of a deployment: its own record, overlaid with what Temporal knows better at this
 * moment. It needs no worker, so it stays true while none runs (rule 9: every wait says why).
 */
import type { Code } from './codes.js';
import { CODES, isCode } from './codes.js';
import type { Deployment, Rollout, Step, StepName, Target, WaitingFor } from './deployment.js';
import { STEPS } from './deployment.js';
import { positionOf } from './lane.js';
import type { LaneView, Ticket } from './messages.js';
import { shortTag } from './summary.js';

/** An activity that Temporal holds as scheduled, running, or waiting for its next attempt. */
export interface PendingActivity {
  /** Activity type. One that bears a step's name is that step; others may belong to one. */
  type: string;
  attempt: number;
  /** ISO 8601; of the next attempt where one is waited for, and then in the future. */
  scheduledAt: string;
  /** ISO 8601; present while a worker holds it. */
  startedAt?: string;
  lastFailure?: { type?: string; message: string };
  rollout?: Rollout;
  build?: BuildProgress;
}

/** What a running build last told. */
export interface BuildProgress {
  /** `clone`, `build`, `push`, … */
  phase: string;
  /** Repository of the image. */
  image?: string;
  /** Its last output, scrubbed; maintainers only (rule 7). */
  lines?: string[];
}

export interface DeploymentView extends Deployment {
  build?: BuildProgress;
}

export interface OverlayInput {
  /** The memo's record. */
  deployment: Deployment;
  pending: readonly PendingActivity[];
  lane?: LaneView;
  /** Temporal's status of the workflow. */
  status: string;
  /** ISO 8601, where the workflow is closed. */
  closedAt?: string;
  /** ISO 8601, where a step of the workflow itself waits for a worker since then. */
  workflowTaskSince?: string;
  now: Date;
}

/** A worker polls all the time: what lies longer than this is taken by none. */
export const TAKEN_WITHIN_MS = 5_000;
/** Three times the slowest pace of a watch's reads. */
const ANSWERS_WITHIN_MS = 30_000;

/** An ended workflow that never closed its record was ended from outside: in Temporal, by hand. */
export const ENDED_FROM_OUTSIDE: readonly string[] = ['TERMINATED', 'FAILED', 'TIMED_OUT', 'CANCELLED'];

export function overlay(input: OverlayInput): DeploymentView {
  const { deployment, status } = input;
  if (deployment.state === 'finished') return deployment;
  if (ENDED_FROM_OUTSIDE.includes(status)) return terminated(input);
  if (status !== 'RUNNING' && status !== 'PAUSED') return deployment;
  const here = withPosition(withSteps(input), input.lane);
  const rollout = input.pending.find((one) => one.rollout)?.rollout;
  const build = input.pending.find((one) => one.build)?.build;
  const waitingFor = waiting({ ...input, deployment: here });
  return {
    ...here,
    ...(rollout ? { rollout } : {}),
    ...(build ? { build } : {}),
    ...(waitingFor ? { waitingFor } : {}),
  };
}

/** For a ticket whose workflow is about to start: its request was accepted, so it can be read (section 8). */
export const queuedView = (
  ticket: Ticket,
  { app, environment, lane }: Target & { lane?: LaneView },
): DeploymentView =>
  overlay({
    deployment: {
      ...{ id: ticket.id, app, environment, kind: ticket.kind },
      ...{ actor: ticket.actor, queuedAt: ticket.queuedAt, ...(ticket.tag ? { tag: ticket.tag } : {}) },
      state: 'queued',
      steps: STEPS.map((name) => ({ name, state: 'pending' })),
      warnings: [],
    },
    pending: [],
    ...(lane ? { lane } : {}),
    status: 'RUNNING',
    now: new Date(ticket.queuedAt),
  });

/** Its build is a workflow of its own, which others may wait for as well. */
export const isBuilding = ({ steps }: Deployment): boolean =>
  steps.some(({ name, state }) => name === 'build' && state === 'running');

/** Rule 7: output of builds and containers is for maintainers, unless `access.logs` is `public`. */
export function withoutLogs(view: DeploymentView): DeploymentView {
  const shown = { ...view };
  if (shown.build) {
    const { lines: _lines, ...build } = shown.build;
    shown.build = build;
  }
  if (shown.dossier) {
    const { lastLines: _lastLines, ...dossier } = shown.dossier;
    shown.dossier = dossier;
  }
  return shown;
}

function terminated({ deployment, status, closedAt, now }: OverlayInput): DeploymentView {
  const at = closedAt ?? now.toISOString();
  const message = `its workflow was ended in Temporal (${status.toLowerCase()}) before it could say how it went`;
  const { waitingFor: _waitingFor, position: _position, ...rest } = deployment;
  const steps = deployment.steps.map((step): Step => {
    if (step.state === 'running') return { ...step, state: 'failed', finishedAt: at };
    return step.state === 'pending' ? { ...step, state: 'skipped' } : step;
  });
  const failure = { step: deployment.step ?? 'authorise', code: 'TERMINATED', message } as const;
  return { ...rest, state: 'finished', outcome: 'failed', steps, failure, finishedAt: at };
}

const BELONGS_TO: Partial<Record<string, StepName>> = {
  buildImages: 'build',
  planRollback: 'validate',
  validateCurrent: 'validate',
};

const stepOf = ({ type }: PendingActivity): StepName | undefined =>
  BELONGS_TO[type] ?? STEPS.find((name) => name === type);

/** The record is written seldom, to keep histories short; a pending activity tells the step that runs now. */
function withSteps({ deployment, pending }: OverlayInput): Deployment {
  const found = pending.map((activity) => ({ activity, index: indexOf(stepOf(activity)) }));
  const furthest = found.sort((a, b) => b.index - a.index)[0];
  const recorded = indexOf(deployment.step);
  if (!furthest || furthest.index < 0 || furthest.index < recorded) return deployment;
  const { activity, index } = furthest;
  const step = STEPS[index];
  const state = deployment.steps[index]?.state;
  if (!step || (state !== 'pending' && state !== 'running')) return deployment;
  const startedAt = activity.startedAt ?? activity.scheduledAt;
  const steps = deployment.steps.map((one): Step => {
    if (one.name === step) return { ...one, state: 'running', startedAt: one.startedAt ?? startedAt };
    const passed = indexOf(one.name) < index && (one.state === 'pending' || one.state === 'running');
    return passed ? { ...one, state: 'done' } : one;
  });
  const hasTurn = index > indexOf('build');
  return { ...deployment, ...(hasTurn ? { state: 'running' } : {}), step, steps };
}

const indexOf = (step: StepName | undefined): number => (step ? STEPS.indexOf(step) : -1);

function withPosition(deployment: Deployment, lane: LaneView | undefined): Deployment {
  const { position: recorded, ...rest } = deployment;
  if (deployment.state !== 'queued') return rest;
  const position = (lane && positionOf(lane, deployment.id)) ?? recorded;
  return position === undefined ? rest : { ...rest, position };
}

function waiting(input: OverlayInput): WaitingFor | undefined {
  const { deployment } = input;
  const found = untaken(input) ?? retried(input) ?? unanswered(input);
  if (found) return found;
  // One that gave its turn back says itself what it waits for.
  return deployment.waitingFor ?? (deployment.state === 'queued' ? inLane(input) : undefined);
}

export const waitingFor = (code: Code, since: string, detail: string): WaitingFor => ({
  code,
  since,
  detail,
  who: CODES[code].who,
  actions: [...CODES[code].actions],
});

/** Nobody takes its work. */
export function untaken({
  pending,
  workflowTaskSince,
  now,
}: Pick<OverlayInput, 'pending' | 'workflowTaskSince' | 'now'>): WaitingFor | undefined {
  const late = (at: string): boolean => now.getTime() - Date.parse(at) > TAKEN_WITHIN_MS;
  const activity = pending.find((one) => !one.startedAt && late(one.scheduledAt));
  if (activity) {
    const code = stepOf(activity) === 'build' ? 'NO_BUILD_WORKER' : 'NO_WORKER';
    return waitingFor(code, activity.scheduledAt, `${activity.type}: ${CODES[code].text}`);
  }
  if (!workflowTaskSince || !late(workflowTaskSince)) return undefined;
  return waitingFor('NO_WORKER', workflowTaskSince, CODES.NO_WORKER.text);
}

/** Attempts of these are long: one that is under way is at work again, whatever ended the one before. */
const LONG: readonly (StepName | undefined)[] = ['build', 'stabilise'];

/** An attempt failed with one of our codes and another will follow: the code says what it waits for. */
function retried({ deployment, pending }: OverlayInput): WaitingFor | undefined {
  for (const activity of pending) {
    const { type, message = '' } = activity.lastFailure ?? {};
    if (!isCode(type) || (activity.startedAt && LONG.includes(stepOf(activity)))) continue;
    const step = deployment.steps.find(({ name }) => name === stepOf(activity));
    // A watch was well until its last news; a short activity waits since about when its step began.
    const since = activity.rollout?.updatedAt ?? step?.startedAt ?? activity.scheduledAt;
    return waitingFor(type, since, message || CODES[type].text);
  }
  return undefined;
}

/** A watch reads at least every ten seconds; one that lives and shows nothing newer gets no answer. */
function unanswered({ pending, now }: OverlayInput): WaitingFor | undefined {
  const watch = pending.find((one) => stepOf(one) === 'stabilise');
  if (!watch?.startedAt) return undefined;
  const { startedAt, rollout } = watch;
  const since = rollout && rollout.updatedAt > startedAt ? rollout.updatedAt : startedAt;
  if (now.getTime() - Date.parse(since) < ANSWERS_WITHIN_MS) return undefined;
  return waitingFor('AWS_DOWN', since, `ECS does not answer, or throttles, since ${since}`);
}

function inLane({ deployment, lane }: OverlayInput): WaitingFor | undefined {
  const { id, queuedAt, position } = deployment;
  const passes = lane?.waiting.some((ticket) => ticket.id === id && ticket.override);
  if (lane?.lock && !passes) {
    const { by, reason, at } = lane.lock;
    return waitingFor('LOCKED', at > queuedAt ? at : queuedAt, `locked by ${by} since ${at}: ${reason}`);
  }
  const build = deployment.steps.find(({ name }) => name === 'build');
  if (build?.state === 'running') {
    return waitingFor('BUILDING', build.startedAt ?? queuedAt, CODES.BUILDING.text);
  }
  if (lane?.running && lane.running.id !== id) {
    const { id: other, tag, actor } = lane.running;
    return waitingFor('LANE_BUSY', queuedAt, `${other} runs (${tag ? `${shortTag(tag)}, ` : ''}by ${actor})`);
  }
  if (!position) return undefined;
  return waitingFor(
    'LANE_BUSY',
    queuedAt,
    position === 1 ? 'one goes before it' : `${position} go before it`,
  );
}
