/** What `releases` does to its releases: it starts them, and gives them the turn. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { releaseWorkflowId } from '../domain/ids.js';
import type { ReleasePlace, ReleaseTurn } from '../domain/messages.js';
import { MEMO, SIGNAL, WORKFLOW } from '../domain/messages.js';
import { accepted, awaitTurn } from '../domain/release/progress.js';
import { releaseHeadline } from '../domain/release/words.js';
import type { ReleaseInput } from '../domain/release/release.js';
import type { release } from './release.js';
import { releaseAttributes } from './search-attributes.js';
import { wordsOf } from './failure.js';

/**
 * Abandoned, because continue-as-new terminates every other child.
 * @returns false where there was a release of this id before.
 */
export async function startRelease(input: ReleaseInput): Promise<boolean> {
  const { request, names } = input;
  try {
    await startChild<typeof release>(WORKFLOW.release, {
      workflowId: releaseWorkflowId(names.gitTag),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      cancellationType: 'ABANDON',
      typedSearchAttributes: releaseAttributes(request),
      memo: { [MEMO.release]: awaitTurn(accepted(input), request.requestedAt) },
      staticSummary: releaseHeadline(input),
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** @returns false where the release has closed: its place is free again. */
export async function signalTurn({ id, round }: ReleasePlace): Promise<boolean> {
  const turn: ReleaseTurn = { round };
  try {
    await getExternalWorkflowHandle(releaseWorkflowId(id)).signal(SIGNAL.turn, turn);
    return true;
  } catch (error) {
    log.warn('A release was gone before its turn', { id, error: wordsOf(error) });
    return false;
  }
}
