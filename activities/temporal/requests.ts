/** What a release or a rollback asks of a lane, and what anyone may read of it. */
import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import {
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isCode } from '../../domain/codes.js';
import type { Deployment, DeploymentRequest, Target } from '../../domain/deployment.js';
import { PRODUCTION } from '../../domain/deployment.js';
import { deploymentWorkflowId, laneWorkflowId } from '../../domain/ids.js';
import { fingerprint } from '../../domain/lane.js';
import type { Accepted, BadMark, DeploymentEnded, LaneView } from '../../domain/messages.js';
import { MEMO, QUEUE, UPDATE, WORKFLOW } from '../../domain/messages.js';
import { endedOf } from '../../domain/progress.js';
import { later, refuse } from '../failure.js';

/** Within the attempt of the activity that asks. */
const ANSWER_MS = 8_000;

export function createRequests(client: Client) {
  const { workflow, connection } = client;

  /** @param updateId the same for the same wish: the lane gives it the same answer. */
  async function updateLane<T>(of: {
    target: Target;
    update: string;
    updateId: string;
    input: unknown;
  }): Promise<T> {
    const { app, environment } = of.target;
    const send = (): Promise<T> =>
      workflow.executeUpdateWithStart(of.update, {
        args: [of.input],
        updateId: of.updateId,
        startWorkflowOperation: new WithStartWorkflowOperation(WORKFLOW.lane, {
          workflowId: laneWorkflowId({ app, environment }),
          taskQueue: QUEUE.main,
          args: [{ app, environment }],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      });
    try {
      return await connection.withDeadline(Date.now() + ANSWER_MS, send);
    } catch (error) {
      throw refusalOf(error) ?? error;
    }
  }

  return {
    /**
     * Hands a deployment to its lane; the same id is the same deployment, however often it is asked for.
     * @throws ApplicationFailure `LOCKED` with the lock, `RELEASE_BAD` with the mark, `KEY_REUSED`
     */
    requestDeployment: (request: DeploymentRequest): Promise<Accepted> =>
      updateLane({
        target: request,
        update: UPDATE.request,
        updateId: `${request.id}/${sha(fingerprint(request))}`,
        input: request,
      }),

    /** @returns the mark that stands: the first one of its release. */
    markBad: ({ app, mark }: { app: string; mark: BadMark }): Promise<BadMark> =>
      updateLane({
        target: { app, environment: PRODUCTION },
        update: UPDATE.markBad,
        updateId: `markBad/${sha(JSON.stringify(mark))}`,
        input: mark,
      }),

    /** For a watchdog. @returns undefined while it runs; `TERMINATED` where it ended without a word. */
    async deploymentEnd({ id }: { id: string }): Promise<DeploymentEnded | undefined> {
      try {
        const { status, memo } = await workflow.getHandle(deploymentWorkflowId(id)).describe();
        if (status.name === 'RUNNING') return undefined;
        return endedOf(id, memo?.[MEMO.deployment] as Deployment | undefined);
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return endedOf(id, undefined);
        throw error;
      }
    },
  };
}

export type LaneReader = ReturnType<typeof createLaneReader>;

/**
 * A lane's state by its memo, a strong read that needs no worker of it.
 * @returns a function: undefined where the lane was never used
 */
export const createLaneReader =
  ({ workflow }: Client) =>
  async (target: Target): Promise<LaneView | undefined> => {
    try {
      const { memo } = await workflow.getHandle(laneWorkflowId(target)).describe();
      const view = memo?.[MEMO.lane] as LaneView | undefined;
      // It has just been started: what it holds, bad marks among it, is being recovered.
      if (!view) throw later('NO_WORKER', `The lane of ${target.app} in ${target.environment} is starting`);
      return view;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  };

const sha = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

function refusalOf(error: unknown): ApplicationFailure | undefined {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return later('NO_WORKER', 'The lane does not answer');
  }
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure) || !isCode(cause.type)) return undefined;
  return refuse(cause.type, cause.message, cause.details?.[0] as Record<string, unknown> | undefined);
}
