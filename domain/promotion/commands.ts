/**
 * What people ask of a queue besides approve, retry and resolve (files of their own): judged first, then done.
 * `judge…` changes nothing, so a validator may call it.
 */
import type { Lock } from '../lock.js';
import type { Unmet } from './conditions.js';
import { endCurrent, lookAfresh } from './draft.js';
import { runningAttempt, testsEnded } from './events.js';
import { leave } from './start.js';
import type { Draft, PromotionState } from './state.js';
import { isActive } from './state.js';
import { nameOf, no } from './words.js';
import type { LockCommand, Promotion, RejectCommand, TestsCommand } from './promotion.js';

export function judgeReject(q: PromotionState, { release }: RejectCommand): Unmet | undefined {
  if (q.waiting.some((one) => one.release === release)) return undefined;
  const { current } = q;
  if (current?.release !== release) return no('NOT_FOUND', `${nameOf(release)} is not in the queue`);
  if (current.stage === 'production') {
    return no(
      'NOT_WAITING',
      `${nameOf(release)} is being deployed to production: stop ${current.production}`,
    );
  }
  const { stage } = current;
  if (isActive(current)) return undefined;
  return no('NOT_WAITING', `${nameOf(release)} has ended already: ${stage}`);
}

export function reject(draft: Draft, command: RejectCommand): void {
  const { q, effects } = draft;
  const { by, reason } = command;
  const waiting = q.waiting.find((one) => one.release === command.release);
  if (waiting) return cancelWaiting(draft, waiting, command);
  const { current } = q;
  if (!current) return;
  if (current.stage !== 'staging')
    return endCurrent(draft, current, { what: 'reject', to: 'rejected', by, reason });
  if (q.work.rejecting) return;
  q.work.rejecting = { by, reason };
  if (current.staging) effects.push({ do: 'stop', id: current.staging, by, reason: `rejected: ${reason}` });
}

function cancelWaiting(draft: Draft, waiting: Promotion, { by, reason }: RejectCommand): void {
  leave(draft, waiting, { what: 'cancel', to: 'cancelled', by, reason });
  lookAfresh(draft);
}

export function judgeCancel(q: PromotionState, { release }: RejectCommand): Unmet | undefined {
  if (q.waiting.some((one) => one.release === release)) return undefined;
  if (q.current?.release === release && isActive(q.current)) {
    return no('NOT_WAITING', `${nameOf(release)} has started (${q.current.stage}): reject it instead`);
  }
  return no('NOT_FOUND', `${nameOf(release)} does not wait in the queue`);
}

export function judgeTests(q: PromotionState, { release }: TestsCommand): Unmet | undefined {
  const { current } = q;
  if (current?.release !== release || current.stage !== 'testing') {
    return no('NOT_WAITING', `No report of tests of ${nameOf(release)} is waited for`);
  }
  if (q.settings?.tests?.kind === 'report' && runningAttempt(current)) return undefined;
  return no('NOT_WAITING', `No report of tests of ${nameOf(release)} is waited for now`);
}

export function reportTests(draft: Draft, { passed, url, by }: TestsCommand): void {
  const { current } = draft.q;
  const running = runningAttempt(current);
  if (!current || !running) return;
  testsEnded(draft, {
    ...{ promotion: current.id, attempt: running.attempt, state: passed ? 'passed' : 'failed' },
    detail: `reported by ${by}`,
    ...(url ? { url } : {}),
  });
}

export function lock(draft: Draft, { by, reason, code }: LockCommand): Lock {
  const { q, now } = draft;
  q.lock = { reason, by, at: now, ...(code ? { code } : {}) };
  lookAfresh(draft);
  return q.lock;
}

/** A rollback's hold joins one that is there; it is lifted with it. */
export function joinLock(draft: Draft, command: LockCommand): Lock {
  const { q } = draft;
  const { reason, code } = command;
  if (!q.lock) return lock(draft, command);
  const isThere = q.lock.reason.includes(reason) && (code === undefined || q.lock.code === code);
  if (isThere) return q.lock;
  q.lock = { ...q.lock, reason: `${q.lock.reason}; ${reason}`, ...(code ? { code } : {}) };
  lookAfresh(draft);
  return q.lock;
}

/** What it held goes on, from a fresh read. */
export function unlock(draft: Draft): void {
  const { q, effects } = draft;
  delete q.lock;
  const { current } = q;
  if (current?.stage === 'production' && current.production)
    effects.push({ do: 'wake', id: current.production });
  lookAfresh(draft);
}
