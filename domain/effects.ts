/**
 * What goes into and comes out of the activities of a deployment. Only ARNs, digests, names and counts:
 * no task definition and no environment value passes here (rule 7).
 */
import type { Dossier, ImageChange, NameChanges, Rollout, Target, Warning } from './deployment.js';

/** An image of the set as the registry holds it. */
export interface ResolvedImage {
  /** Containers of the task definition that run it. */
  containers: string[];
  repository: string;
  tag: string;
  /** `sha256:…` of the manifest or index that the tag names. */
  digest: string;
  /** Digests that an index lists; ECS reports one of these for a multi-platform image. */
  listed: string[];
}

export interface ValidateInput extends Target {
  tag: string;
  digests?: Record<string, string>;
}

export interface Validated {
  /** The tag that was found, where none was asked for. */
  tag?: string;
  images: ResolvedImage[];
  /** What the version endpoint has to report: revision label, else a 40-hex tag on the digest, else the tag. */
  release: string;
  warnings: Warning[];
  /** The release is marked bad, in words for people. */
  bad?: string;
}

/** What was there before anything was written. */
export interface Look {
  service: string;
  cluster: string;
  /** Id of the PRIMARY deployment (`ecs-svc/…`). Absent where the service never deployed. */
  primary?: string;
  /** Revision (task definition ARN) of PRIMARY. */
  revision?: string;
  /** The last COMPLETED revision: the way back. */
  wayBack?: string;
  /** Container → digest of the way back's running tasks or its image reference; to render it again. */
  wayBackDigests: Record<string, string>;
  desired: number;
  warnings: Warning[];
}

export interface RegisterInput extends Target {
  id: string;
  actor: string;
  /** Ask GitHub again, afresh, before writing (rule 11). */
  checkActor: boolean;
  tag: string;
  release: string;
  images: ResolvedImage[];
  look: Look;
}

export interface Registered {
  /** ARN. */
  revision: string;
  images: ImageChange[];
  variables: NameChanges;
  secrets: NameChanges;
}

export interface UpdateInput extends Target {
  id: string;
  revision: string;
  look: Look;
}

/**
 * `sent`: UpdateService was sent; `adopted`: ours was PRIMARY already; `used`: ours was used and is no longer
 * PRIMARY, nothing was sent, the watch judges; `superseded`: somebody else's came between look and update.
 */
export interface Updated {
  state: 'sent' | 'adopted' | 'used' | 'superseded';
  /** Id of our deployment at ECS, where known. */
  deployment?: string;
  /** ISO 8601 of the answer: reads begun before it are void, `giveUpAfter` counts from it. */
  at: string;
  /** Revision that is PRIMARY instead. */
  by?: string;
}

export interface StabiliseInput extends Target {
  id: string;
  /** The revision whose rollout is watched. */
  revision: string;
  deployment?: string;
  /** Reads begun before this are void. */
  since: string;
  /** Absolute, so that a restart of the worker does not prolong it. */
  giveUpAt: string;
  /** The revision that a rollback by ECS would bring back. */
  wayBack?: string;
}

export type VerdictState =
  'stable' | 'rolled-back' | 'rollback-failed' | 'tasks-failed' | 'superseded' | 'service-gone' | 'timed-out';

export interface Stabilised {
  verdict: VerdictState;
  /** Plain words: what was read. */
  message: string;
  rollout: Rollout;
  /** PRIMARY revision at the verdict. */
  now?: string;
}

/** Absent: what was read decides nothing yet. */
export interface Glance {
  stabilised?: Stabilised;
}

export interface VerifyInput extends Target {
  revision: string;
  images: ResolvedImage[];
  release: string;
  /** Absolute end of `limits.verify`. */
  until: string;
}

export interface Verified {
  /** False: what could not be read is in `detail` (rule 3). */
  verified: boolean;
  detail: string;
}

export interface GoBackInput extends Target {
  id: string;
  /** Our revision, whose rollout is ended. */
  revision: string;
  deployment?: string;
  look: Look;
}

/** What stopping did at ECS. */
export interface WentBack {
  /** `nothing`: ECS rolls back already, or ours never became PRIMARY. */
  state: 'sent' | 'nothing';
  /** The revision to wait for. */
  revision?: string;
  deployment?: string;
  at: string;
}

export interface DossierInput extends Target {
  revision?: string;
  since: string;
}

export type CollectedDossier = Dossier;
