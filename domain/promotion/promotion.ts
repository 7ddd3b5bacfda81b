/**
 * What a promotion is: one pass of a release from staging to production, and the queue that an app's promotions
 * wait in. The shapes here are the HTTP API's and the memo's; plain JSON.
 */
import type { WaitingFor } from '../deployment.js';
import type { Lock } from '../lock.js';

/** In the order in which a promotion passes them; the rest are ends. */
export const STAGES = [
  'queued',
  'staging',
  'testing',
  'awaiting-approval',
  'production',
  'promoted',
  'failed',
  'rejected',
  'superseded',
  'cancelled',
] as const;
export type Stage = (typeof STAGES)[number];

/** Stages that can fail, and are tried again by `retry`. */
export type FailedStage = 'staging' | 'testing' | 'production';

export const QUEUE_STATES = ['idle', 'busy', 'waiting', 'locked'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

export const RESOLUTIONS = ['adopt', 'restore-staging', 'override'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** A first-parent commit of the branch that touches the app's paths. */
export interface Merge {
  /** 40 hex. */
  sha: string;
  /** First line of the commit, or the pull request's title. */
  title: string;
  /** GitHub login of the change's author; where GitHub could not tell, the name in the commit. */
  author: string;
  /** Number of the pull request. */
  pullRequest?: number;
  /** GitHub login of who merged it: authorises its staging deployment, and is told. Absent where GitHub could not tell. */
  mergedBy?: string;
  /** How many first-parent commits the branch has up to this one: the order of the branch. */
  position: number;
}

export type TestState = 'running' | 'passed' | 'failed' | 'inconclusive';

/** One run of the tests against staging. */
export interface TestAttempt {
  /** 1 for the first. */
  attempt: number;
  state: TestState;
  /** Where it can be looked at. */
  url?: string;
  /** One line: why it failed or was inconclusive, or what the report sums up. */
  detail?: string;
  startedAt: string;
  finishedAt?: string;
  /** Releases that the other apps' staging ran meanwhile: app → release. */
  others?: Record<string, string>;
}

export interface Tests {
  state: TestState;
  url?: string;
  /** The latest one. */
  attempt: number;
  /** Oldest first; every one of this promotion, visible for ever. */
  attempts: TestAttempt[];
}

/** Rule 6: what was approved, by whom, on which evidence. */
export interface Approval {
  /** GitHub login; `sluice` where the queue approved by itself. */
  by: string;
  at: string;
  release: string;
  /** Repository → digest. */
  digests: Record<string, string>;
  /** The test run's address, or what stood for it in words. */
  tests: string;
  override?: boolean;
  reason?: string;
}

export interface PromotionFailure {
  code: string;
  message: string;
}

export interface Promotion {
  /** `{app}.{release}`; a later one of the same release ends with `.2`, `.3`, … */
  id: string;
  app: string;
  /** The commit that was merged, or what was adopted. */
  release: string;
  /** What it brings: its own merge last; with policy `latest` those that it carries before it. */
  merges: Merge[];
  /** Of what was adopted, and is no merge of its own: its place in the order of the branch. */
  position?: number;
  stage: Stage;
  failedStage?: FailedStage;
  /** Why it failed, was rejected, superseded or cancelled, in words. */
  failure?: PromotionFailure;
  /** Id of the promotion that carries it. */
  carriedBy?: string;
  waitingFor?: WaitingFor;
  /** Id of the latest deployment to staging. */
  staging?: string;
  tests?: Tests;
  approval?: Approval;
  /** Id of the latest deployment to production. */
  production?: string;
  /** Who adopted, rejected or cancelled it. */
  by?: string;
  /** Given with that. */
  reason?: string;
  queuedAt: string;
  startedAt?: string;
  stagedAt?: string;
  testedAt?: string;
  approvedAt?: string;
  finishedAt?: string;
}

export interface PromotionPolicy {
  queue: 'latest' | 'every-merge' | 'off';
  approval: 'required' | 'automatic';
}

/** `GET /api/promotions/{app}`, and the memo of `promotion/{app}`. */
export interface PromotionQueueView {
  app: string;
  policy: PromotionPolicy;
  state: QueueState;
  lock?: Lock;
  waitingFor?: WaitingFor;
  /** A `failed` or `rejected` one stays here until another starts. */
  current?: Promotion;
  /** In the order of the branch; at most 50. */
  waiting: Promotion[];
  waitingCount: number;
  /** Ended ones, newest first; at most 20. */
  recent: Promotion[];
}

/** Of commands to the queue: who asks, and under which key (the same key again is answered as before). */
export interface Commanded {
  /** GitHub login. */
  by: string;
  /** Of the Idempotency-Key, scoped by actor and route; random without one. */
  key: string;
}

export interface ApproveCommand extends Commanded {
  release: string;
  override?: boolean;
  reason?: string;
}

/** Also of `cancel`. */
export interface RejectCommand extends Commanded {
  release: string;
  reason: string;
}

export interface RetryCommand extends Commanded {
  release: string;
  override?: boolean;
  reason?: string;
}

export interface ResolveCommand extends Commanded {
  choice: Resolution;
  reason: string;
}

/** A report of tests that ran elsewhere. */
export interface TestsCommand extends Commanded {
  release: string;
  passed: boolean;
  url?: string;
}

export interface LockCommand extends Commanded {
  reason: string;
  code?: string;
}

export type UnlockCommand = Commanded & { reason?: string };
