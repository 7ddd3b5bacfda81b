/**
 * Workflow `promotion/{app}`: an entity that lives for months. It brings one release at a time from staging to
 * production, and says at any moment what waits and why. The rules are `domain/promotion/`, the design's
 * section 6; this is their wiring.
 *
 * What it keeps:
 * 1. Every decision is from a fresh read that began after the last event; one that is older decides nothing.
 * 2. What a rule wants done is done in order, and nothing is decided in between. Each deed is safe to repeat.
 * 3. Deployments and tests are workflows of their own: they live on when it continues as new. They tell their end;
 *    where one was terminated, a watchdog finds out.
 * 4. Without handed-over state (first run, terminated, reset) it recovers before it takes or starts anything.
 * 5. Continue-as-new only with no handler under way and nothing left to do.
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
import { decide, unread } from '../domain/promotion/decide.js';
import * as events from '../domain/promotion/events.js';
import { queueMarkdown } from '../domain/promotion/markdown.js';
import type { Observation } from '../domain/promotion/read.js';
import type { PromotionState } from '../domain/promotion/state.js';
import { asks, emptyQueue, forMemo, viewOf } from '../domain/promotion/state.js';
import { reads } from './effects.js';
import { codedFailure, wordsOf } from './failure.js';
import { carryOut } from './promotion-deeds.js';
import { PromotionDesk } from './promotion-desk.js';
import { lookAfter, watches } from './promotion-watchdog.js';

export interface PromotionQueueInput {
  app: string;
  /** Handed over by the run before. */
  state?: PromotionState;
  /** Tests lower these. */
  tuning?: { watchdogMs?: number; continueAfterEvents?: number };
}

/** How long a deployment or a run of tests that ended without a word can hold the queue up, at first. */
const WATCHDOG_MS = 60_000;
const WATCHDOG_AT_MOST_MS = 60 * 60_000;

export async function promotionQueue(input: PromotionQueueInput): Promise<void> {
  const { app, tuning } = input;
  const desk = new PromotionDesk(input.state ?? emptyQueue(app), input.state !== undefined, publish);
  desk.open();
  if (!input.state) desk.recover(await reads.recoverPromotions({ app }));
  publish(desk.state);

  const full = (): boolean =>
    workflowInfo().continueAsNewSuggested ||
    workflowInfo().historyLength >= (tuning?.continueAfterEvents ?? Number.POSITIVE_INFINITY);
  const mayContinue = (): boolean => full() && allHandlersFinished() && !desk.hasDeeds();

  // A full history takes no further read: its next run does.
  const canLook = (): boolean => desk.state.look && !full();

  let watchdogMs = tuning?.watchdogMs ?? WATCHDOG_MS;
  while (!mayContinue()) {
    desk.forgetChange();
    const deed = desk.takeDeed();
    if (deed) await carryOut(desk, deed);
    else if (canLook()) await lookOnce(desk);
    else if (full()) await condition(() => mayContinue() || desk.hasDeeds());
    else if (await awaitChange(desk, canLook, watchdogMs)) watchdogMs = tuning?.watchdogMs ?? WATCHDOG_MS;
    else watchdogMs = Math.min(2 * watchdogMs, WATCHDOG_AT_MOST_MS);
  }
  // The memo is not handed over by itself: without it the queue could not be read until its next run has begun.
  const next = makeContinueAsNewFunc<typeof promotionQueue>({ memo: memoOf(desk.state) });
  await next({ ...input, state: desk.state });
}

/**
 * Invariant 1: what has happened since the read began voids it, and another one follows. A read that comes to
 * nothing, as after hours without a worker, ends nothing: it is taken up again.
 */
async function lookOnce(desk: PromotionDesk): Promise<void> {
  const { app, epoch } = desk.state;
  let read: Observation;
  try {
    read = await reads.observePromotion({ app, epoch, ...asks(desk.state) });
  } catch (error) {
    const failure = codedFailure(error);
    log.warn('The environments could not be read; they are read again', { code: failure.code });
    return desk.change((draft) => unread(draft, failure));
  }
  desk.change((draft) => void decide(draft, read));
}

/** @returns false where nothing happened, and the watchdog looked */
async function awaitChange(
  desk: PromotionDesk,
  canLook: () => boolean,
  watchdogMs: number,
): Promise<boolean> {
  const attention = (): boolean =>
    desk.hasChanged() || desk.hasDeeds() || canLook() || workflowInfo().continueAsNewSuggested;
  const due = events.nextTime(desk.state);
  const untilDue = due === undefined ? undefined : Math.max(due - Date.now(), 1);
  const isWatching = watches(desk.state);
  const wait = Math.min(
    untilDue ?? Number.POSITIVE_INFINITY,
    isWatching ? watchdogMs : Number.POSITIVE_INFINITY,
  );
  if (wait === Number.POSITIVE_INFINITY) {
    await condition(attention);
    return true;
  }
  const summary =
    wait === untilDue ? 'until somebody is told, or it is read again' : 'watchdog: do they still run?';
  if (await condition(attention, wait, { summary })) return true;
  if (due !== undefined && Date.now() >= due) {
    desk.change(events.timePasses);
    return true;
  }
  try {
    await lookAfter(desk);
  } catch (error) {
    log.warn('The watchdog could not look; it looks again', { error: wordsOf(error) });
  }
  return false;
}

const memoOf = (state: PromotionState) => ({
  [MEMO.promotions]: viewOf(state),
  [MEMO.promotionState]: forMemo(state),
});

function publish(state: PromotionState): void {
  upsertMemo(memoOf(state));
  setCurrentDetails(queueMarkdown(viewOf(state)));
}
