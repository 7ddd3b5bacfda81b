/**
 * What the API, the workflows and the activities call each other by: workflow types, task queues, signals,
 * updates, memo keys, search attributes. Renaming one is a change of protocol.
 */
import type { Code } from './codes.js';
import type { Deployment, DeploymentRequest, Failure, Outcome, Target } from './deployment.js';
import type { Lock } from './lock.js';
import type { Merge, Promotion } from './promotion/promotion.js';
import type { TestsEnded } from './promotion/effects.js';
import type { ReleaseNames } from './release/release.js';

export type { Lock } from './lock.js';

export const WORKFLOW = {
  deployment: 'deployment',
  lane: 'lane',
  build: 'build',
  notice: 'notice',
  rollback: 'rollback',
  releases: 'releases',
  release: 'release',
  promotionQueue: 'promotionQueue',
  tests: 'tests',
  delivery: 'delivery',
  reconcile: 'reconcile',
  promotionNotice: 'promotionNotice',
  plan: 'plan',
  driftNotice: 'driftNotice',
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
  /** `Release`, on workflow `release`. */
  release: 'release',
  /** `ReleasesView`, on workflow `releases`. */
  releases: 'releases',
  /** `PromotionQueueView`, on workflow `promotionQueue`. */
  promotions: 'promotions',
  /** What a queue that is started anew needs and people do not: on workflow `promotionQueue`. */
  promotionState: 'promotionState',
  /** Tells the body that was sent from another under the same key: on workflow `rollback`, from its start. */
  fingerprint: 'fingerprint',
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
  /** API → build: `BuildWanted`; it goes on although no deployment waits for it. */
  wanted: 'wanted',
  /** deployment → notice: `Notice`. */
  notice: 'notice',
  /** lane → a deployment that waits: `Superseded`. */
  superseded: 'superseded',
  /** deployment → the release or rollback that it belongs to: `DeploymentEnded`. */
  deploymentEnded: 'deploymentEnded',
  /** release → releases: `ReleaseStateChange`. */
  releaseState: 'releaseState',
  /** API → a blocked release: `RetryRequest`. */
  retry: 'retry',
  /** API → a blocked release: `AbandonRequest`. */
  abandon: 'abandon',
  /** delivery or reconcile → promotion queue: `MergesNews`. */
  merges: 'merges',
  /**
   * anyone → promotion queue: what runs, or what the lanes do, may have changed: it looks afresh. With an `OutsideEnd`
   * where a deployment that is not its own has ended. Also queue → its production deployment, which waits for a lock.
   */
  look: 'look',
  /** delivery → tests: `{ id }`, of the GitHub workflow run that has news. */
  runChanged: 'runChanged',
  /** tests → promotion queue: `{ promotion, attempt, url }`, once its run has an address. */
  testsStarted: 'testsStarted',
  /** tests → promotion queue: `TestsReport`. */
  testsEnded: 'testsEnded',
  /** deployment → lane: `Ticket`, which gives its turn back and waits on. */
  giveBack: 'giveBack',
  /** promotion queue → notice: `PromotionNews`. */
  promotionNews: 'promotionNews',
  /** API → deployment, nothing with it: ECS tells of the end of a rollout, so a read is worth its call now. */
  ecsNews: 'ecsNews',
} as const;

