/** What a release or a rollback asks of a lane, and what anyone may read of it. */
import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { laneEntity } from '../../clients/entities.js';
import type { Deployment, DeploymentRequest, Target } from '../../domain/deployment.js';
import { PRODUCTION } from '../../domain/deployment.js';
import { deploymentWorkflowId, laneWorkflowId } from '../../domain/ids.js';
import { fingerprint } from '../../domain/lane.js';
import type { Accepted, BadMark, DeploymentEnded, LaneView } from '../../domain/messages.js';
import { MEMO, UPDATE } from '../../domain/messages.js';
import { endedOf } from '../../domain/progress.js';
import { later } from '../failure.js';
import { askEntity } from './ask.js';

export function createRequests(client: Client) {
  const { workflow } = client;

  return {
    /**
     * Hands a deployment to its lane; the same id is the same deployment, however often it is asked for.
     * @throws ApplicationFailure `LOCKED` with the lock, `RELEASE_BAD` with the mark, `KEY_REUSED`
     */
    requestDeployment: (request: DeploymentRequest): Promise<Accepted> =>
      askEntity(client, laneEntity(request), {
        update: UPDATE.request,
        updateId: `${request.id}/${sha(fingerprint(request))}`,
        input: request,
      }),

    /** @returns the mark that stands: the first one of its release. */
    markBad: ({ app, mark }: { app: string; mark: BadMark }): Promise<BadMark> =>
      askEntity(client, laneEntity({ app, environment: PRODUCTION }), {
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
