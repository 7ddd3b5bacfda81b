/** The life of a release as pure changes of its record; the workflow `release` is their wiring. */
import type { Code } from '../codes.js';
import { CODES } from '../codes.js';
import { emergencyWarnings } from '../emergency.js';
import type { ReleaseStateChange } from '../messages.js';
import type { Release, ReleaseInput, ReleaseOutcome, ReleaseStep, ReleaseStepName } from './release.js';
import { RELEASE_STEPS } from './release.js';

/** As it is from the moment of acceptance. */
export function accepted({ request, names }: ReleaseInput): Release {
  const { app, tag, actor, reason, requestedAt } = request;
  return {
    ...names,
    id: names.gitTag,
    app,
    tag,
    actor,
    ...(reason === undefined ? {} : { reason }),
    state: 'running',
    steps: RELEASE_STEPS.map((name): ReleaseStep => ({ name, state: 'pending' })),
    warnings: emergencyWarnings(actor),
    requestedAt,
  };
}

const withStep = (release: Release, name: ReleaseStepName, change: Partial<ReleaseStep>): Release => ({
  ...release,
  steps: release.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
});

const without = <K extends keyof Release>(release: Release, ...keys: K[]): Release => {
  const rest = { ...release };
  for (const key of keys) delete rest[key];
  return rest;
};

export const stepState = (release: Release, name: ReleaseStepName): ReleaseStep['state'] | undefined =>
  release.steps.find((step) => step.name === name)?.state;

/** Rule 9: it waits for the turn, and says for whom. */
export const awaitTurn = (release: Release, at: string): Release => ({
  ...without(release, 'blocked'),
  state: 'running',
  waitingFor: {
    code: 'LANE_BUSY',
    since: at,
    detail: `another release of ${release.app} runs; they take turns`,
    who: CODES.LANE_BUSY.who,
    actions: ['wait', 'look at the other release'],
  },
});

export const takeTurn = (release: Release, at: string): Release => ({
  ...without(release, 'waitingFor'),
  startedAt: release.startedAt ?? at,
});

/** Where it goes on: the first step that is neither done nor skipped. */
export const nextStep = (release: Release): ReleaseStepName | undefined =>
  release.steps.find(({ state }) => state !== 'done' && state !== 'skipped')?.name;

/** A step that failed begins anew: what it said before is gone. */
export function beginStep(release: Release, name: ReleaseStepName, at: string): Release {
  const begun = { name, state: 'running', startedAt: at } as const;
  return { ...release, steps: release.steps.map((step) => (step.name === name ? begun : step)) };
}

export const describeStep = (release: Release, name: ReleaseStepName, detail: string): Release =>
  withStep(release, name, { detail });

export const finishStep = (release: Release, name: ReleaseStepName, at: string, detail?: string): Release =>
  withStep(release, name, { state: 'done', finishedAt: at, ...(detail ? { detail } : {}) });

export const skipStep = (release: Release, name: ReleaseStepName, at: string, detail: string): Release =>
  withStep(release, name, { state: 'skipped', finishedAt: at, detail });

export const failStep = (release: Release, name: ReleaseStepName, at: string, detail: string): Release =>
  withStep(release, name, { state: 'failed', finishedAt: at, detail });

/** Why a step failed. */
export interface StepFailure {
  step: ReleaseStepName;
  code: Code;
  message: string;
}

/** The request itself cannot be met: there is nothing to try again. */
const REJECTIONS: readonly Code[] = [
  'ALREADY_RELEASED',
  'NOT_A_MAINTAINER',
  'NOT_FOUND',
  'RELEASE_BAD',
  'TAG_NOT_FOUND',
];

/** It ends at once, before anything was written. A retry is another person's: one who may not go on ends nothing. */
export const isRejection = (release: Release, { step, code }: StepFailure): boolean =>
  step === 'validate' && REJECTIONS.includes(code) && (code !== 'NOT_A_MAINTAINER' || !release.retries);

/** It holds no turn now. Retry goes on at this step with the same tag; abandon ends it. */
export function block(release: Release, failure: StepFailure, at: string): Release {
  const { step, code, message } = failure;
  const actions = ['retry', 'abandon'];
  return {
    ...failStep(release, step, at, message),
    state: 'blocked',
    blocked: { step, code, message, actions },
    waitingFor: { code, since: at, detail: message, who: CODES[code].who, actions },
  };
}

