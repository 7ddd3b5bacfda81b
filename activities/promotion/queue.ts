/** What others ask of a promotion queue, and what it asks of Temporal when it starts anew. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { noticeEntity, promotionsEntity, signalEntity } from '../../clients/entities.js';
import type { Config } from '../../domain/config/config.js';
import { deploymentWorkflowId, promotionWorkflowId, testsWorkflowId } from '../../domain/ids.js';
import type { Lock, PromotionNews, StopRequest, TestsReport } from '../../domain/messages.js';
import { MEMO, SIGNAL, UPDATE } from '../../domain/messages.js';
import type { LockCommand, PromotionQueueView } from '../../domain/promotion/promotion.js';
import type { PromotionState } from '../../domain/promotion/state.js';
import { askEntity } from '../temporal/ask.js';
import { describe, ignoringMissing } from '../temporal/missing.js';

/** The newest that are listed; the last one is among them, and one that could write no memo before it was ended. */
const RUNS_LOOKED_AT = 10;

export function createQueueMessages({ client, config }: { client: Client; config: Config }) {
  const { workflow } = client;

  return {
    /** The end of one attempt of the tests. */
    reportTests: ({ app, report }: { app: string; report: TestsReport }): Promise<void> =>
      signalEntity(client, promotionsEntity(app), { signal: SIGNAL.testsEnded, input: report }),

    /**
     * A production rollback holds the app's promotions, before it marks or deploys anything. It joins a lock that is
     * there. Apps without promotions have nothing to hold.
     */
    async lockPromotions({ app, command }: { app: string; command: LockCommand }): Promise<Lock | undefined> {
      if (!config.apps[app]?.promotion) return undefined;
      const updateId = `lock/${command.key}`;
      return await askEntity(client, promotionsEntity(app), {
        update: UPDATE.lock,
        updateId,
        input: command,
      });
    },

    /** Its people are told by a workflow of its own, in its time. */
    async tellPromotionPeople(news: PromotionNews): Promise<void> {
      const entity = noticeEntity(news.promotion.id, 'promotionNotice');
      await signalEntity(client, entity, { signal: SIGNAL.promotionNews, input: news });
    },

    async stopDeployment({ id, ...request }: StopRequest & { id: string }): Promise<void> {
      await ignoringMissing(workflow.getHandle(deploymentWorkflowId(id)).signal(SIGNAL.stop, request));
    },

    /** @returns whether the tests' workflow is gone: it reports before it closes, unless it was terminated. */
    async testsGone({ promotion, attempt }: { promotion: string; attempt: number }): Promise<boolean> {
      const found = await describe(client, testsWorkflowId(promotion, attempt));
      return found?.status.name !== 'RUNNING';
    },

    /**
     * What the last run left: its memo, a strong read. Visibility lags: a run that has just ended is still listed as
     * running. Only the one that asks does run.
     */
    async recoverPromotions({ app }: { app: string }): Promise<PromotionState | undefined> {
      const runs: WorkflowExecutionInfo[] = [];
      const query = `WorkflowId = '${promotionWorkflowId(app)}'`;
      for await (const run of workflow.list({ query, pageSize: RUNS_LOOKED_AT })) {
        if (runs.push(run) >= RUNS_LOOKED_AT) break;
      }
      runs.sort((one, other) => other.startTime.getTime() - one.startTime.getTime());
      for (const { workflowId, runId } of runs) {
        const { status, memo } = await workflow.getHandle(workflowId, runId).describe();
        const state = memo?.[MEMO.promotionState] as PromotionState | undefined;
        const view = memo?.[MEMO.promotions] as PromotionQueueView | undefined;
        if (state && status.name !== 'RUNNING') return { ...state, recent: view?.recent ?? [] };
      }
      return undefined;
    },
  };
}
