/**
 * What the queue's own deployment waits for before it has its turn: a locked or busy lane, or conditions for which it
 * gave its turn back. The queue says it as its own (rule 9), and so its people are told.
 */
import type { WaitingFor } from '../deployment.js';
import { later } from './again.js';
import type { Observation } from './read.js';
import { waitOn } from './since.js';
import type { Draft } from './state.js';
import { isActive, ownOf } from './state.js';
import type { Promotion } from './promotion.js';

/** Nobody tells the queue that a lane was locked, or goes on: it looks. */
const LOOK_EVERY_MS = 60_000;

/** A build that runs is no wait for anybody. */
function waitOf(draft: Draft, { own }: Observation): WaitingFor | undefined {
  if (!own?.id || own.id !== ownOf(draft.q)) return undefined;
  return own.waitingFor?.code === 'BUILDING' ? undefined : own.waitingFor;
}

export function whileDeployed(draft: Draft, current: Promotion, read: Observation): void {
  // Histories of earlier versions do not tell.
  if (!read.own) return;
  const { work } = draft.q;
  const why = waitOf(draft, read);
  if (!why) {
    delete current.waitingFor;
    delete work.aside;
    return;
  }
  const { code, detail: message, since } = why;
  const before = current.waitingFor;
  const found = waitOn(draft, { before, keeper: work, now: { code, message }, from: since });
  current.waitingFor = { ...why, since: found.since };
}

/** A restore is the whole queue's. */
export function whileRestoring(draft: Draft, read: Observation): void {
  const { q } = draft;
  const why = q.restore && !isActive(q.current) ? waitOf(draft, read) : undefined;
  if (why) q.waitingFor = why;
}

/** @returns whether it has yet to have its turn, and is looked at again */
export function lookAgainForOwn(draft: Draft, { own }: Observation): boolean {
  const id = ownOf(draft.q);
  if (!own || id === undefined || (own.id === id && own.state === 'running')) return false;
  later(draft, LOOK_EVERY_MS);
  return true;
}
