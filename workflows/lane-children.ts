/** What a lane does to its deployments: it starts them, gives them the turn, and lets a rollback replace them. */
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
import type { StopRequest, Superseded } from '../domain/messages.js';
import { MEMO, SIGNAL, WORKFLOW } from '../domain/messages.js';
import { accepted, forMemo } from '../domain/progress.js';
import { headline } from '../domain/summary.js';
import type { deployment } from './deployment.js';
import { deploymentAttributes } from './search-attributes.js';
import { wordsOf } from './failure.js';

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
export const signalTurn = (id: string): Promise<boolean> => signalled(id, SIGNAL.turn);

export const signalSuperseded = (id: string, by: Superseded): Promise<boolean> =>
  signalled(id, SIGNAL.superseded, by);

export const signalStop = (id: string, request: StopRequest): Promise<boolean> =>
  signalled(id, SIGNAL.stop, request);

async function signalled(id: string, signal: string, ...args: object[]): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(deploymentWorkflowId(id)).signal(signal, ...args);
    return true;
  } catch (error) {
    log.warn('A deployment was gone before a signal', { id, signal, error: wordsOf(error) });
    return false;
  }
}
