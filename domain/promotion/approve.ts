/** Approval: judged, then done on a fresh read. */
import { unmet } from './conditions.js';
import type { Unmet } from './conditions.js';
import { nextDeploymentId, tagOf, tell } from './draft.js';
import { lookAgainForOwn } from './own.js';
import type { Observation } from './read.js';
import type { Draft, PromotionState } from './state.js';
import { isActive } from './state.js';
import { move } from './table.js';
import { lockedWords, nameOf, no } from './words.js';
import type { ApproveCommand, Promotion } from './promotion.js';

/** What can be told without a read. */
export function judgeApprove(
  { current, lock }: PromotionState,
  { release }: ApproveCommand,
): Unmet | undefined {
  if (lock) return lockedWords(lock);
  if (current?.stage === 'awaiting-approval' && current.release === release) return undefined;
  return no('NOT_UNLOCKED', notUnlocked(current, release));
}

function notUnlocked(current: Promotion | undefined, release: string): string {
  if (current?.release === release && current.failedStage) {
    const why = current.failure ? `: ${current.failure.message}` : '';
    return `${nameOf(release)} failed in ${current.failedStage}, so it is not unlocked for production${why}`;
  }
  if (!current || !isActive(current)) {
    return `${nameOf(release)} is not unlocked for production: no promotion is under way`;
  }
  if (current.release !== release) {
    return `${nameOf(release)} is not unlocked for production: ${nameOf(current.release)} is under way (${current.stage})`;
  }
  const why = current.waitingFor ? `: ${current.waitingFor.detail}` : '';
  return `${nameOf(release)} is not unlocked for production: it is in ${current.stage}${why}`;
}

/** On a fresh read, after `judgeApprove`. @returns why not; nothing has changed then */
export function approve(draft: Draft, command: ApproveCommand, read: Observation): Unmet | undefined {
  const { q } = draft;
  const { current, lock, work } = q;
  const refused = judgeApprove(q, command);
  if (refused || !current) return refused;
  const override = command.override === true;
  const hindrance = unmet({ ...(lock ? { lock } : {}), ...work, override }, read);
  if (hindrance) return hindrance;
  const { by, reason } = command;
  deployToProduction(draft, current, { by, checkActor: true, override, ...(reason ? { reason } : {}) });
  lookAgainForOwn(draft, read);
  return undefined;
}

export interface Approver {
  by: string;
  checkActor: boolean;
  override?: boolean;
  reason?: string;
}

/** Rule 5: the very digests that staging ran when it was tested. Rule 6: the approval names its evidence. */
export function deployToProduction(draft: Draft, current: Promotion, approver: Approver): void {
  const { q, now, effects } = draft;
  const { by, checkActor, override, reason } = approver;
  const digests = q.work.evidence?.digests ?? {};
  const { tests } = current;
  current.approval = {
    ...{ by, at: now, release: current.release, digests },
    tests: tests ? (tests.url ?? `attempt ${tests.attempt}`) : 'no tests are configured',
    ...(override ? { override } : {}),
    ...(reason ? { reason } : {}),
  };
  current.approvedAt = now;
  const what = current.stage === 'failed' ? 'retry production' : 'approve';
  move(draft, current, what, 'production');
  delete current.failedStage;
  delete current.failure;
  delete q.work.refused;
  const id = nextDeploymentId(draft, 'production', current.release);
  current.production = id;
  effects.push({
    do: 'deploy',
    deployment: {
      ...{ id, environment: 'production', kind: 'promotion', parent: current.id },
      ...{ tag: tagOf(current.release), digests, actor: by, checkActor },
      ...(override ? { override } : {}),
      ...(reason ? { reason } : {}),
    },
  });
  tell(draft, 'production', current);
}
