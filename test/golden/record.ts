/**
 * `npm run golden`: records the histories that CI replays, from real runs on the sandbox's stack; with names after it,
 * only those. Run it when a workflow is new; a change of a workflow that breaks a recorded one is a `patched()` change,
 * not a recording.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Deployment, Target } from '../../domain/deployment.js';
import {
  buildWorkflowId,
  deploymentWorkflowId,
  laneWorkflowId,
  noticeWorkflowId,
  releasesWorkflowId,
  releaseWorkflowId,
  rollbackWorkflowId,
} from '../../domain/ids.js';
import type { Release } from '../../domain/release/release.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import { PEOPLE } from '../../sandbox/settings.js';
import type { Stack } from '../../sandbox/stack.js';
import { startStack } from '../../sandbox/stack.js';
import type { lane } from '../../workflows/lane.js';
import { PROMOTION_HISTORIES, recordPromotions } from './promotions.js';

const DIRECTORY = fileURLToPath(new URL('histories/', import.meta.url));
const CONTINUE_AFTER_EVENTS = 60;
const BROKEN_TAG = 'does-not-start';

const staging = (app: 'api' | 'frontend'): Target => ({ app, environment: 'staging' });

/** Empty: all. */
const only = process.argv.slice(2);
const isWanted = (name: string): boolean => only.length === 0 || only.includes(name);
const isOfPromotions = (name: string): boolean => PROMOTION_HISTORIES.some((one) => one === name);

async function main(): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true });
  if (only.length === 0 || !only.every(isOfPromotions)) await recordDeployments();
  if (PROMOTION_HISTORIES.some(isWanted))
    await recordPromotions((name, { site, ...of }) => save(name, { client: site.client, ...of }));
  process.stdout.write(`${(await readdir(DIRECTORY)).join('\n')}\n`);
}

async function recordDeployments(): Promise<void> {
  const stack = await startStack({ docker: false, say: (line) => process.stdout.write(`${line}\n`) });
  const connection = await Connection.connect({ address: stack.temporal.address });
  const recorder = new Recorder(stack, new Client({ connection }));
  try {
    for (const repository of ['openverse-api', 'openverse-api_nginx']) {
      stack.aws.image({ repository, tag: BROKEN_TAG, release: BROKEN_TAG, labels: { 'sandbox.exit': '1' } });
    }
    await recorder.continuedAsNew();
    await recorder.built();
    await recorder.rolledBack();
    await recorder.stopped();
    await recorder.workerKilled();
    await recorder.released();
    await recorder.rolledBackByHand();
  } finally {
    await connection.close();
    await stack.close();
  }
}

class Recorder {
  constructor(
    private readonly stack: Stack,
    private readonly client: Client,
  ) {}

  /** Four deployments, and a lane that hands itself over between them. */
  async continuedAsNew(): Promise<void> {
    const target = { app: 'frontend', environment: 'production' };
    await this.client.workflow.start<typeof lane>(WORKFLOW.lane, {
      workflowId: laneWorkflowId(target),
      taskQueue: QUEUE.main,
      args: [{ ...target, tuning: { continueAfterEvents: CONTINUE_AFTER_EVENTS } }],
    });
    const { runId } = await this.client.workflow.getHandle(laneWorkflowId(target)).describe();
    for (let i = 0; i < 4; i += 1)
      await this.end(await this.request(target, { tag: 'before-sluice', reason: `${i}` }));
    await this.save('lane-that-continues-as-new', laneWorkflowId(target), runId);
    await this.save('lane-continued-as-new', laneWorkflowId(target));
  }

  async built(): Promise<void> {
    const commit = this.stack.sample.commits.good.at(-1) ?? '';
    const { id } = await this.end(await this.request(staging('api'), { commit }));
    await this.saveDeployment('deployment-succeeded', id);
    await this.save('build-succeeded', buildWorkflowId('api', commit));
    await this.save('notice-channels', noticeWorkflowId(id));
    await this.save('lane', laneWorkflowId(staging('api')));
  }

  async rolledBack(): Promise<void> {
    const { id } = await this.end(await this.request(staging('api'), { tag: BROKEN_TAG }));
    await this.saveDeployment('deployment-rolled-back', id);
  }

  async stopped(): Promise<void> {
    const id = await this.request(staging('api'), { tag: 'before-sluice' });
    await this.until(id, ({ step }) => step === 'stabilise');
    await this.call('POST', `/api/deployments/${id}/stop`, { reason: 'seen enough' });
    await this.end(id);
    await this.saveDeployment('deployment-stopped', id);
  }

