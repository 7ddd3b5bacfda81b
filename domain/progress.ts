/** The life of a deployment as pure changes of its record; the workflow `deployment` is their wiring. */
import type { Code } from './codes.js';
import { REJECTIONS } from './codes.js';
import type {
  Deployment,
  DeploymentRequest,
  Dossier,
  Failure,
  Outcome,
  Step,
  StepName,
} from './deployment.js';
import { STEPS } from './deployment.js';
import { EMERGENCY, emergencyWarnings } from './emergency.js';
import type { Stabilised } from './effects.js';
import type { DeploymentEnded } from './messages.js';

/** As it is from the moment of acceptance: queued, the membership of who asked just checked. */
export function accepted(request: DeploymentRequest): Deployment {
  const {
    limits: _limits,
    checkActor: _checkActor,
    override: _override,
    hasTurn: _hasTurn,
    ...rest
  } = request;
  const {
    current: _current,
    supersedes: _supersedes,
    now: _now,
    decide: _decide,
    tag,
    warnings = [],
    ...shown
  } = rest;
  const authorised: Step = {
    name: 'authorise',
    state: 'done',
    startedAt: request.queuedAt,
    finishedAt: request.queuedAt,
    detail: authorisedBy(request),
  };
  const others = STEPS.slice(1).map((name): Step => ({
    name,
    state: name === 'build' && !request.commit ? 'skipped' : 'pending',
  }));
  return {
    ...shown,
    // Where no tag was asked for it is known later.
    ...(tag ? { tag } : {}),
    state: 'queued',
    steps: [authorised, ...others],
    warnings: [...emergencyWarnings(request.actor), ...warnings],
  };
}

function authorisedBy({ actor, checkActor }: DeploymentRequest): string {
  if (!checkActor) return `${actor}: authorised by what it belongs to`;
  return actor === EMERGENCY
    ? 'by the emergency token; whether GitHub is still down is asked before the first write'
    : `${actor} is a maintainer; asked again before the first write`;
}

const withStep = (deployment: Deployment, name: StepName, change: Partial<Step>): Deployment => ({
  ...deployment,
  steps: deployment.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
});

export const beginStep = (
  deployment: Deployment,
  name: StepName,
  at: string,
  detail?: string,
): Deployment => ({
  ...withStep(deployment, name, { state: 'running', startedAt: at, ...(detail ? { detail } : {}) }),
  step: name,
});

export const finishStep = (deployment: Deployment, name: StepName, at: string, detail?: string): Deployment =>
  withStep(deployment, name, { state: 'done', finishedAt: at, ...(detail ? { detail } : {}) });

/** It ended, but what it found is a failure of the deployment. */
export const failStep = (deployment: Deployment, name: StepName, at: string, detail: string): Deployment =>
  withStep(deployment, name, { state: 'failed', finishedAt: at, detail });

export const takeTurn = (deployment: Deployment, at: string): Deployment => ({
  ...deployment,
  state: 'running',
  startedAt: at,
});

/** How it ends, short of the record itself. */
export interface Ending {
  outcome: Outcome;
  verified?: boolean;
  failure?: Failure;
  supersededBy?: string;
}

/** An error's code decides between `rejected` (a condition was not met) and `failed`. */
export const failureEnding = (step: StepName, code: Code, message: string): Ending => ({
  outcome: REJECTIONS.includes(code) ? 'rejected' : 'failed',
  failure: { step, code, message },
});

const VERDICTS: Record<Exclude<Stabilised['verdict'], 'stable'>, { outcome: Outcome; code: Code }> = {
  'rolled-back': { outcome: 'rolled-back', code: 'ROLLED_BACK' },
  'rollback-failed': { outcome: 'failed', code: 'ROLLBACK_FAILED' },
  'tasks-failed': { outcome: 'failed', code: 'TASKS_FAILED' },
  superseded: { outcome: 'superseded', code: 'SUPERSEDED' },
  'service-gone': { outcome: 'failed', code: 'SERVICE_GONE' },
  'timed-out': { outcome: 'timed-out', code: 'TIMED_OUT' },
};

/** @returns undefined where the rollout is stable: verify has the next word. */
export function verdictEnding({ verdict, message, now }: Stabilised): Ending | undefined {
  if (verdict === 'stable') return undefined;
  const { outcome, code } = VERDICTS[verdict];
  return {
    outcome,
    failure: { step: 'stabilise', code, message },
    ...(verdict === 'superseded' && now ? { supersededBy: now } : {}),
  };
}

/** Closes the record: the step that ran has failed (or was stopped), those after it are skipped. */
export function finish(deployment: Deployment, ending: Ending, at: string, dossier?: Dossier): Deployment {
  const steps = deployment.steps.map((step): Step => {
    if (step.state === 'running') {
      const state = ending.outcome === 'succeeded' ? 'done' : 'failed';
      return {
        ...step,
        state,
        finishedAt: at,
        ...(ending.failure ? { detail: ending.failure.message } : {}),
      };
    }
    return step.state === 'pending' ? { ...step, state: 'skipped' } : step;
  });
  const ended: Deployment = {
    ...deployment,
    ...ending,
    state: 'finished',
    steps,
    finishedAt: at,
    ...(dossier ? { dossier } : {}),
  };
  delete ended.waitingFor;
  return ended;
}

/** As its owner hears of it. Without a word at its end it was ended from outside. */
export function endedOf(id: string, record: Deployment | undefined): DeploymentEnded {
  const { outcome, verified = false, step = 'authorise', failure, release, digests } = record ?? {};
  const more = { ...(release ? { release } : {}), ...(digests ? { digests } : {}) };
  if (outcome) return { id, outcome, verified, ...(failure ? { failure } : {}), ...more };
  const message = 'Its workflow ended in Temporal without an outcome';
  return { id, outcome: 'failed', verified: false, failure: { step, code: 'TERMINATED', message }, ...more };
}

/** For the memo: without the dossier, and with no more of the events than a list needs. */
export function forMemo(deployment: Deployment): Deployment {
  const { dossier: _dossier, ...memo } = deployment;
  if (!memo.rollout) return memo;
  return { ...memo, rollout: { ...memo.rollout, events: memo.rollout.events.slice(-5) } };
}
