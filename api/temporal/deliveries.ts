/** Webhooks: one workflow each, whose id is GitHub's own of the delivery. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Temporal } from '../../clients/temporal.js';
import { deliveryWorkflowId } from '../../domain/ids.js';
import type { Delivered } from '../../domain/messages.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import { read } from './call.js';

/**
 * Durable once it returns. One that failed may be delivered again.
 * @throws ApiError `TEMPORAL_DOWN`, well within GitHub's 10 s
 */
export async function startDelivery(
  t: Temporal,
  delivery: string,
  delivered: Delivered,
): Promise<{ again: boolean }> {
  try {
    await read(t, () =>
      t.client.workflow.start(WORKFLOW.delivery, {
        workflowId: deliveryWorkflowId(delivery),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        taskQueue: QUEUE.main,
        args: [delivered],
      }),
    );
    return { again: false };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { again: true };
    throw error;
  }
}
