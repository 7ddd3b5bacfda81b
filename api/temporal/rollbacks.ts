/** Rollbacks: one workflow each, whose id comes from the request's key. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Temporal } from '../../clients/temporal.js';
import { parseDeploymentId, rollbackWorkflowId } from '../../domain/ids.js';
import { MEMO, QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { RollbackRequest } from '../../domain/rollback.js';
import { rollbackRecord } from '../../domain/rollback.js';
import type { Target } from '../../domain/deployment.js';
import { ApiError } from '../errors.js';
import { fingerprintOf } from '../ids.js';
import { read } from './call.js';
import { describe } from './reads.js';

const fingerprint = ({ tag, reason, now, override }: RollbackRequest): string =>
  fingerprintOf([tag ?? null, reason, now ?? false, override ?? false]);

const workflowIdOf = (id: string): string => {
  const target = parseDeploymentId(id);
  if (!target) throw new Error(`${id} is no id of a deployment`);
  return rollbackWorkflowId(target, target.unique);
};

/** It is durable, and readable, with its start: that takes no worker. */
export async function startRollback(t: Temporal, request: RollbackRequest): Promise<{ again: boolean }> {
  try {
    await read(t, () =>
      t.client.workflow.start(WORKFLOW.rollback, {
        workflowId: workflowIdOf(request.id),
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        taskQueue: QUEUE.main,
        args: [request],
        memo: { [MEMO.deployment]: rollbackRecord(request), [MEMO.fingerprint]: fingerprint(request) },
      }),
    );
    return { again: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (await wasRollbackAsked(t, request)) return { again: true };
    throw error;
  }
}

/**
 * Whether this very request was accepted before.
 * @throws ApiError `KEY_REUSED` where another one was, under the same key
 */
export async function wasRollbackAsked(t: Temporal, request: RollbackRequest): Promise<boolean> {
  const description = await describe(t, workflowIdOf(request.id));
  if (!description) return false;
  if (description.memo?.[MEMO.fingerprint] === fingerprint(request)) return true;
  throw new ApiError('KEY_REUSED', 'This Idempotency-Key came with another request before');
}

/**
 * A key belongs to one request, whatever service it was for.
 * @param targets every other one there is
 * @throws ApiError `KEY_REUSED`
 */
export async function assertRollbackKeyUnused(t: Temporal, unique: string, targets: Target[]): Promise<void> {
  const held = await Promise.all(targets.map((target) => describe(t, rollbackWorkflowId(target, unique))));
  if (held.every((one) => one === undefined)) return;
  throw new ApiError('KEY_REUSED', 'This Idempotency-Key came with another request before');
}
