/** What is done with merges that were found: queues are told, images built, staging deployed. */
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { buildEntity, promotionsEntity, signalEntity } from '../../clients/entities.js';
import type { Config } from '../../domain/config/config.js';
import { buildWorkflowId } from '../../domain/ids.js';
import type { Route, RouteInput } from '../../domain/merges/routes.js';
import { routesOf } from '../../domain/merges/routes.js';
import type { BuildWanted, MergesNews } from '../../domain/messages.js';
import { SIGNAL, WORKFLOW } from '../../domain/messages.js';
import { describe } from '../temporal/missing.js';

export interface TellPromotions {
  app: string;
  news: MergesNews;
}

export function createMergeRouting({ config, client }: { config: Config; client: Client }) {
  const { workflow } = client;
  return {
    routeMerges: async (input: Omit<RouteInput, 'now'>): Promise<Route[]> =>
      routesOf(config, { ...input, now: new Date().toISOString() }),

    /** Tells an app's promotion queue of merges, and starts it where it is not there. */
    tellPromotions: ({ app, news }: TellPromotions): Promise<void> =>
      signalEntity(client, promotionsEntity(app), { signal: SIGNAL.merges, input: news }),

    /** Builds a merge's images with nobody waiting for them. One that runs, or has ended, is left as it is. */
    async startBuild({ app, commit }: { app: string; commit: string }): Promise<void> {
      const held = await describe(client, buildWorkflowId(app, commit));
      if (held && held.status.name !== 'RUNNING') return;
      // Wanted for itself: a deployment that joins it and leaves does not end it.
      const wanted: BuildWanted = { by: 'sluice', key: `merge/${commit}` };
      await signalEntity(client, buildEntity({ app, commit }), { signal: SIGNAL.wanted, input: wanted });
    },

    /** Tells everything that follows a run at GitHub: whose it is, they know themselves. @returns how many */
    async tellTests({ id }: { id: number }): Promise<number> {
      const query = `WorkflowType = '${WORKFLOW.tests}' AND ExecutionStatus = 'Running'`;
      let told = 0;
      for await (const { workflowId } of workflow.list({ query, pageSize: 100 })) {
        try {
          await workflow.getHandle(workflowId).signal(SIGNAL.runChanged, { id });
          told += 1;
        } catch (error) {
          // Lists lag: it has ended meanwhile.
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }
      }
      return told;
    },
  };
}
