/** What a release asks of others: the app's `releases`, and what the production lane holds. */
import type { Client } from '@temporalio/client';
import { WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import { markOf } from '../../domain/bad.js';
import { releasesWorkflowId } from '../../domain/ids.js';
import type { ImageClaim, ImageClaimed, ReleaseStateChange } from '../../domain/messages.js';
import { QUEUE, SIGNAL, UPDATE, WORKFLOW } from '../../domain/messages.js';
import type { LiveInput, LiveState } from '../../domain/release/effects.js';
import type { LaneReader } from './requests.js';

/** Shorter than the attempt that it is part of: nothing is left hanging behind it. */
const ANSWER_MS = 8_000;

export function createReleaseMessages({ client, readLane }: { client: Client; readLane: LaneReader }) {
  const { workflow, connection } = client;

  return {
    /** Tells the app's `releases` how a release stands. */
    async releaseState({ app, change }: { app: string; change: ReleaseStateChange }): Promise<void> {
      await workflow.signalWithStart(WORKFLOW.releases, {
        workflowId: releasesWorkflowId(app),
        taskQueue: QUEUE.main,
        args: [{ app }],
        signal: SIGNAL.releaseState,
        signalArgs: [change],
      });
    },

    /** @returns `first`: another release holds the same images */
    async claimImages({ app, claim }: { app: string; claim: ImageClaim }): Promise<ImageClaimed> {
      const send = (): Promise<ImageClaimed> =>
        workflow.executeUpdateWithStart(UPDATE.claim, {
          args: [claim],
          updateId: `claim/${claim.id}`,
          startWorkflowOperation: new WithStartWorkflowOperation(WORKFLOW.releases, {
            workflowId: releasesWorkflowId(app),
            taskQueue: QUEUE.main,
            args: [{ app }],
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
        });
      return await connection.withDeadline(Date.now() + ANSWER_MS, send);
    },

    /** What runs in an environment, as far as its lane knows. */
    async liveRelease({ app, environment, release }: LiveInput): Promise<LiveState> {
      const view = await readLane({ app, environment });
      if (!view) return { busy: false };
      const bad = markOf(view.bad ?? [], release);
      return {
        ...(view.live ? { live: view.live } : {}),
        busy: view.running !== undefined || view.waitingCount > 0,
        ...(bad ? { bad } : {}),
      };
    },
  };
}

/** @returns undefined where there is no such workflow */
export async function describe(client: Client, workflowId: string) {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
