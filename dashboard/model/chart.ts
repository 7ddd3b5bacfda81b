/** Deployments over time as points: when they ended, how long they took, how they ended. */
import { tookMs } from './expected.js';
import type { ShownDeployment } from './types.js';
import { durationOf } from './words.js';

export type Look = 'good' | 'bad' | 'neither';

export interface Point {
  id: string;
  x: number;
  y: number;
  look: Look;
  words: string;
}

export interface Tick {
  at: number;
  label: string;
}

export interface Chart {
  points: Point[];
  /** Of durations, from below. */
  rows: Tick[];
  /** Of days. */
  columns: Tick[];
}

export interface Box {
  width: number;
  height: number;
}

const BAD = ['failed', 'rolled-back', 'timed-out'];
const MINUTE = 60_000;
/** Steps of the durations' axis, in minutes. */
const STEPS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240];
const ROWS = 4;
const DAY = 24 * 60 * MINUTE;

export const lookOf = (outcome: string | undefined): Look =>
  outcome === 'succeeded' ? 'good' : BAD.includes(outcome ?? '') ? 'bad' : 'neither';

/** Within a box whose origin is its upper left corner. Only what had a turn and has ended is a point. */
export function chartOf(deployments: readonly ShownDeployment[], { width, height }: Box): Chart | undefined {
  const ended = deployments.flatMap((one) => {
    const ms = tookMs(one);
    return ms === undefined ? [] : [{ one, ms, at: Date.parse(one.finishedAt ?? '') }];
  });
  if (ended.length === 0) return undefined;
  const times = ended.map(({ at }) => at);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const span = Math.max(to - from, MINUTE);
  const step = stepFor(Math.max(...ended.map(({ ms }) => ms)));
  const top = step * ROWS;
  const xOf = (at: number): number => ((at - from) / span) * width;
  const yOf = (ms: number): number => height - (Math.min(ms, top) / top) * height;
  return {
    points: ended.map(({ one, ms, at }) => ({
      id: one.id,
      x: xOf(at),
      y: yOf(ms),
      look: lookOf(one.outcome),
      words: `${one.app} on ${one.environment}: ${one.outcome ?? 'ended'} after ${durationOf(ms)}`,
    })),
    rows: Array.from({ length: ROWS + 1 }, (_, at) => ({
      at: yOf(step * at),
      label: at === 0 ? '0' : durationOf(step * at),
    })),
    columns: daysBetween(from, to).map((at) => ({ at: xOf(at), label: dayName(at) })),
  };
}

const stepFor = (longest: number): number =>
  (STEPS.find((minutes) => minutes * MINUTE * ROWS >= longest) ?? Math.ceil(longest / ROWS / MINUTE)) *
  MINUTE;

/** Midnights, at most eight of them. */
function daysBetween(from: number, to: number): number[] {
  const first = new Date(from);
  first.setHours(24, 0, 0, 0);
  const count = Math.floor((to - first.getTime()) / DAY) + 1;
  if (count <= 0) return [];
  const every = Math.max(1, Math.ceil(count / 8));
  return Array.from({ length: Math.ceil(count / every) }, (_, at) => {
    const day = new Date(first);
    day.setDate(day.getDate() + at * every);
    return day.getTime();
  }).filter((at) => at <= to);
}

const dayName = (at: number): string =>
  new Date(at).toLocaleDateString(undefined, { day: 'numeric', month: 'short' });

/** For who does not see it. */
export function chartWords(deployments: readonly ShownDeployment[]): string {
  const ended = deployments.filter(({ state }) => state === 'finished');
  const good = ended.filter(({ outcome }) => outcome === 'succeeded').length;
  return `${ended.length} deployments over time: ${good} succeeded, ${ended.length - good} did not. The table below has each of them.`;
}
