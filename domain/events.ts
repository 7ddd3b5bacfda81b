/** Which events of a service are new: ECS gives the latest 100 with every read, and no way to page. */
import type { EcsEvent } from './deployment.js';

/** ECS keeps and gives this many. */
export const ECS_KEEPS = 100;
export const MISSED = '(events missed)';

export interface EventRead {
  /** Absent at some emulators. */
  id?: string;
  /** ISO 8601. */
  at: string;
  message: string;
}

/** What has been shown: everything up to `at`, and of the last moments before it these. */
export interface Cursor {
  /** ISO 8601 of the newest event that was seen. */
  at: string;
  /** Keys of the events seen within `OVERLAP_MS` before `at`: they come again, and others may come late. */
  keys: string[];
}

/** An event may appear after one with a later time; within this it is still shown. */
const OVERLAP_MS = 5_000;

const keyOf = (event: EventRead): string => event.id ?? `${event.at} ${event.message}`;
const time = (iso: string): number => Date.parse(iso);

/** ECS may give whole seconds only: what it tells of a moment may seem to lie before it. */
export const wholeSecond = (at: number): string => new Date(Math.floor(at / 1000) * 1000).toISOString();

export interface NewEvents {
  /** Oldest first; starts with `(events missed)` where ECS has dropped some since the last read. */
  fresh: EcsEvent[];
  cursor: Cursor | undefined;
}

/**
 * @param read as ECS gives them: newest first, some possibly twice
 * @param from ISO 8601; without a cursor, events before it are not of this rollout
 */
export function newEvents(input: {
  read: readonly EventRead[];
  cursor: Cursor | undefined;
  from: string;
}): NewEvents {
  const { read, cursor, from } = input;
  const seen = new Set(cursor?.keys);
  const since = cursor ? time(cursor.at) - OVERLAP_MS : time(from);
  const begin = time(from);
  const byKey = new Map<string, EventRead>();
  for (const event of read.toReversed()) {
    const at = time(event.at);
    const key = keyOf(event);
    if (at >= begin && at >= since && !seen.has(key) && !byKey.has(key)) byKey.set(key, event);
  }
  // The sort is stable: events of the same time keep ECS's order.
  const ordered = [...byKey.values()].sort((a, b) => time(a.at) - time(b.at));
  const fresh = ordered.map(({ at, message }): EcsEvent => ({ at, message }));
  const [oldest] = fresh;
  if (oldest && missedSome(read, cursor, begin)) fresh.unshift({ at: oldest.at, message: MISSED });
  return { fresh, cursor: advanced({ cursor, ordered }) };
}

/** The oldest one that ECS still has is newer than all that was seen. */
function missedSome(read: readonly EventRead[], cursor: Cursor | undefined, begin: number): boolean {
  if (read.length < ECS_KEEPS) return false;
  const keys = new Set(cursor?.keys);
  const bound = cursor ? Math.max(begin, time(cursor.at)) : begin;
  return !read.some((event) => time(event.at) < bound || keys.has(keyOf(event)));
}

function advanced({
  cursor,
  ordered,
}: {
  cursor: Cursor | undefined;
  ordered: EventRead[];
}): Cursor | undefined {
  const newest = ordered.at(-1);
  if (!newest) return cursor;
  const at = cursor && time(cursor.at) > time(newest.at) ? cursor.at : newest.at;
  const recent = ordered.filter((event) => time(event.at) >= time(at) - OVERLAP_MS).map(keyOf);
  // Keys carry no time: all of them are kept while the newest event is within the overlap of the last.
  const before = cursor && time(at) - time(cursor.at) <= OVERLAP_MS ? cursor.keys : [];
  return { at, keys: [...new Set([...before, ...recent])].slice(-2 * ECS_KEEPS) };
}

/** Appends, and keeps the last `bound`. Where some of the new ones find no room, it says so in their place. */
export function appendEvents(
  events: readonly EcsEvent[],
  fresh: readonly EcsEvent[],
  bound = 50,
): EcsEvent[] {
  if (fresh.length <= bound) return [...events, ...fresh].slice(-bound);
  const shown = fresh.slice(1 - bound);
  return [{ at: shown[0]?.at ?? '', message: MISSED }, ...shown];
}