export const unblock = (release: Release, at: string): Release =>
  awaitTurn({ ...release, retries: (release.retries ?? 0) + 1 }, at);

/** What a person finds, and may have to remove, where it ended half way. */
export function whatExists(release: Release): string[] {
  const { imageTag, gitTag, digests = {}, deployment, releaseUrl, pullRequest } = release;
  const repositories = Object.keys(digests).map((repository) => `${repository}:${imageTag}`);
  const tagged = stepState(release, 'tag');
  return [
    ...(tagged === 'done' ? repositories.map((name) => `image tag ${name}`) : []),
    ...(tagged === 'failed' || tagged === 'running'
      ? repositories.map((name) => `image tag ${name} (perhaps)`)
      : []),
    ...(deployment ? [`deployment ${deployment}`] : []),
    ...publishedPart(stepState(release, 'publish'), gitTag, releaseUrl),
    ...(pullRequest ? [`changelog pull request ${pullRequest}`] : []),
  ];
}

function publishedPart(
  state: ReleaseStep['state'] | undefined,
  gitTag: string,
  url: string | undefined,
): string[] {
  if (state === 'done') return [`GitHub Release ${gitTag}${url ? `: ${url}` : ''}`];
  return state === 'failed' || state === 'running' ? [`GitHub Release ${gitTag} (perhaps)`] : [];
}

/** Names of its images that count as released: none where nothing of it is left. */
export const releasedTags = (release: Release): string[] => {
  const { tag, gitTag, imageTag } = release;
  const commit = isValidated(release) ? commitOf(release) : [];
  if (release.state === 'finished' && release.outcome !== 'succeeded' && whatExists(release).length === 0)
    return [];
  return [...new Set([tag, gitTag, imageTag, ...commit])];
};

/** Before that its images may turn out to be another release's. */
const isValidated = (release: Release): boolean => stepState(release, 'validate') === 'done';

/**
 * What the entity `releases` has to know of it.
 * @param closed its workflow has closed, whatever the record says: it was terminated
 */
export function stateChange(release: Release, closed = false): ReleaseStateChange {
  const ended = closed && release.state !== 'finished';
  const known: Release = ended ? { ...release, state: 'finished', outcome: 'abandoned' } : release;
  const { id, outcome } = known;
  const digests = isValidated(known) ? known.digests : undefined;
  return {
    id,
    state: known.state === 'running' ? 'ready' : known.state,
    round: known.retries ?? 0,
    ...(outcome ? { outcome } : {}),
    tags: releasedTags(known),
    ...(digests ? { digests } : {}),
  };
}

export const commitOf = ({ release }: Pick<Release, 'release'>): string[] =>
  release !== undefined && /^[0-9a-f]{40}$/.test(release) ? [release] : [];

/** Closes the record; what had not begun is skipped. The changelog of a published one may still be under way. */
export function finish(
  release: Release,
  { outcome, failure }: { outcome: ReleaseOutcome; failure?: StepFailure },
  at: string,
): Release {
  const steps = release.steps.map((step): ReleaseStep => {
    if (outcome === 'succeeded') return step;
    if (step.state === 'pending') return { ...step, state: 'skipped' };
    return step.state === 'running'
      ? { ...step, state: 'failed', finishedAt: at, ...(failure ? { detail: failure.message } : {}) }
      : step;
  });
  const ended = { ...without(release, 'waitingFor', 'blocked'), steps };
  return {
    ...ended,
    state: 'finished',
    outcome,
    ...(failure ? { failure: { ...failure, exists: whatExists(ended) } } : {}),
    finishedAt: at,
  };
}

/** A person gives it up: blocked, or before its turn. */
export function abandon(
  release: Release,
  { actor, reason }: { actor: string; reason?: string },
  at: string,
): Release {
  const step = release.blocked?.step ?? nextStep(release) ?? 'changelog';
  const why = release.blocked ? `; it was blocked at ${step}: ${release.blocked.message}` : '';
  const message = `Abandoned by ${actor}${reason ? `: ${reason}` : ''}${why}`;
  return finish(
    release,
    { outcome: 'abandoned', failure: { step, code: release.blocked?.code ?? 'STOPPED', message } },
    at,
  );
}

export const warn = (release: Release, code: string, message: string): Release => ({
  ...release,
  warnings: [...release.warnings.filter((warning) => warning.code !== code), { code, message }],
});

export const unwarn = (release: Release, code: string): Release => ({
  ...release,
  warnings: release.warnings.filter((warning) => warning.code !== code),
});
