/** The schedule of `reconcile`: made by every worker at its start, and by `sluice setup`. */
import type { ScheduleOptions } from '@temporalio/client';
import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { RECONCILE_WORKFLOW_ID } from '../domain/ids.js';
import { QUEUE, WORKFLOW } from '../domain/messages.js';
import type { Temporal } from './temporal.js';

export const RECONCILE_SCHEDULE_ID = 'reconcile';
/** Merges whose webhook never came, and drift, are found within this. */
const EVERY_MS = 3 * 60_000;

const SPEC = { intervals: [{ every: EVERY_MS }] };
/** A pass looks at how things are: the one that was missed tells nothing that the next does not. */
const POLICIES = { overlap: 'SKIP', catchupWindow: 60_000 } as const;
const ACTION = {
  type: 'startWorkflow',
  workflowType: WORKFLOW.reconcile,
  workflowId: RECONCILE_WORKFLOW_ID,
  taskQueue: QUEUE.main,
  args: [],
} satisfies ScheduleOptions['action'];

/** What to run by hand. */
export const reconcileScheduleCommand = (namespace: string): string =>
  `temporal schedule create --namespace ${namespace} --schedule-id ${RECONCILE_SCHEDULE_ID} ` +
  `--interval ${EVERY_MS / 60_000}m --overlap-policy Skip --catchup-window ${POLICIES.catchupWindow / 1_000}s ` +
  `--type ${ACTION.workflowType} --workflow-id ${ACTION.workflowId} --task-queue ${ACTION.taskQueue}`;

type Schedules = Pick<Temporal, 'client'>;

/** Safe at any time, by any number at once. One that a person paused stays paused. */
export async function ensureReconcileSchedule({
  client,
}: Schedules): Promise<'created' | 'updated' | 'unchanged'> {
  try {
    await client.schedule.create({
      scheduleId: RECONCILE_SCHEDULE_ID,
      spec: SPEC,
      action: ACTION,
      policies: POLICIES,
      // The first pass notes for every queue where the branch stands: a push that is lost after it is found.
      state: { triggerImmediately: true },
    });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const found = await readSchedule({ client });
  if (found?.asWanted) return 'unchanged';
  await client.schedule
    .getHandle(RECONCILE_SCHEDULE_ID)
    .update(({ state }) => ({ spec: SPEC, action: ACTION, policies: POLICIES, state }));
  return 'updated';
}

/** @returns undefined where there is none */
export async function readSchedule({
  client,
}: Schedules): Promise<{ asWanted: boolean; paused: boolean } | undefined> {
  try {
    const { spec, action, policies, state } = await client.schedule
      .getHandle(RECONCILE_SCHEDULE_ID)
      .describe();
    const asWanted =
      spec.intervals?.length === 1 &&
      spec.intervals[0]?.every === EVERY_MS &&
      (spec.calendars ?? []).length === 0 &&
      policies.overlap === POLICIES.overlap &&
      action.workflowType === ACTION.workflowType &&
      action.taskQueue === ACTION.taskQueue;
    return { asWanted, paused: state.paused };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
