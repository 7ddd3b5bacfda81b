/** Retry: the failed stage again, or from staging on. */
import { deployToProduction } from './approve.js';
import { unmet } from './conditions.js';
import type { Unmet } from './conditions.js';
import { deployToStaging, lookAfresh, retire, stopTests } from './draft.js';
import { positionOf } from './events.js';
import type { Observation } from './read.js';
import type { Draft, PromotionState } from './state.js';
import { isActive } from './state.js';
import { move } from './table.js';
import { lockedWords, nameOf, no } from './words.js';
import type { Promotion, RetryCommand } from './promotion.js';

/** The promotion that a retry means: the current one, or one that failed before. */
const retried = (q: PromotionState, release: string): Promotion | undefined =>
  q.current?.release === release
    ? q.current
    : q.recent.find((one) => one.release === release && one.stage === 'failed');

export function judgeRetry(q: PromotionState, { release }: RetryCommand): Unmet | undefined {
  const { lock } = q;
  if (lock) return lockedWords(lock);
  if (q.restore) return no('RESTORING', `Staging is being restored (${q.restore.id}): wait for its end`);
  const one = retried(q, release);
  if (!one) return no('NOT_FOUND', `${nameOf(release)} is not in the queue`);
  if (one.stage === 'failed') return newer(q, one);
  // In staging and production the own deployment's outcome decides.
  if (one.stage === 'testing' || one.stage === 'awaiting-approval') {
    const code = one.waitingFor?.code;
    if (q.work.void || code === 'STAGING_MOVED' || code === 'TESTS_INCONCLUSIVE') return undefined;
  }
  return no('NOT_FAILED', `${nameOf(release)} is in ${one.stage}: there is nothing to retry`);
}

function newer(q: PromotionState, one: Promotion): Unmet | undefined {
  if (isActive(q.current)) return no('NOT_FAILED', `${q.current.id} is under way: it goes first`);
  const next = q.waiting[0];
  if (next) return no('NOT_FAILED', `${next.id} waits, and contains it: that goes next`);
  const { started } = q;
  if (started && started.id !== one.id && started.position > positionOf(one)) {
    return no('NOT_FAILED', `${started.id} has started, and is newer: that goes on, or the next merge`);
  }
  return undefined;
}

/** A retry of production is a new approval: it needs a fresh read. */
export const needsRead = (q: PromotionState, { release }: RetryCommand): boolean =>
  q.current?.release === release && q.current.stage === 'failed' && q.current.failedStage === 'production';

/** @param read where `needsRead` @returns why not; nothing has changed then */
export function retry(draft: Draft, command: RetryCommand, read?: Observation): Unmet | undefined {
  const { q } = draft;
  const refused = judgeRetry(q, command);
  const one = retried(q, command.release);
  if (refused || !one) return refused;
  if (one.stage === 'failed') return retryFailed(draft, one, command, read);
  if (q.work.void || one.waitingFor?.code === 'STAGING_MOVED') {
    again(draft, one, 'retry after staging moved', command);
  } else {
    delete one.waitingFor;
    delete q.work.aside;
    q.work.tried = 0;
    lookAfresh(draft);
  }
  return undefined;
}

function retryFailed(
  draft: Draft,
  one: Promotion,
  command: RetryCommand,
  read: Observation | undefined,
): Unmet | undefined {
  const { q } = draft;
  const isCurrent = q.current?.id === one.id;
  if (isCurrent && one.failedStage === 'production') {
    return read
      ? retryProduction(draft, one, command, read)
      : no('TOO_LATE', 'It could not be read: send it again');
  }
  if (!isCurrent) {
    retire(draft);
    q.recent = q.recent.filter(({ id }) => id !== one.id);
    q.current = one;
  }
  delete q.known;
  if (isCurrent && one.failedStage === 'testing') return retryTesting(draft, one);
  again(draft, one, 'retry staging', command);
  return undefined;
}

function retryTesting(draft: Draft, one: Promotion): undefined {
  const { q } = draft;
  move(draft, one, 'retry testing', 'testing');
  delete one.failedStage;
  delete one.failure;
  const { staged } = q.work;
  q.work = { tried: 0, ...(staged ? { staged } : {}) };
  lookAfresh(draft);
}

function retryProduction(
  draft: Draft,
  one: Promotion,
  command: RetryCommand,
  read: Observation,
): Unmet | undefined {
  const { q } = draft;
  const override = command.override === true;
  const hindrance = unmet({ ...q.work, override }, read);
  if (hindrance) return hindrance;
  const { by, reason } = command;
  delete q.known;
  deployToProduction(draft, one, { by, checkActor: true, override, ...(reason ? { reason } : {}) });
  lookAfresh(draft);
  return undefined;
}

/** From staging on, for who retries. */
function again(
  draft: Draft,
  one: Promotion,
  what: 'retry staging' | 'retry after staging moved',
  { by, override, reason }: RetryCommand,
): void {
  stopTests(draft);
  move(draft, one, what, 'staging');
  delete one.failedStage;
  delete one.failure;
  deployToStaging(draft, one, {
    ...{ actor: by, checkActor: true },
    ...(override ? { override } : {}),
    ...(reason ? { reason } : {}),
  });
  lookAfresh(draft);
}
