/** What a workflow run at GitHub says of the tests. */
import type { TestRun, TestsEnded } from './effects.js';

/** Only `success` passes and only `failure` fails: the rest tells nothing of the release. */
const INCONCLUSIVE: Readonly<Record<string, string>> = {
  cancelled: 'the run was cancelled',
  timed_out: 'the run timed out at GitHub',
  skipped: 'every job of the run was skipped',
  neutral: 'the run ended neutral: it says neither',
  stale: 'GitHub gave the run up',
  action_required: 'the run waits for a person at GitHub',
  startup_failure: 'the run could not start: look at the workflow file',
};

/** Quick at first: short suites end within minutes. */
const QUICK_MS = 10_000;
const QUICK_FOR_MS = 10 * 60_000;
const SLOW_MS = 30_000;

/** @returns undefined while it runs. A re-run counts as what the run is now */
export function endedOf({ url, attempt, status, conclusion }: TestRun): TestsEnded | undefined {
  if (status !== 'completed' || conclusion === null) return undefined;
  const which = attempt > 1 ? ` at attempt ${attempt} of the run` : '';
  if (conclusion === 'success') return { state: 'passed', url, detail: `passed${which}` };
  if (conclusion === 'failure') return { state: 'failed', url, detail: `failed${which}` };
  const why = INCONCLUSIVE[conclusion] ?? `GitHub calls the run ${conclusion.slice(0, 50)}`;
  return { state: 'inconclusive', url, detail: `${why}${which}` };
}

/** @param ageMs since the watch began. @returns how long until the next look */
export const nextLookIn = (ageMs: number): number => (ageMs < QUICK_FOR_MS ? QUICK_MS : SLOW_MS);
