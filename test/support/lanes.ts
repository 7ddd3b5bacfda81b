/** Speaks to a lane and its deployments as the API does. */
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { Deployment, DeploymentRequest, Target } from '../../domain/deployment.js';
import { deploymentWorkflowId, laneWorkflowId } from '../../domain/ids.js';
import type { Accepted, BadMark, LaneView, Lock } from '../../domain/messages.js';
import { MEMO, QUEUE, SIGNAL, UPDATE, WORKFLOW } from '../../domain/messages.js';
import type { LaneInput } from '../../workflows/lane.js';

export const API_ON_STAGING: Target = { app: 'api', environment: 'staging' };

export function createLanes(client: Client, tuning?: LaneInput['tuning']) {
  const update = async <T>(target: Target, name: string, arg: object, updateId?: string): Promise<T> =>
    await client.workflow.executeUpdateWithStart(name, {
      args: [arg],
      ...(updateId ? { updateId } : {}),
      startWorkflowOperation: new WithStartWorkflowOperation(WORKFLOW.lane, {
        workflowId: laneWorkflowId(target),
        taskQueue: QUEUE.main,
        args: [{ ...target, ...(tuning ? { tuning } : {}) }],
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    });
  const handle = (id: string) => client.workflow.getHandle(deploymentWorkflowId(id));
  return {
    request: (request: DeploymentRequest): Promise<Accepted> => update(request, UPDATE.request, request),
    lock: (reason: string, target = API_ON_STAGING): Promise<Lock> =>
      update(target, UPDATE.lock, { reason, by: 'bob' }),
    unlock: (target = API_ON_STAGING): Promise<Lock> => update(target, UPDATE.unlock, { by: 'bob' }),
    markBad: (mark: BadMark, target: Target): Promise<BadMark> => update(target, UPDATE.markBad, mark),
    stop: (id: string): Promise<void> => handle(id).signal(SIGNAL.stop, { actor: 'carol', reason: 'enough' }),
    handle,
    lane: (target = API_ON_STAGING) => client.workflow.getHandle(laneWorkflowId(target)),
    result: (id: string): Promise<Deployment> => handle(id).result() as Promise<Deployment>,
    async read(id: string): Promise<Deployment> {
      return (await handle(id).describe()).memo?.[MEMO.deployment] as Deployment;
    },
    async view(target = API_ON_STAGING): Promise<LaneView> {
      return (await client.workflow.getHandle(laneWorkflowId(target)).describe()).memo?.[
        MEMO.lane
      ] as LaneView;
    },
  };
}