export const UPDATE = {
  /** API → lane: `DeploymentRequest` → `Accepted`. */
  request: 'request',
  /** API → lane: `LockRequest` → `Lock`. */
  lock: 'lock',
  /** API → lane: `{ by }` → the `Lock` that was lifted. */
  unlock: 'unlock',
  /** rollback → the production lane: `BadMark` → the mark that stands, the first one of its release. */
  markBad: 'markBad',
  /** API → releases: `ReleaseRequest` → `ReleaseAccepted`. */
  release: 'release',
  /** release → releases: `ImageClaim` → `ImageClaimed`. */
  claim: 'claim',
  /** API → promotion queue: each answers with the `PromotionQueueView` after it. Lock and unlock as a lane's. */
  approve: 'approve',
  reject: 'reject',
  cancel: 'cancel',
  retryPromotion: 'retryPromotion',
  resolve: 'resolve',
  reportTests: 'reportTests',
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

/** What replaced it: a deployment's id. */
export interface Superseded {
  by: string;
}

/** A release that is not to be deployed any more, in either environment; never removed, only overridden. */
export interface BadMark {
  release: string;
  /** The image tag that it was live under. */
  tag?: string;
  /** One line. */
  reason: string;
  by: string;
  /** ISO 8601. */
  at: string;
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
  /** A rollback that passes the lane's lock. */
  override?: boolean;
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
  /** Oldest first; the production lane holds them for the app. Absent in memos of earlier versions. */
  bad?: BadMark[];
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

/** A person wants the images, for themselves. */
export interface BuildWanted {
  /** GitHub login. */
  by: string;
  /** Of the Idempotency-Key, scoped by actor and route; random without one. */
  key: string;
}

export interface BuildView {
  /** `{app}.{commit}` */
  id: string;
  app: string;
  commit: string;
  state: 'running' | 'finished';
  result?: BuildResult;
  /** The latest 20. */
  wanted?: BuildWanted[];
}

/** A change of state that people are told of. */
export interface Notice {
  at: string;
  change: 'started' | 'slow' | 'ended';
  deployment: Deployment;
}

export interface ReleaseAccepted extends ReleaseNames {
  /** = `gitTag` */
  id: string;
  /** True where the same key had been accepted before. */
  again: boolean;
}

/**
 * `ready`: it wants the turn, or wants it again; `blocked`: it gives the turn back; `finished`: it has ended.
 */
export interface ReleaseStateChange {
  id: string;
  state: 'ready' | 'blocked' | 'finished';
  /** How often it was retried: a turn that was given for an earlier try is void. */
  round: number;
  outcome?: string;
  /** Tags that now name its images. Empty at the end: nothing is left of it, it may be released anew. */
  tags: string[];
  digests?: Record<string, string>;
}

/** releases → release, with the signal `turn`. */
export interface ReleaseTurn {
  round: number;
}

/** Asked by a release once it knows its images. */
export interface ImageClaim {
  id: string;
  /** Repository → digest. */
  digests: Record<string, string>;
  /** Other names of these images: the commit that they hold. */
  tags: string[];
  /** The person wants them released once more. */
  again: boolean;
}

export interface ImageClaimed {
  /** Id of the release that these images had before. */
  first?: string;
}

/** How a deployment ended, as the release or rollback that it belongs to hears of it. */
export interface DeploymentEnded {
  id: string;
  outcome: Outcome;
  verified: boolean;
  failure?: Failure;
  release?: string;
  digests?: Record<string, string>;
}

export interface RetryRequest {
  actor: string;
  reason?: string;
  /** Lifts `RELEASE_BAD`, with a reason. */
  override?: boolean;
}

export interface AbandonRequest {
  actor: string;
  reason?: string;
}

/** A release's place among those of its app. */
export interface ReleasePlace {
  id: string;
  round: number;
}

/** What is known of a release whose images are taken: none of these names is released again by accident. */
export interface ReleasedImages {
  id: string;
  /** The tag that was asked for, `{app}-{date}`, `rel-{date}`, and the commit. */
  tags: string[];
  /** Every `repository@digest`, in order, with blanks between; absent before they are known. */
  digests?: string;
}

/** Of an accepted request, to know it again when its key comes a second time. */
export interface SeenRelease {
  unique: string;
  id: string;
  fingerprint: string;
  at: string;
}

/** The releases of an app as the API reads them from the memo, without a worker. */
export interface ReleasesView {
  app: string;
  /** Date of the newest one. */
  last?: string;
  running?: ReleasePlace;
  /** In the order in which they will be served. At most 50. */
  waiting: ReleasePlace[];
  /** Newest first, at most 50. */
  released: ReleasedImages[];
  /** Newest first, at most 50. */
  seen: SeenRelease[];
}

/** What a push, or the branch itself, brought for an app. */
export interface MergesNews {
  /** Head of the branch up to which merges were looked for. */
  head: string;
  /** Where the push began that they came with; absent: everything was looked for, from where the queue stood. */
  before?: string;
  /** In the order of the branch; may be empty. */
  merges: Merge[];
}

/** One webhook as a `delivery` keeps it: what it needs, nothing else of the payload (rule 7). */
export type Delivered =
  | {
      event: 'push';
      /** `refs/heads/main` */
      ref: string;
      before: string;
      after: string;
      /** Login of who pushed. */
      sender?: string;
    }
  | {
      event: 'workflow_run';
      /** Of the run. */
      id: number;
      action: string;
    };

/** A deployment that is not the queue's own has ended. */
export interface OutsideEnd extends Target {
  id: string;
  kind: DeploymentRequest['kind'];
  outcome: Outcome;
  /** It ended before it wrote anything to AWS. */
  untouched?: boolean;
  /** ISO 8601: when it ended. */
  at?: string;
}

/** How one attempt of the tests ended, as the promotion queue hears of it. */
export interface TestsReport extends TestsEnded {
  promotion: string;
  attempt: number;
  others?: Record<string, string>;
}

/** A change that the people of a promotion are told of. */
export interface PromotionNews {
  at: string;
  change: 'staging' | 'testing' | 'unlocked' | 'production' | 'waiting' | 'escalated' | 'ended';
  promotion: Promotion;
}

/** A service that runs something else than the last thing that was done in its lane. */
export interface DriftNotice extends Target {
  /** ARN of what runs. */
  revision: string;
  /** What runs, what should, and what to do. */
  message: string;
  /** ISO 8601. */
  at: string;
}

/** Worker Deployment of all workers, where they are versioned; the release is the build id. */
export const WORKER_DEPLOYMENT = 'sluice';
