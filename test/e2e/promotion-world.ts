/** What happens around a promotion queue of a real stack, and what is counted of it. */
import { randomUUID } from 'node:crypto';
import { ScheduleNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { TestContext } from 'vitest';
import { RECONCILE_SCHEDULE_ID } from '../../clients/reconcile-schedule.js';
import { noticeWorkflowId, promotionWorkflowId } from '../../domain/ids.js';
import type { PromotionNews } from '../../domain/messages.js';
import { QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import type { Delivery } from '../../sandbox/github/webhooks/hooks.js';
import { FIRST_TAG, SERVICES } from '../../sandbox/settings.js';
import type { PromotionsAt } from './promotions-at.js';
import type { Lane, Site } from './site.js';
import { refOf, until } from './site.js';

export const TESTS = 'playwright.yml';

/** Somebody deploys past Sluice: a revision of their own, of images that Sluice never saw. @returns its release */
export async function deployPast(site: Site, lane: Lane): Promise<string> {
  const { front, containers } = SERVICES[lane.app];
  const tag = site.images(lane.app);
  const containerDefinitions = Object.entries(containers).map(([name, repository]) => ({
    name,
    image: `${site.aws.registry}/${repository}:${tag}`,
    ...(name === front ? { portMappings: [{ containerPort: 8080, hostPort: 0 }] } : {}),
  }));
  const { arn } = site.aws.taskDefinition({ family: refOf(lane).service, containerDefinitions });
  site.aws.deploy({ ...refOf(lane), taskDefinition: arn });
  await until(`${tag} runs`, async () => (await site.release(lane)) === tag);
  await site.calm(lane);
  return tag;
}

export const freeze = (site: Site, lane: Lane, frozen: boolean): void =>
  void site.aws.behave({ ...refOf(lane), behaviour: { frozen } });

const tagOf = (site: Site, release: string): string =>
  release === site.sample.commits.first ? FIRST_TAG : release;

/** A redeployment of what production runs, in the middle of which it stands still. @returns how it goes on */
export async function holdProduction(site: Site, lane: Lane): Promise<() => Promise<void>> {
  freeze(site, lane, true);
  const tag = tagOf(site, (await site.release(lane)) ?? '');
  const id = await site.deploy(lane, { tag });
  await site.watched(id);
  return async () => {
    freeze(site, lane, false);
    await site.ended(id);
  };
}

export interface QueueRun {
  runId: string;
  /** Events of its history. */
  events: number;
}

export async function queueRun(site: Site, app: Lane['app']): Promise<QueueRun> {
  const { runId, historyLength } = await site.client.workflow.getHandle(promotionWorkflowId(app)).describe();
  return { runId, events: historyLength };
}

/** What the people of a promotion were told of, in order, as it was sent to its notice. */
export async function toldOf(site: Site, promotion: string): Promise<PromotionNews['change'][]> {
  const { events } = await site.client.workflow.getHandle(noticeWorkflowId(promotion)).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) => {
    const [payload] = signaled?.input?.payloads ?? [];
    if (signaled?.signalName !== SIGNAL.promotionNews || !payload) return [];
    return [defaultPayloadConverter.fromPayload<PromotionNews>(payload).change];
  });
}

/** From `awaiting-approval` on, as everybody wants it. */
export async function promote(queue: PromotionsAt, sha: string): Promise<void> {
  await queue.unlocked(sha);
  await queue.approve(sha);
  await queue.reaches(sha, 'promoted');
}

/** ECS is in the middle of this release's deployment there. @returns its id */
export async function inTheMiddle(
  site: Site,
  queue: PromotionsAt,
  { release, stage }: { release: string; stage: 'staging' | 'production' },
): Promise<string> {
  const { [stage]: id = '' } = await queue.reaches(release, stage);
  await site.watched(id);
  return id;
}

/** Its tests run at GitHub. @returns where */
export async function inTests(queue: PromotionsAt, release: string): Promise<string> {
  const { current } = await queue.becomes(
    `the tests of ${release} run`,
    (one) => one.current?.release === release && one.current.stage === 'testing' && !!one.current.tests?.url,
  );
  return current?.tests?.url ?? '';
}

/** GitHub's id of the run at this address. */
export const runAt = (url: string): number => Number(url.split('/').at(-1));

/** For `afterEach`: ends what a test that failed has left under way, so that the next one stands for itself. */
export async function clearAfter({ task }: TestContext, ...queues: PromotionsAt[]): Promise<void> {
  if (task.result?.state !== 'fail') return;
  for (const queue of queues) {
    const { current, waiting, lock } = await queue.queue();
    const reason = 'its test has failed';
    if (lock) await queue.unlock();
    for (const { release } of waiting) await queue.ask('cancel', { release, reason });
    if (current) await queue.ask('reject', { release: current.release, reason });
  }
}

/** What GitHub told, or tried to tell, of the newest push to main: each merge brings pushes of its own branch, too. */
export async function newestPush(site: Site): Promise<Delivery> {
  await site.github.webhooks.settled();
  const ofMain = site.github.webhooks
    .deliveries('push')
    .filter(({ body }) => (JSON.parse(body) as { ref: string }).ref === 'refs/heads/main');
  const newest = ofMain.at(-1);
  if (!newest) throw new Error('nobody has pushed to main');
  return newest;
}

/** One pass of it, now. @returns the workflow's id */
export async function reconcile(site: Site): Promise<string> {
  const workflowId = `reconcile-${randomUUID()}`;
  await site.client.workflow.execute(WORKFLOW.reconcile, {
    workflowId,
    taskQueue: QUEUE.main,
    args: [],
  });
  return workflowId;
}

/** The schedule's passes would come at any moment. */
export async function stopReconciling(site: Site): Promise<void> {
  await until('the schedule is there, and pauses', async () => {
    try {
      await site.client.schedule.getHandle(RECONCILE_SCHEDULE_ID).pause();
      return true;
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return false;
      throw error;
    }
  });
}
