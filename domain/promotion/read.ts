/**
 * What a fresh read of both environments tells. An empty or missing release is unknown, never different: then
 * the digests decide, and where those are unreported nobody can tell.
 */
import type { Limits, WaitingFor } from '../deployment.js';
import type { BadMark, Ticket } from '../messages.js';
import type { Relations } from './effects.js';
import type { PromotionPolicy } from './promotion.js';

/** From `sluice.yaml`, as the last read found them: a change of configuration counts from the next read on. */
export interface QueueSettings {
  policy: PromotionPolicy;
  tests?: { kind: 'github' | 'command' | 'report'; attempts: number; timeoutMs: number };
  remindAfterMs: number;
  escalateAfterMs: number;
  limits: Limits;
}

/** One environment's service, as it is now. */
export interface EnvironmentRead {
  /** What the version endpoint reports. */
  release?: string;
  /** Where it reports none: the release that Sluice deployed last, while that is what runs. Never proves equality. */
  deployed?: string;
  /** Repository → digest of the image set that runs. */
  digests?: Record<string, string>;
  /** Id of the PRIMARY deployment. */
  primary?: string;
  /** A tag of what runs, where Sluice deployed it. */
  tag?: string;
  /** ECS could not be read at all. */
  unreadable?: { code: 'AWS_DOWN' | 'AWS_REFUSED' | 'SERVICE_GONE'; message: string };
}

export interface Observation {
  /** Of the state when the read began. */
  epoch: number;
  settings: QueueSettings;
  staging: EnvironmentRead;
  production: EnvironmentRead;
  /** Deployments that hold a place in either lane. */
  lanes: { staging: Place[]; production: Place[] };
  bad: BadMark[];
  /** Absent: the source does not answer. */
  relations?: Relations;
  /** Absent in histories of earlier versions. */
  own?: OwnDeployment;
  /** Words, where images were asked for and one is not there. */
  missing?: string;
}

/** The queue's own deployment that was asked about; empty: none was, it is not there yet, or it has ended. */
export interface OwnDeployment {
  id?: string;
  /** `queued` until it has its turn, and goes on with it. */
  state?: 'queued' | 'running';
  waitingFor?: WaitingFor;
}

export type Place = Pick<Ticket, 'id' | 'kind'>;

/** Rule 6: what was tested, and has to be what runs when it is approved and when production gets it. */
export interface Evidence {
  release: string;
  digests: Record<string, string>;
  primary?: string;
}

export type Comparison = 'equal' | 'different' | 'unknown';

const compare = (one: string | undefined, other: string | undefined): Comparison =>
  one === undefined || other === undefined ? 'unknown' : one === other ? 'equal' : 'different';

export const digestsText = (digests: Record<string, string> | undefined): string | undefined =>
  digests &&
  Object.entries(digests)
    .map(([repository, digest]) => `${repository}@${digest}`)
    .sort()
    .join(' ');

/** Both version endpoints report the same; where one does not tell, the digests decide. */
export function compareReads(one: EnvironmentRead, other: EnvironmentRead): Comparison {
  const released = compare(one.release, other.release);
  return released === 'unknown' ? compare(digestsText(one.digests), digestsText(other.digests)) : released;
}

/** Whether it runs this release, of these digests where they are known. */
export function runs(
  read: EnvironmentRead,
  { release, digests }: { release: string; digests?: Record<string, string> },
): Comparison {
  const released = compare(read.release, release);
  return released === 'unknown' ? compare(digestsText(read.digests), digestsText(digests)) : released;
}

/**
 * Whether an environment is still what the tests saw. One that moved away and came back has moved: its PRIMARY
 * deployment is another one.
 */
export function stillIs(read: EnvironmentRead, evidence: Evidence): Comparison {
  const parts = [
    runs(read, evidence),
    ...(read.digests ? [compare(digestsText(read.digests), digestsText(evidence.digests))] : []),
    ...(evidence.primary ? [compare(read.primary, evidence.primary)] : []),
  ];
  if (parts.includes('different')) return 'different';
  return parts.includes('unknown') ? 'unknown' : 'equal';
}

/** Neither release, digests nor PRIMARY tells that it has changed; what cannot be told counts as unchanged. */
export const isUnchanged = (before: EnvironmentRead, now: EnvironmentRead): boolean =>
  ![
    compare(before.primary, now.primary),
    compare(before.release, now.release),
    compare(digestsText(before.digests), digestsText(now.digests)),
  ].includes('different');

/** The release that runs, as well as it can be known. */
export const releaseIn = (read: EnvironmentRead): string | undefined => read.release ?? read.deployed;

/** Whether `release` is `other` or comes after it on the branch. */
export const isIn = (relations: Relations, { other, release }: { other: string; release: string }): boolean =>
  release === other || (relations.contains[release]?.includes(other) ?? false);
