/**
 * What a deployment is, as people and scripts see it. The shapes here are the HTTP API's, the memo's and
 * the workflow result's; they are plain JSON, because they cross continue-as-new, activities and the wire.
 */
import type { Code } from './codes.js';

/** One app in one environment: one ECS service, and therefore one lane. */
export interface Target {
  app: string;
  environment: string;
}

export const KINDS = ['deploy', 'redeploy', 'rollback', 'release', 'promotion'] as const;
export type Kind = (typeof KINDS)[number];

/** The environment that people use: its lane holds the app's bad marks. */
export const PRODUCTION = 'production';

/** In the order in which they run. `build` is skipped where a tag or digests were asked for. */
export const STEPS = [
  'authorise',
  'build',
  'validate',
  'look',
  'register',
  'update',
  'stabilise',
  'verify',
] as const;
export type StepName = (typeof STEPS)[number];

/** How a deployment can end: a closed set. Everything but `succeeded` carries a failure and a dossier. */
export const OUTCOMES = [
  'succeeded',
  'rolled-back',
  'failed',
  'stopped',
  'superseded',
  'timed-out',
  'rejected',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Durations in milliseconds, fixed at acceptance: a change of configuration touches no running deployment. */
export interface Limits {
  tellAfterMs: number;
  giveUpAfterMs: number;
  verifyMs: number;
}

/** An accepted request: the input of the workflow `deployment`. Holds no secret (rule 7). */
export interface DeploymentRequest extends Target {
  /** `{environment}.{app}.{unique}` */
  id: string;
  kind: Kind;
  /** A tag of the image set; with `commit`, the commit; with `digests`, a label only. */
  tag: string;
  /** 40 hex: build it where the registry lacks it. */
  commit?: string;
  /** Repository → digest. Given: looked up and verified by these, never by the tag. */
  digests?: Record<string, string>;
  /** GitHub login of who asked. */
  actor: string;
  /** False where something else authorises it (a merge its own staging deployment). Rule 11. */
  checkActor: boolean;
  reason?: string;
  override?: boolean;
  /** A redeployment of what runs: `tag` is empty, and found in `validate` from what the version endpoint reports. */
  current?: boolean;
  /** A rollback that was asked for while another deployment ran: what is live, and so its target, is decided at its turn. */
  decide?: boolean;
  /** A production rollback: what waits in the lane ends `superseded`, linked to it. */
  supersedes?: boolean;
  /** The deployment that runs in the lane is stopped. */
  now?: boolean;
  /** Known before it was asked for; they stay on the deployment. */
  warnings?: Warning[];
  /** Id of the deployment that this one tries again. */
  retryOf?: string;
  parent?: { type: string; id: string };
  /** ISO 8601. */
  queuedAt: string;
  limits: Limits;
  /** The lane was free: the turn comes with the start. */
  hasTurn?: boolean;
}

export type StepState = 'pending' | 'running' | 'done' | 'failed' | 'skipped';

export interface Step {
  name: StepName;
  state: StepState;
  startedAt?: string;
  finishedAt?: string;
  /** One line in plain words. */
  detail?: string;
}

export interface EcsEvent {
  at: string;
  message: string;
}

/** Live picture of a rollout, from ECS. Counts are tasks. */
export interface Rollout {
  desired: number;
  running: number;
  pending: number;
  failed: number;
  /** Running tasks of every other deployment of the service. */
  previousRunning: number;
  /** Oldest first; at most the last 50. */
  events: EcsEvent[];
  updatedAt: string;
}

export interface Failure {
  step: StepName;
  code: Code;
  message: string;
}

export interface StoppedTasks {
  reason: string;
  count: number;
  /** `container: exit code` where ECS tells one. */
  exitCodes: Record<string, number>;
  /** Tasks of this group, ARNs, at most 3. */
  examples: string[];
}

/** What is left of a deployment that did not succeed; bounded, kept in the workflow's result. */
export interface Dossier {
  events: EcsEvent[];
  stoppedTasks: StoppedTasks[];
  counts?: Omit<Rollout, 'events'>;
  /** What the service runs now: revision ARN and ECS's own words. */
  now?: string;
  /** Build or container output, scrubbed; maintainers only (rule 7). */
  lastLines?: { source: string; lines: string[] }[];
}

export interface ImageChange {
  container: string;
  before?: string;
  after: string;
}

/** Names only, never values (rule 7). */
export interface NameChanges {
  added: string[];
  removed: string[];
  changed: string[];
}

/** Rule 9: every wait says why, since when, who can end it, and how. */
export interface WaitingFor {
  code: Code;
  since: string;
  detail: string;
  who: string;
  actions: string[];
}

export interface Warning {
  code: string;
  message: string;
}

/** The deployment as `GET /api/deployments/{id}` gives it, less what only the API knows (`links`). */
export interface Deployment extends Target {
  id: string;
  kind: Kind;
  tag?: string;
  commit?: string;
  release?: string;
  digests?: Record<string, string>;
  actor: string;
  reason?: string;
  state: 'queued' | 'running' | 'finished';
  outcome?: Outcome;
  verified?: boolean;
  step?: StepName;
  steps: Step[];
  waitingFor?: WaitingFor;
  warnings: Warning[];
  revision?: string;
  images?: ImageChange[];
  variables?: NameChanges;
  secrets?: NameChanges;
  rollout?: Rollout;
  failure?: Failure;
  dossier?: Dossier;
  parent?: { type: string; id: string };
  retryOf?: string;
  /** Deployment id, or a revision ARN where somebody else's replaced it. */
  supersededBy?: string;
  position?: number;
  queuedAt: string;
  startedAt?: string;
  finishedAt?: string;
}
