/** Hours of a promotion queue, on a server that skips time. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { promotionWorkflowId } from '../../domain/ids.js';
import type { DeploymentEnded, PromotionNews } from '../../domain/messages.js';
import { QUEUE, SIGNAL } from '../../domain/messages.js';
import type { ObserveInput } from '../../activities/promotion/index.js';
import type { QueueDeployment } from '../../domain/promotion/state.js';
import { workflowBundle } from '../../worker/bundle.js';
import type { World } from '../support/promotion-world.js';
import { LIVE, MERGES, moveTo, observationOf, QueueAt, worldOf } from '../support/promotion-world.js';
import { eventually } from '../support/scripted.js';
import { timeSkipping } from '../support/temporal.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
const [A] = MERGES;
const HOUR = 60 * 60_000;

let environment: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;
let world: World;
let queue: QueueAt;
let deployments: QueueDeployment[];
let isGone: boolean;

beforeAll(async () => {
  environment = await timeSkipping();
  worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: QUEUE.main,
    workflowBundle: await workflowBundle(),
    activities: {
      recoverPromotions: async () => undefined,
      observePromotion: async (input: ObserveInput) => {
        if (isGone) throw ApplicationFailure.nonRetryable('sluice.yaml has no promotion of it', 'NOT_FOUND');
        return observationOf(world, input);
      },
      requestDeployment: async (one: QueueDeployment) => {
        deployments.push(one);
      },
      tellPromotionPeople: async (news: PromotionNews) => void world.told.push(news),
      deploymentEnd: async () => undefined,
    },
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await environment.teardown();
});
let count = 0;
beforeEach(async () => {
  count += 1;
  world = worldOf(`app${count}`, { remindAfterMs: HOUR, escalateAfterMs: 4 * HOUR });
  delete world.settings.tests;
  deployments = [];
  isGone = false;
  queue = new QueueAt(environment, world, []);
  await queue.start();
});
afterEach(async () => {
  await queue.handle.terminate('seen enough');
});

const told = (): string[] => world.told.map(({ change }) => change);
const events = async (): Promise<number> =>
  (await environment.client.workflow.getHandle(promotionWorkflowId(world.app)).describe()).historyLength;

it('GitHub is away for an hour while a promotion waits: it goes on afterwards', async () => {
  world.isSourceAway = true;
  await queue.merges(A);
  await environment.sleep(HOUR + 60_000);
  expect(deployments).toEqual([]);
  expect(told()).toEqual(['waiting']);
  expect(world.told[0]?.promotion.waitingFor).toMatchObject({
    code: 'GITHUB_DOWN',
  });
  // Looked at less and less often: an hour is some dozens of reads, not thousands.
  expect(await events()).toBeLessThan(400);
  world.isSourceAway = false;
  await environment.sleep(6 * 60_000);
  await eventually(() => expect(deployments).toMatchObject([{ environment: 'staging', tag: A }]));
});

it('who merged is reminded, then the maintainers, each once', async () => {
  moveTo(world, 'staging', 'f'.repeat(40));
  await queue.merges(A);
  await environment.sleep(HOUR - 60_000);
  expect(told()).toEqual([]);
  await environment.sleep(2 * 60_000);
  expect(told()).toEqual(['waiting']);
  await environment.sleep(3 * HOUR);
  expect(told()).toEqual(['waiting', 'escalated']);
  await environment.sleep(24 * HOUR);
  expect(told()).toEqual(['waiting', 'escalated']);
  expect(await events()).toBeLessThan(100);
  moveTo(world, 'staging', LIVE);
  await queue.handle.signal(SIGNAL.look);
  await eventually(() => expect(told()).toEqual(['waiting', 'escalated', 'staging']));
});

it('the configuration is wrong for a night: it says so, and goes on afterwards', async () => {
  isGone = true;
  await queue.merges(A);
  await environment.sleep(12 * HOUR);
  expect(told()).toEqual([]);
  expect(await events()).toBeLessThan(2_500);
  isGone = false;
  await environment.sleep(6 * 60_000);
  await eventually(() => expect(deployments).toMatchObject([{ environment: 'staging', tag: A }]));
});

it('a night at the button: it was told, and nothing else has changed', async () => {
  await queue.merges(A);
  await eventually(() => expect(deployments).toHaveLength(1));
  moveTo(world, 'staging', A);
  const ended: DeploymentEnded = { id: deployments[0]?.id ?? '', outcome: 'succeeded', verified: true };
  await queue.handle.signal(SIGNAL.deploymentEnded, { ...ended, digests: world.staging.digests });
  await eventually(() => expect(told()).toEqual(['staging', 'unlocked']));
  await environment.sleep(12 * HOUR);
  expect(told().slice(2)).toEqual(['waiting', 'escalated']);
  await queue.handle.signal(SIGNAL.look);
  await environment.sleep(60_000);
  expect(told()).toHaveLength(4);
  expect(deployments).toHaveLength(1);
});
