/** Follows a run of a GitHub workflow until it ends; a run only, whoever started it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { FollowTestsInput, TestRun, TestRunRef, TestsEnded } from '../../domain/promotion/effects.js';
import { endedOf, nextLookIn } from '../../domain/promotion/test-runs.js';
import { GitHub, type GitHubDeps } from './ask.js';

const NEEDS = 'Actions: read';
/** People follow it live. */
const BEAT_MS = 2_000;
/** A run that was dispatched a moment ago may not be found yet. */
const MISSING_FOR_MS = 60_000;
/** Where a failure does not say when to ask again. */
const AGAIN_MS = 15_000;

/** Heartbeat of `followTests`. */
export interface FollowedRun {
  run: Pick<TestRun, 'status' | 'url'>;
}

export function createWorkflowRuns(deps: GitHubDeps, lookIn = nextLookIn) {
  const github = new GitHub(deps);
  return {
    /**
     * One look.
     * @throws ApplicationFailure `GITHUB_FAILED` (no such run); retryable `GITHUB_DOWN`, `GITHUB_REFUSED`
     */
    readTestRun: async ({ run }: { run: TestRunRef }): Promise<TestRun> =>
      shapeOf(
        await github.ask(questionOf(run), (rest) =>
          rest.actions.getWorkflowRun({ ...github.repo, run_id: run.id }),
        ),
      ),
    /**
     * Watches until the run ends or `until` has passed; GitHub's outages and limits are waited out. Only reads, so it can
     * begin again at any time. Heartbeats `FollowedRun`.
     * @throws ApplicationFailure `GITHUB_FAILED`, where GitHub refuses the question for good
     */
    followTests: async (input: FollowTestsInput): Promise<TestsEnded> => {
      const context = Context.current();
      const signal = context.cancellationSignal;
      const watch: Watch = { github, input, lookIn, shown: { status: 'queued', url: input.run.url } };
      const beat = (): void => context.heartbeat({ run: watch.shown } satisfies FollowedRun);
      beat();
      const timer = setInterval(beat, BEAT_MS);
      try {
        return await follow(watch, signal);
      } catch (error) {
        if (signal.aborted) await context.cancelled;
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

interface Watch {
  github: GitHub;
  input: FollowTestsInput;
  lookIn: (ageMs: number) => number;
  shown: FollowedRun['run'];
}

/** Node's timers are no more exact than that. */
const TIMER_MS = 2;

async function follow(watch: Watch, signal: AbortSignal): Promise<TestsEnded> {
  const { input, lookIn } = watch;
  const until = Date.parse(input.until);
  const began = Date.now();
  let seenAt = began;
  for (;;) {
    const at = Date.now();
    const looked = await look(watch);
    if (looked.run) {
      seenAt = at;
      watch.shown = { status: looked.run.status, url: looked.run.url };
      const ended = endedOf(looked.run);
      if (ended) return ended;
    } else if (looked.afterMs === undefined && at - seenAt >= MISSING_FOR_MS) {
      return inconclusive(input, 'GitHub does not have the run: it was deleted');
    }
    // Only now: what ends at the very end counts, and the verdict is from a fresh read.
    if (at >= until) return inconclusive(input, pastLimit(looked));
    const wait = looked.afterMs ?? lookIn(at - began);
    // A timer may fire a moment early: what looks then would look once more.
    const left = until - Date.now() + TIMER_MS;
    await sleep(Math.max(0, Math.min(wait, left)), undefined, { signal });
  }
}

const pastLimit = ({ run, afterMs }: Looked): string =>
  afterMs === undefined
    ? `it did not end in time: the run is ${run?.status ?? 'not to be found'}`
    : 'it is not known whether it ended in time: GitHub does not answer';

const inconclusive = ({ run }: FollowTestsInput, detail: string): TestsEnded => ({
  state: 'inconclusive',
  url: run.url,
  detail,
});

/** Neither: GitHub says that there is no such run. */
interface Looked {
  run?: TestRun;
  /** It could not be asked; again after this time. */
  afterMs?: number;
}

async function look({ github, input: { run } }: Watch): Promise<Looked> {
  try {
    const found = await github.find(questionOf(run), (rest) =>
      rest.actions.getWorkflowRun({ ...github.repo, run_id: run.id }),
    );
    return found ? { run: shapeOf(found) } : {};
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.nonRetryable) throw error;
    return { afterMs: Number(error.nextRetryDelay ?? AGAIN_MS) };
  }
}

const questionOf = ({ id }: TestRunRef) => ({ what: `reading the workflow run ${id}`, needs: NEEDS });

interface GitHubRun {
  id: number;
  html_url: string;
  run_attempt?: number;
  status: string | null;
  conclusion: string | null;
}

const shapeOf = (run: GitHubRun): TestRun => ({
  id: run.id,
  url: run.html_url,
  attempt: run.run_attempt ?? 1,
  status: run.status ?? 'queued',
  conclusion: run.conclusion,
});
