/**
 * What a published release is: the record `{app}-{date}` that a `release` workflow makes. The shapes are the
 * HTTP API's, the memo's and the workflow result's: plain JSON, no secret.
 */
import type { Code } from '../codes.js';
import type { Limits, StepState, WaitingFor, Warning } from '../deployment.js';

/** In the order in which they run: what is published is what runs. `deploy` is skipped for `releaseOnly` apps. */
export const RELEASE_STEPS = ['validate', 'tag', 'deploy', 'publish', 'changelog'] as const;
export type ReleaseStepName = (typeof RELEASE_STEPS)[number];

export const RELEASE_OUTCOMES = ['succeeded', 'abandoned', 'rejected'] as const;
export type ReleaseOutcome = (typeof RELEASE_OUTCOMES)[number];

/** What the person asked for, before `releases/{app}` has given it a date. */
export interface ReleaseRequest {
  app: string;
  /** Tag of the image set that becomes the release. */
  tag: string;
  actor: string;
  reason?: string;
  /** Release the same image once more. */
  again?: boolean;
  /** Lifts `RELEASE_BAD` (with a reason). */
  override?: boolean;
  /** Derived from actor, route and Idempotency-Key; random without a key. */
  unique: string;
  /** ISO 8601. */
  requestedAt: string;
  /** The app has no service: everything but the deployment. */
  releaseOnly: boolean;
  limits: Limits;
}

/** Input of the workflow `release/{app}-{date}`. */
export interface ReleaseInput {
  request: ReleaseRequest;
  names: ReleaseNames;
  /** Tests lower these. */
  tuning?: { watchdogMs?: number; changelogMs?: number };
}

export interface ReleaseNames {
  /** `YYYY.MM.DD.HH.MM.SS`, UTC. */
  date: string;
  /** `{app}-{date}`: id, git tag and name of the GitHub Release. */
  gitTag: string;
  /** `rel-{date}` */
  imageTag: string;
}

export interface ReleaseStep {
  name: ReleaseStepName;
  state: StepState;
  startedAt?: string;
  finishedAt?: string;
  detail?: string;
}

/** As `GET /api/releases/{id}` gives it, less what only the API knows (`links`). */
export interface Release extends ReleaseNames {
  /** = `gitTag` */
  id: string;
  app: string;
  tag: string;
  actor: string;
  reason?: string;
  state: 'running' | 'blocked' | 'finished';
  outcome?: ReleaseOutcome;
  steps: ReleaseStep[];
  waitingFor?: WaitingFor;
  blocked?: { step: ReleaseStepName; code: Code; message: string; actions: string[] };
  /** Where it ended without succeeding: why, and what exists already. */
  failure?: { step: ReleaseStepName; code: Code; message: string; exists: string[] };
  /** The release (commit) that the images hold. */
  release?: string;
  digests?: Record<string, string>;
  /** Where these images had been released before: by which release. */
  first?: string;
  /** How often a person let it go on after it was blocked. */
  retries?: number;
  /** Id of the deployment, of the latest attempt. */
  deployment?: string;
  /** HTML address of the GitHub Release, and of the changelog pull request. */
  publishedAt?: string;
  releaseUrl?: string;
  pullRequest?: string;
  warnings: Warning[];
  requestedAt: string;
  startedAt?: string;
  finishedAt?: string;
}
