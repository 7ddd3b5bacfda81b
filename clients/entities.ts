/** Workflows that are started by whoever first says something to them: a message never finds nobody. */
import type { Client } from '@temporalio/client';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Target } from '../domain/deployment.js';
import {
  buildWorkflowId,
  laneWorkflowId,
  noticeWorkflowId,
  promotionWorkflowId,
  releasesWorkflowId,
} from '../domain/ids.js';
import { QUEUE, WORKFLOW } from '../domain/messages.js';

export interface Entity {
  workflowType: string;
  workflowId: string;
  /** Of one that is started by it. */
  args: unknown[];
}

export const laneEntity = ({ app, environment }: Target): Entity => ({
  workflowType: WORKFLOW.lane,
  workflowId: laneWorkflowId({ app, environment }),
  args: [{ app, environment }],
});

export const releasesEntity = (app: string): Entity => ({
  workflowType: WORKFLOW.releases,
  workflowId: releasesWorkflowId(app),
  args: [{ app }],
});

export const promotionsEntity = (app: string): Entity => ({
  workflowType: WORKFLOW.promotionQueue,
  workflowId: promotionWorkflowId(app),
  args: [{ app }],
});

export const buildEntity = ({ app, commit }: { app: string; commit: string }): Entity => ({
  workflowType: WORKFLOW.build,
  workflowId: buildWorkflowId(app, commit),
  args: [{ app, commit }],
});

/** @param id of the deployment or promotion that people are told of */
export const noticeEntity = (id: string, workflowType: 'notice' | 'promotionNotice'): Entity => ({
  workflowType: WORKFLOW[workflowType],
  workflowId: noticeWorkflowId(id),
  args: [],
});

type Workflows = Pick<Client, 'workflow'>;

export async function signalEntity(
  { workflow }: Workflows,
  { workflowType, workflowId, args }: Entity,
  { signal, input }: { signal: string; input?: unknown },
): Promise<void> {
  const signalArgs: unknown[] = input === undefined ? [] : [input];
  await workflow.signalWithStart<Workflow, unknown[]>(workflowType, {
    ...{ workflowId, taskQueue: QUEUE.main, args, signal, signalArgs },
  });
}

export interface EntityUpdate {
  update: string;
  /** The server gives the same id the same answer, as long as the entity's run lasts. */
  updateId: string;
  input: unknown;
}

/** @throws what Temporal's client throws: a refusal as `WorkflowUpdateFailedError` */
export const updateEntity = <T>(
  { workflow }: Workflows,
  { workflowType, workflowId, args }: Entity,
  { update, updateId, input }: EntityUpdate,
): Promise<T> =>
  workflow.executeUpdateWithStart<Workflow, T, [unknown]>(update, {
    ...{ args: [input], updateId },
    startWorkflowOperation: new WithStartWorkflowOperation(workflowType, {
      ...{ workflowId, taskQueue: QUEUE.main, args },
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  });
