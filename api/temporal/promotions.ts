/** The promotion queue of an app: commands are updates of `promotion/{app}`, reads its memo. */
import { randomUUID } from 'node:crypto';
import { promotionsEntity, updateEntity } from '../../clients/entities.js';
import type { Temporal } from '../../clients/temporal.js';
import { promotionWorkflowId, testsWorkflowId } from '../../domain/ids.js';
import type { Lock } from '../../domain/messages.js';
import { MEMO, QUEUE, UPDATE } from '../../domain/messages.js';
import type {
  ApproveCommand,
  Commanded,
  LockCommand,
  PromotionPolicy,
  PromotionQueueView,
  RejectCommand,
  ResolveCommand,
  RetryCommand,
  TestsCommand,
  UnlockCommand,
} from '../../domain/promotion/promotion.js';
import { idleQueue, overlayQueue, overlayTests } from '../../domain/promotion/view.js';
import { CALL_MS, command } from './call.js';
import { pendingOf, workflowTaskSince } from '../../clients/pending.js';
import { describe } from './reads.js';

/** What a queue can be told; lock and unlock have functions of their own. */
export type QueueCommand =
  | { update: 'approve'; input: ApproveCommand }
  | { update: 'reject' | 'cancel'; input: RejectCommand }
  | { update: 'retryPromotion'; input: RetryCommand }
  | { update: 'resolve'; input: ResolveCommand }
  | { update: 'reportTests'; input: TestsCommand };

/** These look at both environments before they answer, which may take 3 s. */
const LOOKS_FIRST: readonly string[] = ['approve', 'retryPromotion', 'resolve'];
const LOOKING_MS = 8_000;

/** @returns an idle one where it never ran */
export async function readQueue(
  t: Temporal,
  app: string,
  policy: PromotionPolicy,
): Promise<PromotionQueueView> {
  const description = await describe(t, promotionWorkflowId(app));
  if (!description) return idleQueue(app, policy);
  const { raw, memo, status, closeTime } = description;
  const since = workflowTaskSince(raw);
  const view = overlayQueue({
    view: (memo?.[MEMO.promotions] as PromotionQueueView | undefined) ?? idleQueue(app, policy),
    pending: pendingOf(raw),
    status: status.name,
    ...(closeTime ? { closedAt: closeTime.toISOString() } : {}),
    ...(since ? { workflowTaskSince: since } : {}),
    now: new Date(),
  });
  return withTests(t, view);
}

/** Tests that a command runs wait for a build worker, which the queue itself cannot see. */
async function withTests(t: Temporal, view: PromotionQueueView): Promise<PromotionQueueView> {
  const { current } = view;
  if (current?.stage !== 'testing' || current.tests?.state !== 'running') return view;
  const tests = await describe(t, testsWorkflowId(current.id, current.tests.attempt));
  const pending = tests?.status.name === 'RUNNING' ? pendingOf(tests.raw, 'runTestCommand') : [];
  return overlayTests(view, { pending, now: new Date() });
}

/**
 * @returns the queue after it
 * @throws ApiError with the queue's own code where it refuses; `NO_WORKER`, `TEMPORAL_DOWN`, `TOO_LATE`
 */
export const tellQueue = (
  temporal: Temporal,
  app: string,
  { update, input }: QueueCommand,
): Promise<PromotionQueueView> =>
  updateQueue({
    ...{ temporal, app, update, input },
    withinMs: LOOKS_FIRST.includes(update) ? LOOKING_MS : CALL_MS,
  });

/** @throws ApiError `LOCKED` with the lock that is there */
export const lockQueue = (temporal: Temporal, app: string, input: LockCommand): Promise<Lock> =>
  updateQueue({ temporal, app, update: 'lock', input, withinMs: CALL_MS });

/** @throws ApiError `NOT_LOCKED` */
export async function unlockQueue(temporal: Temporal, app: string, input: UnlockCommand): Promise<void> {
  await updateQueue<Lock>({ temporal, app, update: 'unlock', input, withinMs: CALL_MS });
}

/**
 * An update of the queue, which is started where it does not run yet. The server gives the same update id the same
 * answer for as long as the run lasts, an outage's as well; and another one after it. So each sending is an update of
 * its own: the queue knows what it has done under a key, from run to run, and does it once.
 */
function updateQueue<T>(of: {
  temporal: Temporal;
  app: string;
  update: keyof typeof UPDATE;
  input: Commanded;
  withinMs: number;
}): Promise<T> {
  const { temporal, app, update, input, withinMs } = of;
  const entity = promotionsEntity(app);
  const updateId = `${update}/${input.key}/${randomUUID()}`;
  return command({
    ...{ temporal, workflowId: entity.workflowId, taskQueue: QUEUE.main, withinMs },
    send: () => updateEntity<T>(temporal.client, entity, { update: UPDATE[update], updateId, input }),
  });
}
