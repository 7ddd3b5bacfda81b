/** What a person sees of a promotion queue: its own record, overlaid with what Temporal knows better at this moment. */
import { CODES, isCode } from '../codes.js';
import type { WaitingFor } from '../deployment.js';
import type { Lock, Ticket } from '../messages.js';
import type { Promotion, PromotionPolicy, PromotionQueueView, QueueState, Stage } from './promotion.js';
import { mergerOf, tagOf } from './draft.js';
import type { PendingActivity } from '../view.js';
import { ENDED_FROM_OUTSIDE, TAKEN_WITHIN_MS, waitingFor } from '../view.js';

/** A queue in one line, beside what runs where. */
export interface PromotionSummary {
  state: QueueState;
  /** Of the current one, which may have failed or been rejected. */
  stage?: Stage;
  release?: string;
  /** How many merges wait. */
  waiting: number;
  waitingFor?: WaitingFor;
  lock?: Lock;
}

/** A queue that never ran: nothing was merged since it was configured. */
export const idleQueue = (app: string, policy: PromotionPolicy): PromotionQueueView => ({
  app,
  policy,
  state: 'idle',
  waiting: [],
  waitingCount: 0,
  recent: [],
});

export interface QueueOverlay {
  /** The memo's record. */
  view: PromotionQueueView;
  pending: readonly PendingActivity[];
  /** Temporal's status of the workflow. */
  status: string;
  /** ISO 8601, where the workflow is closed. */
  closedAt?: string;
  /** ISO 8601, where a step of the workflow itself waits for a worker since then. */
  workflowTaskSince?: string;
  now: Date;
}

/** Nothing that the record waits for comes true while no worker takes the work: that is said first. */
export function overlayQueue(input: QueueOverlay): PromotionQueueView {
  const { view } = input;
  const waits = untaken(input) ?? ended(input) ?? (view.waitingFor ? undefined : retried(input));
  if (!waits) return view;
  return { ...view, waitingFor: waits, state: view.state === 'locked' ? 'locked' : 'waiting' };
}

function untaken({ pending, workflowTaskSince, now }: QueueOverlay): WaitingFor | undefined {
  const since =
    workflowTaskSince && isLate(workflowTaskSince, now) ? workflowTaskSince : untakenSince(pending, now);
  return since ? waitingFor('NO_WORKER', since, CODES.NO_WORKER.text) : undefined;
}

const isLate = (at: string, now: Date): boolean => now.getTime() - Date.parse(at) > TAKEN_WITHIN_MS;

const untakenSince = (pending: readonly PendingActivity[], now: Date): string | undefined =>
  pending.find(({ startedAt, scheduledAt }) => !startedAt && isLate(scheduledAt, now))?.scheduledAt;

/** It has no end of its own: whoever comes next starts it anew, and it recovers. */
function ended({ status, closedAt, now }: QueueOverlay): WaitingFor | undefined {
  if (!ENDED_FROM_OUTSIDE.includes(status)) return undefined;
  const how = `the queue's workflow was ended in Temporal (${status.toLowerCase()})`;
  const { who } = CODES.TERMINATED;
  return {
    code: 'TERMINATED',
    since: closedAt ?? now.toISOString(),
    detail: `${how}; the next merge or command starts it anew`,
    who,
    actions: ['wait for the next merge', 'lock and unlock the queue'],
  };
}

/** An attempt failed with one of our codes and another will follow: the code says what it waits for. */
function retried({ pending }: QueueOverlay): WaitingFor | undefined {
  for (const { lastFailure, scheduledAt } of pending) {
    const { type, message = '' } = lastFailure ?? {};
    if (isCode(type)) return waitingFor(type, scheduledAt, message || CODES[type].text);
  }
  return undefined;
}

export function summaryOf(view: PromotionQueueView): PromotionSummary {
  const { state, current, waitingCount, lock } = view;
  const waits = view.waitingFor ?? current?.waitingFor;
  return {
    state,
    ...(current ? { stage: current.stage, release: current.release } : {}),
    waiting: waitingCount,
    ...(waits ? { waitingFor: waits } : {}),
    ...(lock ? { lock } : {}),
  };
}

/** Tests that run as a command of a build worker, where none takes it. */
export function overlayTests(
  view: PromotionQueueView,
  { pending, now }: Pick<QueueOverlay, 'pending' | 'now'>,
): PromotionQueueView {
  const since = untakenSince(pending, now);
  if (!view.current || since === undefined) return view;
  const waits = waitingFor('NO_BUILD_WORKER', since, CODES.NO_BUILD_WORKER.text);
  const current = { ...view.current, waitingFor: waits };
  return { ...view, current, waitingFor: waits, state: view.state === 'locked' ? 'locked' : 'waiting' };
}

/**
 * A deployment that the queue has decided for, and is about to ask the lane for: it can be read from the moment
 * that the queue names it.
 */
export function promisedTicket({ current }: PromotionQueueView, id: string): Ticket | undefined {
  if (current?.stage === 'staging' && current.staging === id)
    return { ...ticketOf(current, id), kind: 'deploy', actor: mergerOf(current) };
  if (current?.stage === 'production' && current.production === id)
    return { ...ticketOf(current, id), kind: 'promotion', actor: current.approval?.by ?? '' };
  return undefined;
}

const ticketOf = ({ release, approvedAt, startedAt, queuedAt }: Promotion, id: string) => ({
  ...{ id, tag: tagOf(release), queuedAt: approvedAt ?? startedAt ?? queuedAt, ready: false },
});
