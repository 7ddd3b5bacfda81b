/**
 * What has to hold for production to get a promotion: asked when it is approved, and again when its deployment
 * has its turn. Every answer is from a fresh read (rule 6).
 */
import { badWords, markOf } from '../bad.js';
import type { Code } from '../codes.js';
import type { Lock } from '../messages.js';
import type { EnvironmentRead, Evidence, Observation } from './read.js';
import { isIn, releaseIn, stillIs } from './read.js';
import type { PromotionState } from './state.js';

export interface Unmet {
  code: Code;
  message: string;
}

/** These pass by themselves, or with the lock: the approval stands, and it is looked at again. */
const PASSING: readonly Code[] = [
  'LOCKED',
  'PRODUCTION_ROLLED_BACK',
  'AWS_DOWN',
  'AWS_REFUSED',
  'SERVICE_GONE',
  'VERSION_UNKNOWN',
  'GITHUB_DOWN',
];

export const isLockCode = (code: Code): boolean => code === 'LOCKED' || code === 'PRODUCTION_ROLLED_BACK';

export const isPassing = (code: Code): boolean => PASSING.includes(code);

export const MOVED = 'Staging has moved since this release was tested there';

export interface ConditionsInput {
  lock?: Lock;
  evidence?: Evidence;
  /** Staging has moved since the tests, whatever it runs now. */
  void?: true;
  override?: boolean;
}

/** @returns the first condition that does not hold */
export function unmet(input: ConditionsInput, read: Observation): Unmet | undefined {
  return (
    lockedNow(input.lock) ??
    stagingUnmet(input, read.staging) ??
    imagesUnmet(read) ??
    badNow(input, read) ??
    productionUnmet(input, read)
  );
}

export function lockedNow(lock: Lock | undefined): Unmet | undefined {
  if (!lock) return undefined;
  const code = lock.code === 'PRODUCTION_ROLLED_BACK' ? lock.code : 'LOCKED';
  return { code, message: `The queue is locked by ${lock.by} since ${lock.at}: ${lock.reason}` };
}

function stagingUnmet(input: ConditionsInput, staging: EnvironmentRead): Unmet | undefined {
  if (staging.unreadable) return staging.unreadable;
  const { evidence } = input;
  if (input.void || !evidence) {
    return { code: 'STAGING_MOVED', message: MOVED };
  }
  const still = stillIs(staging, evidence);
  if (still === 'equal') return undefined;
  if (still === 'different') return { code: 'STAGING_MOVED', message: movedWords(staging, evidence) };
  return {
    code: 'VERSION_UNKNOWN',
    message: 'Which release staging runs is not known: its version endpoint and its digests tell nothing',
  };
}

function movedWords(staging: EnvironmentRead, { release }: Evidence): string {
  const now = releaseIn(staging);
  return now === undefined || now === release
    ? `Staging was deployed again since ${release} was tested there`
    : `Staging runs ${now} now, not ${release}, which was tested there`;
}

const imagesUnmet = ({ missing }: Observation): Unmet | undefined =>
  missing === undefined ? undefined : { code: 'TAG_NOT_FOUND', message: missing };

function badNow({ evidence, override }: ConditionsInput, { bad }: Observation): Unmet | undefined {
  const mark = override || !evidence ? undefined : markOf(bad, evidence.release);
  return mark && { code: 'RELEASE_BAD', message: badWords(mark) };
}

/** Production's release is an ancestor: what it runs is not lost by the promotion. */
function productionUnmet(
  { evidence, override }: ConditionsInput,
  { production, relations }: Observation,
): Unmet | undefined {
  if (override || !evidence) return undefined;
  if (production.unreadable) return production.unreadable;
  const live = releaseIn(production);
  if (live === undefined) {
    return { code: 'PRODUCTION_MOVED', message: 'Which release production runs is not known' };
  }
  if (live === evidence.release) return undefined;
  if (!relations)
    return { code: 'GITHUB_DOWN', message: 'The repository does not answer: it is asked again' };
  if (isIn(relations, { other: live, release: evidence.release })) return undefined;
  return {
    code: 'PRODUCTION_MOVED',
    message: `Production runs ${live}, which ${evidence.release} does not contain`,
  };
}

/** A promotion that nobody looks at brings no release that was marked bad, also inside a later one. */
export function containsBad(release: string, { bad, production, relations }: Observation): Unmet | undefined {
  if (!relations) return undefined;
  const live = releaseIn(production);
  const isLive = (one: string): boolean =>
    live !== undefined && isIn(relations, { other: one, release: live });
  const mark = bad.find((one) => isIn(relations, { other: one.release, release }) && !isLive(one.release));
  return mark && { code: 'RELEASE_BAD', message: `It contains ${badWords(mark)}` };
}

export type TurnAnswer = { answer: 'go' } | ({ answer: 'wait' | 'reject' } & Unmet);

/**
 * First step of a promotion's production deployment, once it has its lane's turn.
 * @param deployment its id: an approval is for one deployment
 */
export function atTurn(
  { current, lock, work }: Pick<PromotionState, 'current' | 'lock' | 'work'>,
  deployment: string,
  read: Observation,
): TurnAnswer {
  const approval = current?.approval;
  if (!approval || current.stage !== 'production' || current.production !== deployment) {
    return { answer: 'reject', code: 'NOT_UNLOCKED', message: 'Its approval does not stand any more' };
  }
  const { override, by } = approval;
  const hindrance =
    unmet({ ...(lock ? { lock } : {}), ...work, ...(override ? { override } : {}) }, read) ??
    (by === BY_ITSELF ? containsBad(approval.release, read) : undefined);
  if (!hindrance) return { answer: 'go' };
  return { answer: isPassing(hindrance.code) ? 'wait' : 'reject', ...hindrance };
}

/** Who approves where nobody has to. */
export const BY_ITSELF = 'sluice';
