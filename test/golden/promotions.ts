/** Histories of the promotion queue and of what belongs to it. Each is a run of its own: it starts anew in between. */
import {
  deliveryWorkflowId,
  deploymentWorkflowId,
  noticeWorkflowId,
  promotionWorkflowId,
  rollbackWorkflowId,
  testsWorkflowId,
} from '../../domain/ids.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { Promotion } from '../../domain/promotion/promotion.js';
import type { promotionQueue } from '../../workflows/promotion-queue.js';
import type { PromotionsAt } from '../e2e/promotions-at.js';
import { PRODUCTION, promotionsAt } from '../e2e/promotions-at.js';
import { deployPast, newestPush, reconcile } from '../e2e/promotion-world.js';
import type { Site } from '../e2e/site.js';
import { LANES, openSite, until } from '../e2e/site.js';

export const PROMOTION_HISTORIES = [
  'delivery-push',
  'deployment-of-a-merge',
  'deployment-of-a-promotion',
  'deployment-that-gave-its-turn-back',
  'drift-notice',
  'plan',
  'promotion-continued-as-new',
  'promotion-failed-tests',
  'promotion-locked-after-rollback',
  'promotion-notice',
  'promotion-promoted',
  'promotion-rejected',
  'promotion-superseded',
  'promotion-that-continues-as-new',
  'reconcile',
  'rollback-that-locks-promotions',
  'tests-passed',
] as const;

type Name = (typeof PROMOTION_HISTORIES)[number];
type Save = (name: Name, from: { site: Site; workflowId: string; runId?: string }) => Promise<void>;

const TESTS = 'playwright.yml';
const QUEUE_ID = promotionWorkflowId('api');
const CONTINUE_AFTER_EVENTS = 40;

export async function recordPromotions(saveFrom: Save): Promise<void> {
  const site = await openSite();
  try {
    await Promise.all(LANES.map((lane) => site.calm(lane)));
    const save = (name: Name, workflowId: string, runId?: string): Promise<void> =>
      saveFrom(name, { site, workflowId, ...(runId ? { runId } : {}) });
    const api = promotionsAt(site, 'api');
    await promoted({ site, api, save });
    await failedTests({ site, api, save });
    await rejected({ site, api, save });
    await superseded({ site, api, save });
    await continuedAsNew({ site, api, save });
    await gaveItsTurnBack({ site, api, save });
    await lockedAfterRollback({ site, api, save });
    await plannedAndReconciled({ site, api, save });
  } finally {
    await site.close();
  }
}

interface Recording {
  site: Site;
  api: PromotionsAt;
  save(name: Name, workflowId: string, runId?: string): Promise<void>;
}

async function promoted({ site, api, save }: Recording): Promise<void> {
  const { id, staging = '', production = '' } = await promote(api, 'Search by license');
  await save('promotion-promoted', QUEUE_ID);
  await save('tests-passed', testsWorkflowId(id, 1));
  await save('deployment-of-a-merge', deploymentWorkflowId(staging));
  await save('deployment-of-a-promotion', deploymentWorkflowId(production));
  await until('its people are told', async () => {
    const { status } = await site.client.workflow.getHandle(noticeWorkflowId(id)).describe();
    return status.name !== 'RUNNING';
  });
  await save('promotion-notice', noticeWorkflowId(id));
  // Merging also deletes the pull request's branch: that push starts nothing.
  const push = site.github.webhooks
    .deliveries('push')
    .findLast(({ body }) => body.includes('refs/heads/main'));
  await save('delivery-push', deliveryWorkflowId(push?.guid ?? ''));
  await anew(site);
}

async function failedTests({ site, api, save }: Recording): Promise<void> {
  site.github.workflows.behave(TESTS, { conclusion: 'failure' });
  await api.reaches(await api.merge('Breaks the search'), 'failed');
  site.github.workflows.behave(TESTS, { conclusion: 'success' });
  await save('promotion-failed-tests', QUEUE_ID);
  await anew(site);
}

async function rejected({ site, api, save }: Recording): Promise<void> {
  const sha = await api.merge('Looks wrong');
  await api.unlocked(sha);
  await api.ask('reject', { release: sha, reason: 'looks wrong' });
  await api.reaches(sha, 'rejected');
  await save('promotion-rejected', QUEUE_ID);
  await anew(site);
}