  async workerKilled(): Promise<void> {
    const id = await this.request(staging('frontend'), { tag: 'before-sluice' });
    await this.until(id, ({ step }) => step === 'stabilise');
    await this.stack.processes.worker.kill();
    await this.stack.start('worker');
    await this.end(id);
    await this.saveDeployment('deployment-worker-killed', id);
  }

  /** One that is done, one that is blocked by a stop and retried, one that is abandoned; frontend has one image. */
  async released(): Promise<void> {
    const done = await this.release(
      'release',
      'done',
      async (id) => void (await this.releaseUntil(id, 'finished')),
    );
    await this.save('release-done', releaseWorkflowId(done));
    const retried = await this.release('retried', 'mended', async (id) => {
      await this.stopDeploymentOf(id);
      await this.call('POST', `/api/releases/${id}/retry`, {});
      await this.releaseUntil(id, 'finished');
    });
    await this.save('release-blocked-then-retried', releaseWorkflowId(retried));
    const abandoned = await this.release('abandoned', 'given up', async (id) => {
      await this.stopDeploymentOf(id);
      await this.call('POST', `/api/releases/${id}/abandon`, { reason: 'not needed' });
      await this.releaseUntil(id, 'finished');
    });
    await this.save('release-abandoned', releaseWorkflowId(abandoned));
    await this.save('releases', releasesWorkflowId('frontend'));
  }

  /** Production goes back from what was released to what had been verified before. */
  async rolledBackByHand(): Promise<void> {
    const target = { app: 'frontend', environment: 'production' };
    const body = { ...target, tag: 'before-sluice', reason: 'it does not behave' };
    const { id } = await this.call<{ id: string }>('POST', '/api/rollbacks', body);
    await this.end(id);
    await this.save('rollback', rollbackWorkflowId(target, id.split('.')[2] ?? ''));
    await this.saveDeployment('deployment-of-a-rollback', id);
  }

  private async release(tag: string, reason: string, then: (id: string) => Promise<void>): Promise<string> {
    const commit = await this.stack.sample.commit({ app: 'frontend', message: `Change for ${tag}` });
    this.stack.aws.image({ repository: 'openverse-frontend', tag: commit, release: commit });
    const { id } = await this.call<{ id: string }>('POST', '/api/releases', {
      app: 'frontend',
      tag: commit,
      reason,
    });
    await then(id);
    return id;
  }

  private async stopDeploymentOf(release: string): Promise<void> {
    const { deployment = '' } = await this.releaseUntil(release, undefined, 'deployment');
    await this.until(deployment, ({ step }) => step === 'stabilise');
    await this.call('POST', `/api/deployments/${deployment}/stop`, { reason: 'to block the release' });
    await this.releaseUntil(release, 'blocked');
  }

  private async releaseUntil(id: string, state?: Release['state'], has?: keyof Release): Promise<Release> {
    for (let tries = 0; tries < 600; tries += 1) {
      const release = await this.call<Release>('GET', `/api/releases/${id}`);
      if ((!state || release.state === state) && (!has || release[has] !== undefined)) return release;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${id} did not get there`);
  }

  private async request(target: Target, body: object): Promise<string> {
    return (await this.call<{ id: string }>('POST', '/api/deployments', { ...target, ...body })).id;
  }

  private end(id: string): Promise<Deployment> {
    return this.until(id, ({ state }) => state === 'finished');
  }

  private async until(id: string, done: (deployment: Deployment) => boolean): Promise<Deployment> {
    for (let tries = 0; tries < 600; tries += 1) {
      const deployment = await this.call<Deployment>('GET', `/api/deployments/${id}`);
      if (done(deployment)) return deployment;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${id} did not get there`);
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(this.stack.apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${PEOPLE.alice.token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  private saveDeployment(name: string, id: string): Promise<void> {
    return this.save(name, deploymentWorkflowId(id));
  }

  private save(name: string, workflowId: string, runId?: string): Promise<void> {
    return save(name, { client: this.client, workflowId, ...(runId ? { runId } : {}) });
  }
}

async function save(
  name: string,
  { client, workflowId, runId }: { client: Client; workflowId: string; runId?: string },
): Promise<void> {
  if (!isWanted(name)) return;
  const handle = client.workflow.getHandle(workflowId, runId);
  const history: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()));
  const file = `${DIRECTORY}${name}.json`;
  await rm(file, { force: true });
  await writeFile(file, `${JSON.stringify({ workflowId, history: anonymous(history) }, null, 1)}\n`);
}

/** Process ids and host names of the machine that recorded are nobody's business. */
function anonymous(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anonymous);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, key === 'identity' ? 'recorded' : anonymous(one)]),
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
