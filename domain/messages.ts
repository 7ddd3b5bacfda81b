/**
 * What the API, the workflows and the activities call each other by: workflow types, task queues, signals,
 * updates, memo keys, search attributes. Renaming one is a change of protocol.
 */
import type { Code } from './codes.js';
import type { Deployment, DeploymentRequest, Target } from './deployment.js';

export const WORKFLOW = {
  deployment: 'deployment',
  lane: 'lane',
  build: 'build',
  notice: 'notice',
} as const;

/** Watches hold a slot for minutes: on their own queue they starve nothing. */
export const QUEUE = {
  main: 'sluice',
  watches: 'sluice-watches',
  builds: 'sluice-builds',
} as const;

/** All are Keyword. SQL visibility allows ten of them in a namespace. */
export const SEARCH_ATTRIBUTE = {
  app: 'SluiceApp',
  environment: 'SluiceEnvironment',
  kind: 'SluiceKind',
  outcome: 'SluiceOutcome',
  release: 'SluiceRelease',
  actor: 'SluiceActor',
} as const;

/** First-level memo keys. */
export const MEMO = {
  /** `Deployment` without dossier, on workflow `deployment`. */
  deployment: 'deployment',
  /** `LaneView`, on workflow `lane`. */
  lane: 'lane',
  /** `BuildView`, on workflow `build`. */
  build: 'build',
} as const;

export const SIGNAL = {
  /** lane → deployment: `Turn`. */
  turn: 'turn',
  /** anyone → deployment: `StopRequest`. */
  stop: 'stop',
  /** build → deployment: `BuildResult`. */
  built: 'built',
  /** build or deployment → lane: `Ticket`, its images are there. Enlists it where the lane lost it. */
  ready: 'ready',
  /** deployment → lane: `LaneEnd`. */
  ended: 'ended',
  /** deployment → build: `BuildAsker`. */
  join: 'join',
  /** deployment → build: `{ id }`, its own: it no longer waits; the last one ends the build. */
  leave: 'leave',
  /** deployment → notice: `Notice`. */
  notice: 'notice',
} as const;

export const UPDATE = {
  /** API → lane: `DeploymentRequest` → `Accepted`. */
  request: 'request',
  /** API → lane: `LockRequest` → `Lock`. */
  lock: 'lock',
  /** API → lane: `{ by }` → the `Lock` that was lifted. */
  unlock: 'unlock',
} as const;

export interface Accepted {
  id: string;
  /** How many go before it; 0: runs now. */
  position: number;
  /** True where the same key had been accepted before. */
  again: boolean;
}

export interface StopRequest {
  actor: string;
  reason?: string;
}

export interface Lock {
  reason: string;
  by: string;
  at: string;
  code?: string;
}

export interface LockRequest {
  reason: string;
  by: string;
  code?: string;
}

/** What a lane remembers of a deployment that succeeded. */
export interface LiveRelease {
  /** Deployment id. */
  id: string;
  release: string;
  tag: string;
  digests: Record<string, string>;
  revision: string;
  verified: boolean;
  at: string;
  by: string;
}

/** How a deployment ended, as its lane needs it. */
export interface LaneEnd {
  id: string;
  outcome: string;
  /** Given where it succeeded. */
  live?: LiveRelease;
}

/** One place in a lane. */
export interface Ticket {
  id: string;
  kind: DeploymentRequest['kind'];
  tag: string;
  actor: string;
  queuedAt: string;
  /** Its images are there: it may have the turn. */
  ready: boolean;
}

/** The lane as the API reads it from the memo, without a worker. */
export interface LaneView extends Target {
  lock?: Lock;
  running?: Ticket;
  /** In the order in which they will be served. At most 50; `waitingCount` tells how many there are. */
  waiting: Ticket[];
  waitingCount: number;
  live?: LiveRelease;
  /** Newest first, at most 50. */
  verified: LiveRelease[];
}

/** `image` is `{registry}/{repository}:{tag}@{digest}`. */
export interface BuiltImage {
  repository: string;
  digest: string;
}

export type BuildResult =
  | { outcome: 'succeeded'; images: BuiltImage[] }
  | { outcome: 'failed' | 'rejected' | 'stopped'; code: Code; message: string; lastLines: string[] };

/** Who waits for a build: told of its result, and then its lane told that it is ready. */
export interface BuildAsker extends Target {
  ticket: Ticket;
}

export interface BuildView {
  id: string;
  app: string;
  commit: string;
  state: 'running' | 'finished';
  result?: BuildResult;
}

/** A change of state that people are told of. */
export interface Notice {
  at: string;
  change: 'started' | 'slow' | 'ended';
  deployment: Deployment;
}