async function superseded({ site, api, save }: Recording): Promise<void> {
  const first = await api.merge('One');
  await api.unlocked(first);
  const [second, third] = [await api.merge('Two'), await api.merge('Three')];
  await api.becomes('two wait', ({ waiting }) => waiting.length === 2);
  await api.approve(first);
  await api.unlocked(third);
  await api.reaches(second, 'superseded');
  await save('promotion-superseded', QUEUE_ID);
  await api.approve(third);
  await api.reaches(third, 'promoted');
  await anew(site);
}

async function continuedAsNew({ site, api, save }: Recording): Promise<void> {
  const { firstExecutionRunId } = await site.client.workflow.start<typeof promotionQueue>(
    WORKFLOW.promotionQueue,
    {
      workflowId: QUEUE_ID,
      taskQueue: QUEUE.main,
      args: [{ app: 'api', tuning: { continueAfterEvents: CONTINUE_AFTER_EVENTS } }],
    },
  );
  await promote(api, 'A long one');
  await save('promotion-that-continues-as-new', QUEUE_ID, firstExecutionRunId);
  await save('promotion-continued-as-new', QUEUE_ID);
  await anew(site);
}

async function gaveItsTurnBack({ site, api, save }: Recording): Promise<void> {
  const sha = await api.merge('Approved, then held');
  const { release } = await api.unlocked(sha);
  const freeze = (frozen: boolean): void => {
    site.aws.behave({ cluster: 'production-default', service: 'production-api', behaviour: { frozen } });
  };
  freeze(true);
  const before = await site.deploy(PRODUCTION.api, { tag: release });
  await site.watched(before);
  await api.approve(sha);
  await api.lock('wait');
  freeze(false);
  await site.ended(before);
  const { production = '' } = await api.reaches(sha, 'production');
  await site.becomes(production, 'queued with the lock', ({ waitingFor }) => waitingFor?.code === 'LOCKED');
  await api.unlock();
  await api.reaches(sha, 'promoted');
  await save('deployment-that-gave-its-turn-back', deploymentWorkflowId(production));
  await anew(site);
}

async function lockedAfterRollback({ site, api, save }: Recording): Promise<void> {
  const body = { ...PRODUCTION.api, reason: 'search is slow' };
  const { id } = (await site.ask('POST', '/api/rollbacks', { body })).body as { id: string };
  await site.ended(id);
  const fixed = await api.merge('Quick search');
  await api.reaches(fixed, 'queued', 'PRODUCTION_ROLLED_BACK');
  await api.unlock();
  await api.unlocked(fixed);
  await save('promotion-locked-after-rollback', QUEUE_ID);
  await save('rollback-that-locks-promotions', rollbackWorkflowId(PRODUCTION.api, id.split('.')[2] ?? ''));
}

/** Somebody deploys past Sluice, and a push is lost: a pass finds both. */
async function plannedAndReconciled({ site, api, save }: Recording): Promise<void> {
  const tag = await deployPast(site, PRODUCTION.api);
  const body = { kind: 'deploy', ...PRODUCTION.api, tag };
  const { status } = await site.ask('POST', '/api/plans', { body });
  if (status !== 200) throw new Error(`No plan: ${status}`);
  await save('plan', await newestClosed(site, WORKFLOW.plan));
  // What is younger than ten seconds may be the lane's own.
  const told = await until('the drift is told of', async () => {
    await reconcile(site);
    return (await closedOf(site, WORKFLOW.driftNotice))[0];
  });
  await save('drift-notice', told);
  site.github.webhooks.fault({ kind: 'lost', event: 'push' });
  await api.merge('Nobody tells of it');
  await newestPush(site);
  site.github.webhooks.clearFaults();
  await save('reconcile', await reconcile(site));
}

const newestClosed = (site: Site, type: string): Promise<string> =>
  until(`a ${type} has ended`, async () => (await closedOf(site, type))[0]);

/** @returns ids, the newest first */
async function closedOf({ client }: Site, type: string): Promise<string[]> {
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Completed'`;
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

async function promote(api: PromotionsAt, title: string): Promise<Promotion> {
  const sha = await api.merge(title);
  await api.unlocked(sha);
  await api.approve(sha);
  return api.reaches(sha, 'promoted');
}

/** The next run recovers from what this one leaves, once Temporal lists it as closed. */
async function anew({ client }: Site): Promise<void> {
  const { runId } = await client.workflow.getHandle(QUEUE_ID).describe();
  await client.workflow.getHandle(QUEUE_ID, runId).terminate('recorded');
  await until('the closed run is listed', async () => {
    const query = `WorkflowId = '${QUEUE_ID}' AND ExecutionStatus = 'Terminated'`;
    for await (const run of client.workflow.list({ query })) if (run.runId === runId) return true;
    return false;
  });
}
