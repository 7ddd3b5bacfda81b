/** The start rule: which merge goes to staging next, and why none does. */
import type { Code } from '../codes.js';
import { deployToStaging, end, mergerOf, remember, retire, tell } from './draft.js';
import { lockedNow } from './conditions.js';
import { positionOf } from './events.js';
import type { EnvironmentRead, Observation } from './read.js';
import { compareReads, isUnchanged, releaseIn } from './read.js';
import { waitOn } from './since.js';
import type { Draft, PromotionState } from './state.js';
import { isActive, policyOf, sinceOf } from './state.js';
import { move } from './table.js';
import type { Promotion } from './promotion.js';

/** Ends those that never start: they are carried already, or are no longer on the branch. */
export function prune(draft: Draft, { relations, production }: Observation): void {
  const { q } = draft;
  if (!relations) return;
  const live = releaseIn(production);
  const isInRelease = (one: Promotion, release: string): boolean =>
    relations.contains[release]?.includes(one.release) ?? false;
  for (const one of [...q.waiting]) {
    if (relations.positions[one.release] === undefined) {
      const message = 'It is no longer on the branch';
      leave(draft, one, {
        what: 'gone from the branch',
        to: 'cancelled',
        failure: { code: 'NOT_ON_BRANCH', message },
      });
      continue;
    }
    const isLive = live !== undefined && isInRelease(one, live);
    const carriedBy =
      q.started && isInRelease(one, q.started.release)
        ? q.started.id
        : isLive
          ? (idOf(q, live) ?? `${q.app}.${live}`)
          : undefined;
    if (carriedBy) leave(draft, one, { what: 'carried', to: 'superseded', carriedBy });
  }
}

const idOf = ({ current, recent }: PromotionState, release: string): string | undefined =>
  [current, ...recent].find((one) => one?.release === release)?.id;

export function leave(draft: Draft, one: Promotion, how: Parameters<typeof end>[2]): void {
  const { q } = draft;
  q.waiting = q.waiting.filter(({ id }) => id !== one.id);
  end(draft, one, how);
  remember(draft, one);
}

/** A known reason, or somebody's override, holds only while neither environment changes. */
export function lapse({ q }: Draft, { staging, production }: Observation): void {
  const isReadable = !staging.unreadable && !production.unreadable;
  if (!isReadable) return;
  if (q.known && !q.known.staging) q.known = { why: q.known.why, staging, production };
  const holds = (one: { staging?: EnvironmentRead; production?: EnvironmentRead }): boolean =>
    isUnchanged(one.staging ?? staging, staging) && isUnchanged(one.production ?? production, production);
  if (q.known && !holds(q.known)) delete q.known;
  if (q.override && !holds(q.override)) delete q.override;
}

interface Hindrance {
  code: Code;
  detail: string;
  since?: string;
}

/** Starts what may start; else says at the queue, and at everything that waits in it, why nothing does. */
export function start(draft: Draft, read: Observation): void {
  const { q } = draft;
  while (q.waiting.length > 0) {
    const hindrance = hindranceOf(q, read);
    if (hindrance) return sayWhy(draft, hindrance);
    startNext(draft);
  }
  startsNothing(q);
}

function sayWhy(draft: Draft, { code, detail, since }: Hindrance): void {
  const { q, now } = draft;
  const why = { code, message: detail };
  const found = waitOn(draft, { before: q.waitingFor, keeper: q, now: why });
  const waitingFor = { ...found, since: since ?? found.since };
  const isOwn = code === 'PROMOTION_RUNNING' || code === 'RESTORING';
  if (isOwn) startsNothing(q);
  else q.waitingFor = waitingFor;
  for (const one of q.waiting) {
    // What waits for the same as the queue has done so as long as it, or since it came.
    const from = isOwn ? sinceOf(one.waitingFor, code, now) : waitingFor.since;
    one.waitingFor = { ...waitingFor, since: since ?? latest(from, one.queuedAt) };
  }
}

/** Nothing is held up that somebody could free. */
function startsNothing(q: PromotionState): void {
  delete q.waitingFor;
  delete q.aside;
}

const latest = (one: string, other: string): string => (one > other ? one : other);

/** In this order: the first that holds is told. */
function hindranceOf(q: PromotionState, read: Observation): Hindrance | undefined {
  const isOff = policyOf(q).queue === 'off';
  const { current } = q;
  if (isActive(current) && (!isOff || current.stage === 'production')) {
    return { code: 'PROMOTION_RUNNING', detail: `${current.id} is under way (${current.stage})` };
  }
  const locked = lockedNow(q.lock);
  if (locked && q.lock) return { code: locked.code, detail: locked.message, since: q.lock.at };
  if (q.restore) {
    return { code: 'RESTORING', detail: `${q.restore.id} brings staging back to what production runs` };
  }
  return isOff ? undefined : (busyLane(read) ?? environments(q, read));
}

/** Queued or running in either lane, and not the queue's own. */
function busyLane({ lanes, relations }: Observation): Hindrance | undefined {
  const other = [...lanes.staging, ...lanes.production][0];
  if (other)
    return { code: 'LANE_BUSY', detail: `${other.id} (${other.kind}) runs or waits outside the queue` };
  if (!relations) return { code: 'GITHUB_DOWN', detail: 'The repository does not answer: it is asked again' };
  return undefined;
}

function environments(q: PromotionState, { staging, production }: Observation): Hindrance | undefined {
  const unreadable = staging.unreadable ?? production.unreadable;
  if (unreadable) return { code: unreadable.code, detail: unreadable.message };
  if (q.known?.staging || q.override) return undefined;
  const compared = compareReads(staging, production);
  if (compared === 'equal') return undefined;
  if (compared === 'unknown') {
    const mute = staging.release === undefined ? 'staging' : 'production';
    return { code: 'VERSION_UNKNOWN', detail: `Which release ${mute} runs is not known` };
  }
  const words = (read: EnvironmentRead): string => releaseIn(read) ?? 'an unknown release';
  return {
    code: 'ENVIRONMENTS_DIFFER',
    detail: `Staging runs ${words(staging)}, production ${words(production)}, and the queue does not know why`,
  };
}

function startNext(draft: Draft): void {
  const { q } = draft;
  const isLatest = policyOf(q).queue === 'latest';
  const next = isLatest ? q.waiting.at(-1) : q.waiting[0];
  if (!next) return;
  const older = isLatest ? q.waiting.slice(0, -1) : [];
  q.waiting = q.waiting.filter(({ id }) => id !== next.id);
  for (const one of older) {
    leave(draft, one, { what: 'carried', to: 'superseded', carriedBy: next.id });
  }
  next.merges = [...older.flatMap(({ merges }) => merges), ...next.merges];
  if (isActive(q.current)) {
    // With the queue off a newer merge takes the place of an older one; its deployment goes on.
    const failure = { code: 'SUPERSEDED', message: `${next.id} was merged after it` };
    end(draft, q.current, { what: 'newer merge', to: 'superseded', carriedBy: next.id, failure });
  }
  retire(draft);
  begin(draft, next);
}

function begin(draft: Draft, next: Promotion): void {
  const { q, now } = draft;
  move(draft, next, 'start', 'staging');
  next.startedAt = now;
  q.current = next;
  q.started = { release: next.release, position: positionOf(next), id: next.id };
  delete q.known;
  delete q.override;
  deployToStaging(draft, next, { actor: mergerOf(next), checkActor: false });
  tell(draft, 'staging', next);
}
