/** How the dashboard says times, durations and names. */
import { shortTag } from '../../domain/summary.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `45 s`, `12 min`, `3 h 5 min`, `4 days`: as exact as somebody who waits needs it. */
export function durationOf(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < 9_950) return `${(Math.floor(whole / 100) / 10).toFixed(whole < SECOND ? 1 : 0)} s`;
  if (whole < 2 * MINUTE) return `${Math.floor(whole / SECOND)} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) {
    const minutes = Math.floor((whole % HOUR) / MINUTE);
    return `${Math.floor(whole / HOUR)} h${minutes ? ` ${minutes} min` : ''}`;
  }
  const days = Math.floor(whole / DAY);
  return days === 1 ? '1 day' : `${days} days`;
}

/** Since an ISO 8601 time; undefined where there is none. A clock that is ahead of ours counts as now. */
export const since = (at: string | undefined, now: number): string | undefined =>
  at === undefined ? undefined : durationOf(now - Date.parse(at));

/** A commit short, `before-sluice` and `rel-…` as they are. */
export const short = (name: string): string => shortTag(name);

/** `api:42` of an ARN. */
export const revisionName = (arn: string): string => arn.split('/').at(-1) ?? arn;

/** `openverse-api:1a2b3c4 @ 90ab12cd` of a reference with tag and digest. */
export function imageName(reference: string): { name: string; tag: string; digest: string } {
  const [named = '', digest = ''] = reference.split('@');
  const path = named.split('/').at(-1) ?? named;
  const colon = path.indexOf(':');
  return {
    name: colon < 0 ? path : path.slice(0, colon),
    tag: colon < 0 ? '' : short(path.slice(colon + 1)),
    digest: digest.replace(/^sha256:/, '').slice(0, 12),
  };
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `a`, `a or b`, `a, b or c` */
export const either = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;

/** As a sentence: with a full stop, unless it ends with one, and commits short. */
export const stopped = (text: string): string =>
  `${text}${/[.!?…]$/.test(text) ? '' : '.'}`.replace(/\b[0-9a-f]{40}\b/g, short);
