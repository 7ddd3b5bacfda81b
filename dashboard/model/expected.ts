/** How long a deployment takes, learnt from the app's own history. */
import type { ShownDeployment } from './types.js';
import { durationOf } from './words.js';

export interface Expectation {
  /** Median, milliseconds from its turn to its end. */
  ms: number;
  /** Of how many. */
  of: number;
}

/** From its turn to its end; undefined while it runs or where it never had one. */
export function tookMs({
  startedAt,
  finishedAt,
}: Pick<ShownDeployment, 'startedAt' | 'finishedAt'>): number | undefined {
  return startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : undefined;
}

/** @param history succeeded ones of the same service */
export function expectation(history: readonly ShownDeployment[]): Expectation | undefined {
  const times = history.flatMap((one) => tookMs(one) ?? []).sort((a, b) => a - b);
  const ms = times[Math.floor((times.length - 1) / 2)];
  return ms === undefined ? undefined : { ms, of: times.length };
}

export function expectedWords({ ms, of }: Expectation, elapsedMs: number): string {
  const usual = `usually ${durationOf(ms)}, by the last ${of === 1 ? 'one' : of} that succeeded here`;
  const left = ms - elapsedMs;
  if (left > 0) return `about ${durationOf(left)} left (${usual})`;
  return `${durationOf(-left)} longer than usual (${usual})`;
}
