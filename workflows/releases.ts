/**
 * Workflow `releases/{app}`: an entity that lives for months. It gives each release of the app its date, and
 * the turn: one runs at a time, a blocked one holds none. It knows which images were released, as which release.
 * The rules are `domain/release/releases.ts`.
 *
 * What it keeps:
 * 1. No two releases have the same date, and a request's release exists before its update is answered.
 * 2. A turn is for one try: one that is given late, after the release was blocked, is void.
 * 3. A place is freed on evidence only: the release said so, or its record or Temporal does.
 * 4. Without handed-over state (first run, terminated, reset) it recovers before it takes or gives anything.
 * 5. Continue-as-new only with no handler under way; releases are abandoned children, so they live on.
 */
import {
  allHandlersFinished,
  condition,
  log,
  makeContinueAsNewFunc,
  setCurrentDetails,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { MEMO } from '../domain/messages.js';
import { releasesMarkdown } from '../domain/release/words.js';
import type { ReleaseInput } from '../domain/release/release.js';
import type { ReleasesState } from '../domain/release/releases.js';
import * as rules from '../domain/release/releases.js';
import { reads } from './effects.js';
import { signalTurn } from './releases-children.js';
import { ReleasesDesk } from './releases-desk.js';
import { wordsOf } from './failure.js';

export interface ReleasesInput {
  app: string;
  /** Handed over by the run before. */
  state?: ReleasesState;
  /** Tests lower these. */
  tuning?: { watchdogMs?: number; continueAfterEvents?: number; release?: ReleaseInput['tuning'] };
}

/** How long a release that ended without a word can hold its place. */
const WATCHDOG_MS = 60_000;
/** As many are looked after by one watchdog's round; the first in line come first. */
const LOOKED_AFTER = 100;

export async function releases(input: ReleasesInput): Promise<void> {
  const { app, tuning } = input;
  const state = input.state ?? rules.noReleases(app);
  const desk = new ReleasesDesk(state, input.state !== undefined, tuning?.release);
  desk.open();
  if (!input.state) desk.recover(await reads.recoverReleases({ app }));
  publish(desk.state);

  const full = (): boolean =>
    workflowInfo().continueAsNewSuggested ||
    workflowInfo().historyLength >= (tuning?.continueAfterEvents ?? Number.POSITIVE_INFINITY);
  const mayContinue = (): boolean => full() && allHandlersFinished();

  while (!mayContinue()) {
    await giveTurnIfFree(desk);
    if (desk.takeChange()) publish(desk.state);
    else await awaitChange(desk, mayContinue, tuning?.watchdogMs ?? WATCHDOG_MS);
  }
  // The memo is not handed over by itself: it could not be read until the next run has begun.
  const next = makeContinueAsNewFunc<typeof releases>({
    memo: { [MEMO.releases]: rules.viewOf(desk.state) },
  });
  await next({ ...input, state: desk.state });
}

async function giveTurnIfFree(desk: ReleasesDesk): Promise<void> {
  const next = rules.nextTurn(desk.state);
  // Its workflow has to be there to be told.
  if (!next || desk.isStarting(next.id)) return;
  desk.change(rules.giveTurn(desk.state, next));
  // In one batch of commands with the signal: an entity that is terminated here has the turn in its memo.
  publish(desk.state);
  if (!(await signalTurn(next))) await lookAfter(desk, [next.id]);
}

async function lookAfter(desk: ReleasesDesk, ids: string[]): Promise<void> {
  try {
    for (const change of await reads.findEndedReleases({ ids })) desk.change(rules.heed(desk.state, change));
  } catch (error) {
    log.warn('The watchdog could not look; it looks again', { error: wordsOf(error) });
  }
}

/** Wakes at a change; while somebody holds a place also now and then, to see whether they still run. */
async function awaitChange(
  desk: ReleasesDesk,
  mayContinue: () => boolean,
  watchdogMs: number,
): Promise<void> {
  const next = rules.nextTurn(desk.state);
  const startable = (): boolean => next !== undefined && !desk.isStarting(next.id);
  const attention = (): boolean => desk.hasChanged() || startable() || mayContinue();
  if (rules.idsHere(desk.state).length === 0) return condition(attention);
  if (await condition(attention, watchdogMs, { summary: 'watchdog: do they still run?' })) return;
  const ids = rules.idsHere(desk.state).filter((id) => !desk.isStarting(id));
  await lookAfter(desk, ids.slice(0, LOOKED_AFTER));
}

function publish(state: ReleasesState): void {
  upsertMemo({ [MEMO.releases]: rules.viewOf(state) });
  setCurrentDetails(releasesMarkdown(state));
}
