/** What others ask of a promotion queue, and what it asks of Temporal when it starts anew. */
import type { Client } from '@temporalio/client';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Config } from '../../domain/config/config.js';
import {
  deploymentWorkflowId,
  noticeWorkflowId,
  promotionWorkflowId,
  testsWorkflowId,
} from '../../domain/ids.js';
import type { Lock, PromotionNews, StopRequest, TestsReport } from '../../domain/messages.js';
import { MEMO, QUEUE, SIGNAL, UPDATE, WORKFLOW } from '../../domain/messages.js';
import type { LockCommand, PromotionQueueView } from '../../domain/promotion/promotion.js';
import type { PromotionState } from '../../domain/promotion/state.js';
import { ignoringMissing } from '../temporal/missing.js';
import { describe } from '../temporal/releases.js';

/** Within the attempt of the activity that asks. */
const ANSWER_MS = 8_000;

export function createQueueMessages({ client, config }: { client: Client; config: Config }) {
  const { workflow, connection } = client;

  return {
    /** The end of one attempt of the tests. */
    async reportTests({ app, report }: { app: string; report: TestsReport }): Promise<void> {
      await workflow.signalWithStart(WORKFLOW.promotionQueue, {
        workflowId: promotionWorkflowId(app),
        taskQueue: QUEUE.main,
        args: [{ app }],
        signal: SIGNAL.testsEnded,
        signalArgs: [report],
      });
    },

    /**
     * A production rollback holds the app's promotions, before it marks or deploys anything. It joins a lock that is
     * there. Apps without promotions have nothing to hold.
     */
    async lockPromotions({ app, command }: { app: string; command: LockCommand }): Promise<Lock | undefined> {
      if (!config.apps[app]?.promotion) return undefined;
      const send = (): Promise<Lock> =>
        workflow.executeUpdateWithStart(UPDATE.lock, {
          args: [command],
          updateId: `lock/${command.key}`,
          startWorkflowOperation: new WithStartWorkflowOperation(WORKFLOW.promotionQueue, {
            workflowId: promotionWorkflowId(app),
            taskQueue: QUEUE.main,
            args: [{ app }],
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
        });
      return await connection.withDeadline(Date.now() + ANSWER_MS, send);
    },

    /** Its people are told by a workflow of its own, in its time. */
    async tellPromotionPeople(news: PromotionNews): Promise<void> {
      await workflow.signalWithStart(WORKFLOW.promotionNotice, {
        workflowId: noticeWorkflowId(news.promotion.id),
        taskQueue: QUEUE.main,
        args: [],
        signal: SIGNAL.promotionNews,
        signalArgs: [news],
      });
    },

    async stopDeployment({ id, ...request }: StopRequest & { id: string }): Promise<void> {
      await ignoringMissing(workflow.getHandle(deploymentWorkflowId(id)).signal(SIGNAL.stop, request));
    },

    /** @returns whether the tests' workflow is gone: it reports before it closes, unless it was terminated. */
    async testsGone({ promotion, attempt }: { promotion: string; attempt: number }): Promise<boolean> {
      const found = await describe(client, testsWorkflowId(promotion, attempt));
      return found?.status.name !== 'RUNNING';
    },

    /** What the last run left: its memo, a strong read. */
    async recoverPromotions({ app }: { app: string }): Promise<PromotionState | undefined> {
      const query = `WorkflowId = '${promotionWorkflowId(app)}' AND ExecutionStatus != 'Running'`;
      for await (const run of workflow.list({ query, pageSize: 10 })) {
        const { memo } = await workflow.getHandle(run.workflowId, run.runId).describe();
        const state = memo?.[MEMO.promotionState] as PromotionState | undefined;
        const view = memo?.[MEMO.promotions] as PromotionQueueView | undefined;
        if (state) return { ...state, recent: view?.recent ?? [] };
      }
      return undefined;
    },
  };
}
