/**
 * Workflow `lane/{environment}/{app}`: an entity that lives for months. It gives turns (rule 1), holds the
 * lock, and remembers what is live and what was verified. The rules are `domain/lane.ts`.
 *
 * What it keeps:
 * 1. A request is in the queue before its update is answered, and its deployment's workflow exists by then.
 * 2. A turn is given only to a deployment that is ready, with the start of its workflow or after it.
 * 3. A place is freed on evidence only: the deployment said that it ended, or Temporal says that it closed.
 *    There is no lease that runs out under a deployment that still works.
 * 4. Continue-as-new only with no handler under way; deployments are abandoned children, so they live on.
 * 5. Without handed-over state (first run, terminated, reset) it recovers before it takes or gives anything.
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
import type { Target } from '../domain/deployment.js';
import type { HandedOver } from '../domain/lane.js';
import * as rules from '../domain/lane.js';
import { MEMO } from '../domain/messages.js';
import { laneMarkdown } from '../domain/summary.js';
import { reads } from './effects.js';
import { signalTurn } from './lane-children.js';
import { LaneDesk } from './lane-desk.js';
import { wordsOf } from './failure.js';

export interface LaneInput extends Target {
  /** Handed over by the run before. */
  state?: HandedOver;
  /** Tests lower these. */
  tuning?: { watchdogMs?: number; continueAfterEvents?: number };
}

/** How long a deployment that ended without a word can hold its place. */
const WATCHDOG_MS = 60_000;
/** As many are looked after by one watchdog's round; the first in line come first. */
const LOOKED_AFTER = 100;

export async function lane(input: LaneInput): Promise<void> {
  const { app, environment, tuning } = input;
  const desk = new LaneDesk(
    input.state ? rules.load(input.state) : rules.emptyLane(input),
    input.state !== undefined,
  );
  desk.open();
  if (!input.state) desk.recover(await reads.recoverLane({ app, environment }));
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
  // The memo is not handed over by itself: without it the lane could not be read until its next run has begun.
  const next = makeContinueAsNewFunc<typeof lane>({ memo: { [MEMO.lane]: rules.viewOf(desk.state) } });
  await next({ ...input, state: desk.state });
}

async function giveTurnIfFree(desk: LaneDesk): Promise<void> {
  const next = rules.nextTurn(desk.state);
  if (!next) return;
  desk.change(rules.giveTurn(desk.state, next));
  // In one batch of commands with the signal: a lane that is terminated here has the turn in its memo.
  publish(desk.state);
  if (!(await signalTurn(next.id))) desk.change(rules.end(desk.state, { id: next.id, outcome: 'gone' }));
}

/** Wakes at a change; while somebody holds a place also now and then, to see whether they still run. */
async function awaitChange(desk: LaneDesk, mayContinue: () => boolean, watchdogMs: number): Promise<void> {
  const attention = (): boolean => desk.hasChanged() || mayContinue();
  const ids = rules.idsHere(desk.state);
  if (ids.length === 0) return condition(attention);
  if (await condition(attention, watchdogMs, { summary: 'watchdog: do they still run?' })) return;
  try {
    const ended = await reads.findEnded({ ids: ids.slice(0, LOOKED_AFTER) });
    for (const id of ended) desk.change(rules.end(desk.state, { id, outcome: 'gone' }));
  } catch (error) {
    log.warn('The watchdog could not look; it looks again', { error: wordsOf(error) });
  }
}

function publish(state: rules.LaneState): void {
  upsertMemo({ [MEMO.lane]: rules.viewOf(state) });
  setCurrentDetails(laneMarkdown(state));
}
