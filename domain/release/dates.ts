/** The names of a release: all come from one date, of which an app has never two alike. */
import type { ReleaseNames } from './release.js';

const DATE = /^(\d{4})\.(\d{2})\.(\d{2})\.(\d{2})\.(\d{2})\.(\d{2})$/;

/** `YYYY.MM.DD.HH.MM.SS`, UTC, zero padded. */
export const releaseDate = (ms: number): string =>
  new Date(ms).toISOString().slice(0, 19).replace(/[-T:]/g, '.');

/** @returns milliseconds since the epoch; undefined where `text` is no such date */
export function dateMs(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) || releaseDate(ms) !== text ? undefined : ms;
}

/** The present second, or the one after `last`, whichever is later: also where the clock was set back. */
export function nextDate(last: string | undefined, now: number): string {
  const after = last === undefined ? undefined : dateMs(last);
  return releaseDate(after === undefined ? now : Math.max(now, after + 1_000));
}

export const releaseNames = (app: string, date: string): ReleaseNames => ({
  date,
  gitTag: `${app}-${date}`,
  imageTag: `rel-${date}`,
});

/** The date in a release's id; undefined where it is not one of this app. */
export function dateOf(app: string, id: string): string | undefined {
  const prefix = `${app}-`;
  const date = id.startsWith(prefix) ? id.slice(prefix.length) : '';
  return dateMs(date) === undefined ? undefined : date;
}

/** The part of a deployment's id that a release gives it: the same for every attempt at starting it. */
export const deploymentUnique = ({ date }: Pick<ReleaseNames, 'date'>, attempt: number): string =>
  `rel${date.replaceAll('.', '')}a${attempt}`;
