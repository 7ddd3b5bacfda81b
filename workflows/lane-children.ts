/** What a lane does to its deployments: it starts them, and gives them the turn. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { DeploymentRequest } from '../domain/deployment.js';
import { deploymentWorkflowId } from '../domain/ids.js';
import { MEMO, SIGNAL, WORKFLOW } from '../domain/messages.js';
import { accepted, forMemo } from '../domain/progress.js';
import { headline } from '../domain/summary.js';
import type { deployment } from './deployment.js';
import { deploymentAttributes } from './search-attributes.js';

/**
 * Abandoned, because continue-as-new terminates every other child.
 * @returns false where a deployment of this id was started before.
 */
export async function startDeployment(request: DeploymentRequest): Promise<boolean> {
  try {
    await startChild<typeof deployment>(WORKFLOW.deployment, {
      workflowId: deploymentWorkflowId(request.id),
      args: [request],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      cancellationType: 'ABANDON',
      typedSearchAttributes: deploymentAttributes(request),
      memo: { [MEMO.deployment]: forMemo(accepted(request)) },
      staticSummary: headline(request),
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** @returns false where the deployment has closed: its place is free again. */
export async function signalTurn(id: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(deploymentWorkflowId(id)).signal(SIGNAL.turn);
    return true;
  } catch (error) {
    log.warn('A deployment was gone before its turn', { id, error: String(error) });
    return false;
  }
}
