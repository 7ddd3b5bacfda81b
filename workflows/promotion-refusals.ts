/** How a promotion queue refuses: failures of updates, whose type is the code. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Code } from '../domain/codes.js';
import type { Lock } from '../domain/lock.js';
import type { Unmet } from '../domain/promotion/conditions.js';
import type { LockCommand } from '../domain/promotion/promotion.js';
import type { PromotionState } from '../domain/promotion/state.js';

export const failure = (
  { code, message }: { code: Code; message: string },
  details?: object,
): ApplicationFailure => ApplicationFailure.nonRetryable(message, code, ...(details ? [details] : []));

export function refuse(unmet: Unmet | undefined, { lock }: PromotionState): void {
  if (unmet) throw failure(unmet, unmet.code === 'LOCKED' ? lock : undefined);
}

/** @throws ApplicationFailure `NOT_LOCKED` */
export function lockOf({ lock }: PromotionState): Lock {
  if (lock) return lock;
  throw failure({ code: 'NOT_LOCKED', message: 'The promotion queue is not locked' });
}

/** A rollback's hold joins a lock that is there; a person's does not. @throws ApplicationFailure `LOCKED` */
export function assertLockable({ lock }: PromotionState, { code }: LockCommand): void {
  if (!lock || code === 'PRODUCTION_ROLLED_BACK') return;
  throw failure({ code: 'LOCKED', message: `Locked by ${lock.by} since ${lock.at}: ${lock.reason}` }, lock);
}
