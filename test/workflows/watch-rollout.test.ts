/** News of ECS, while a deployment watches its rollout. */
import { heartbeat, sleep } from '@temporalio/activity';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DeploymentRequest } from '../../domain/deployment.js';
import type { Stabilised } from '../../domain/effects.js';
import { SIGNAL } from '../../domain/messages.js';
import { createLanes } from '../support/lanes.js';
import { request } from '../support/requests.js';
import type { Calls, Script } from '../support/scripted.js';
import { eventually, failing, rollout, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

let temporal: TestTemporal;
let lanes: ReturnType<typeof createLanes>;
let workers: { stop(): Promise<void> };
let acts: Script;
const calls: Calls = [];
let watch: 'goes on' | 'ends' | 'was cancelled';

const seen = (verdict: Stabilised['verdict']): Stabilised => ({ verdict, message: 'as read', rollout });

beforeAll(async () => {
  temporal = await connect();
  lanes = createLanes(temporal.client);
  acts = script();
  workers = await scriptedWorkers(temporal, acts, calls);
});
afterAll(async () => {
  await workers.stop();
  await temporal.close();
});
beforeEach(() => {
  calls.splice(0);
  watch = 'goes on';
  acts.stabilise = async () => {
    try {
      while (watch === 'goes on') {
        heartbeat();
        await sleep(50);
      }
    } catch (error) {
      watch = 'was cancelled';
      throw error;
    }
    return seen('stable');
  };
});
afterEach(() => Object.assign(acts, script()));

const count = (name: string): number => calls.filter((call) => call.name === name).length;
const news = (id: string): Promise<void> => lanes.handle(id).signal(SIGNAL.ecsNews);

async function watched(): Promise<DeploymentRequest> {
  const one = request();
  await lanes.request(one);
  await eventually(() => expect(count('stabilise')).toBe(1));
  return one;
}

it('a verdict beside the watch counts, and ends it', async () => {
  acts.glance = async () => ({ stabilised: seen('stable') });
  const { id } = await watched();
  await news(id);
  expect(await lanes.result(id)).toMatchObject({ outcome: 'succeeded' });
  await eventually(() => expect(watch).toBe('was cancelled'));
});

it('a rollback by ECS that is seen beside the watch fails it', async () => {
  acts.glance = async () => ({ stabilised: seen('rolled-back') });
  const { id } = await watched();
  await news(id);
  expect(await lanes.result(id)).toMatchObject({ outcome: 'rolled-back', failure: { step: 'stabilise' } });
});

it('a look that tells nothing, or fails, leaves it to the watch', async () => {
  acts.glance = async () => ({});
  const { id } = await watched();
  await news(id);
  await eventually(() => expect(count('glance')).toBe(1));
  acts.glance = failing('AWS_DOWN', 'no');
  await news(id);
  await eventually(() => expect(count('glance')).toBe(2));
  expect(watch).toBe('goes on');
  watch = 'ends';
  expect(await lanes.result(id)).toMatchObject({ outcome: 'succeeded' });
});

it('looks a few times at most, however much news comes', async () => {
  acts.glance = async () => ({});
  const { id } = await watched();
  for (let sent = 1; sent <= 6; sent += 1) {
    await news(id);
    await eventually(() => expect(count('glance')).toBeGreaterThanOrEqual(Math.min(sent, 3)));
  }
  watch = 'ends';
  expect(await lanes.result(id)).toMatchObject({ outcome: 'succeeded' });
  expect(count('glance')).toBe(3);
});

it('news from before the watch began is none', async () => {
  let go!: () => void;
  const held = new Promise<void>((resolve) => (go = resolve));
  const { update } = acts;
  acts.update = async (input) => {
    await held;
    return update(input);
  };
  const one = request();
  await lanes.request(one);
  await eventually(() => expect(count('update')).toBe(1));
  await news(one.id);
  go();
  await eventually(() => expect(count('stabilise')).toBe(1));
  watch = 'ends';
  expect(await lanes.result(one.id)).toMatchObject({ outcome: 'succeeded' });
  expect(count('glance')).toBe(0);
});

it('a stop during the look ends watch and look', async () => {
  acts.glance = async () => {
    for (;;) {
      heartbeat();
      await sleep(50);
    }
  };
  const { id } = await watched();
  await news(id);
  await eventually(() => expect(count('glance')).toBe(1));
  // What is gone back to is watched as well.
  acts.stabilise = async () => seen('stable');
  await lanes.stop(id);
  expect(await lanes.result(id)).toMatchObject({ outcome: 'stopped', failure: { step: 'stabilise' } });
  await eventually(() => expect(watch).toBe('was cancelled'));
});
