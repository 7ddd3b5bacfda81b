/** A new release of the workers beside the old one, while a deployment and a promotion wait (docs/upgrade.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WORKER_DEPLOYMENT } from '../../domain/messages.js';
import { deploymentWorkflowId, laneWorkflowId, promotionWorkflowId } from '../../domain/ids.js';
import type { RunningProcess } from '../../sandbox/processes.js';
import type { PromotionsAt } from './promotions-at.js';
import { PRODUCTION, promotionsAt } from './promotions-at.js';
import type { Site } from './site.js';
import { API_PRODUCTION, API_STAGING, LANES, openSite, refOf, START_MS, until } from './site.js';

let site: Site;
let frontend: PromotionsAt;
const workers: Record<string, RunningProcess> = {};

beforeAll(async () => {
  site = await openSite();
  frontend = promotionsAt(site, 'frontend');
  await Promise.all(LANES.map((lane) => site.calm(lane)));
}, START_MS);
afterAll(() => site?.close());

const start = async (release: string): Promise<void> => {
  workers[release] = await site.start('worker', { SLUICE_WORKER_VERSIONING: '1', SLUICE_RELEASE: release });
};

/** `temporal worker deployment set-current-version`; the server must have heard of the version's workers first. */
async function makeCurrent(buildId: string): Promise<void> {
  const { workflowService } = site.client;
  await until(`${buildId} is current`, async () => {
    try {
      await workflowService.setWorkerDeploymentCurrentVersion({
        ...{ namespace: 'default', deploymentName: WORKER_DEPLOYMENT, buildId, identity: 'test' },
      });
      return true;
    } catch {
      return false;
    }
  });
}

/** The build id of the version that a workflow's last task ran on. */
async function versionOf(workflowId: string): Promise<string | undefined> {
  const { raw } = await site.client.workflow.getHandle(workflowId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
}
const versionOfDeployment = (id: string) => versionOf(deploymentWorkflowId(id));

describe('two releases of the workers side by side', { timeout: 180_000 }, () => {
  let waiting: string;
  /** The release that waits for its approval. */
  let tested: string;

  it('switching versioning on leaves what unversioned workers began to go on', async () => {
    await start('r1');
    await makeCurrent('r1');
    await site.processes.worker.stop();
    const id = await site.deploy(API_STAGING, { tag: site.images('api') });
    expect(await site.ended(id)).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOfDeployment(id)).toBe('r1');
    expect(await versionOf(laneWorkflowId(API_STAGING))).toBe('r1');
  });

  it('a merge goes as far as its approval with the old release', async () => {
    tested = await frontend.merge('Waits while the workers change');
    const { staging } = await frontend.unlocked(tested);
    expect(await versionOf(promotionWorkflowId('frontend'))).toBe('r1');
    expect(await versionOfDeployment(staging ?? '')).toBe('r1');
  });

  it('a deployment that waits stays with its release, new ones take the new one', async () => {
    site.aws.behave({ ...refOf(API_STAGING), behaviour: { frozen: true } });
    waiting = await site.deploy(API_STAGING, { tag: site.images('api') });
    await site.watched(waiting);
    await start('r2');
    await makeCurrent('r2');

    const id = await site.deploy(API_PRODUCTION, { tag: site.images('api') });
    expect(await site.ended(id)).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOfDeployment(id)).toBe('r2');
    expect(await versionOf(laneWorkflowId(API_PRODUCTION))).toBe('r2');
    expect(await versionOfDeployment(waiting)).toBe('r1');
  });

  it('a promotion that waited meanwhile is approved, and deployed to production, with the new one', async () => {
    const still = await frontend.unlocked(tested);
    await frontend.approve(tested);
    const done = await frontend.reaches(tested, 'promoted');
    expect(done).toMatchObject({ tests: still.tests, staging: still.staging, approval: { by: 'alice' } });
    expect(await site.release(PRODUCTION.frontend)).toBe(tested);
    expect(await versionOf(promotionWorkflowId('frontend'))).toBe('r2');
    expect(await versionOfDeployment(done.production ?? '')).toBe('r2');
    // The very images that were tested under the old one.
    const { digests } = await site.read(done.production ?? '');
    expect(digests).toEqual((await site.read(done.staging ?? '')).digests);
  });

  it('its lane moves to the new release while it waits, and a build worker of no version builds', async () => {
    const commit = site.sample.commits.good.at(-1) ?? '';
    const next = await site.deploy(API_STAGING, { commit });
    await until('it is queued behind', async () => (await site.read(next)).state === 'queued');
    await until('the lane is on r2', async () => (await versionOf(laneWorkflowId(API_STAGING))) === 'r2');

    site.aws.behave({ ...refOf(API_STAGING), behaviour: { frozen: false } });
    expect(await site.ended(waiting)).toMatchObject({ outcome: 'succeeded' });
    expect(await versionOfDeployment(waiting)).toBe('r1');
    expect(await site.ended(next)).toMatchObject({ outcome: 'succeeded', release: commit });
    expect(await versionOfDeployment(next)).toBe('r2');
  });

  it('the old workers can go once nothing is pinned to them', async () => {
    await workers['r1']?.stop();
    const id = await site.deploy(API_STAGING, { tag: site.images('api') });
    expect(await site.ended(id)).toMatchObject({ outcome: 'succeeded' });
  });
});
