import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serverEvents } from '../../cli/sse.js';
import { QUEUE } from '../../domain/messages.js';
import type { DeploymentView } from '../../domain/view.js';
import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { Worker } from '@temporalio/worker';
import { createLaneRecovery } from '../../activities/temporal/lane-recovery.js';
import { createMessenger } from '../../activities/temporal/messenger.js';
import { eventually, rollout, script } from '../support/scripted.js';
import { connect } from '../support/temporal.js';
import type { TestTemporal } from '../support/temporal.js';
import { harness } from './harness.js';
import type { Harness } from './harness.js';

const TAG = 'a'.repeat(40);
const acts = script();
const BODY = { app: 'api', environment: 'staging' };

let temporal: TestTemporal;
let api: Harness;
let base: string;
const running = new Map<string, { worker: Worker; ended: Promise<void> }>();

const begin = async (queue: string): Promise<void> => {
  const { client } = temporal;
  const worker = await temporal.createWorker({
    taskQueue: queue,
    workflows: queue === QUEUE.main,
    activities: { ...acts, ...createMessenger(client), ...createLaneRecovery(client) },
    stickyQueueScheduleToStartTimeout: '1s',
  });
  running.set(queue, { worker, ended: worker.run() });
};
const stop = async (queue: string): Promise<void> => {
  const one = running.get(queue);
  if (!one) return;
  running.delete(queue);
  one.worker.shutdown();
  await one.ended;
};

beforeAll(async () => {
  temporal = await connect();
  api = await harness({ address: temporal.address, namespace: temporal.namespace });
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await api.close();
  for (const queue of [...running.keys()]) await stop(queue);
  await temporal.close();
});

let keys = 0;
/** As a client does: while it is not answered, the same again. */
const deploy = (payload: object, key = `key-${(keys += 1)}`) =>
  eventually(async () => {
    const answer = await post(payload, key);
    expect(answer.status).toBe(202);
    return answer;
  }, 20_000);
const post = (payload: object, key: string) =>
  api.call({ method: 'POST', url: '/api/deployments', payload, headers: { 'idempotency-key': key } });
const get = async (id: string): Promise<DeploymentView> =>
  (await api.call({ url: `/api/deployments/${id}` })).body as DeploymentView;
const code = (body: unknown) => (body as { error?: { code: string } }).error?.code;

/** Everything a stream tells, until it ends. */
async function follow(id: string): Promise<{ event: string; data: { id: string } & DeploymentView }[]> {
  const response = await fetch(`${base}/api/deployments/${id}/stream`, {
    headers: { authorization: 'Bearer t-alice' },
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const events = [];
  if (response.body) {
    for await (const { event, data } of serverEvents(response.body))
      events.push({ event, data: JSON.parse(data) });
  }
  return events;
}

describe('without workers', () => {
  it('says so, for a lane that never ran and after the last worker has gone', async () => {
    const never = await post({ ...BODY, tag: TAG }, 'first');
    expect([never.status, code(never.body)]).toEqual([503, 'NO_WORKER']);
    expect(never.body).toMatchObject({ error: { message: expect.stringContaining('npm run worker') } });
    for (const queue of [QUEUE.main, QUEUE.watches]) await begin(queue);
    await eventually(async () => expect((await post({ ...BODY, tag: TAG }, 'second')).status).toBe(202));
    await stop(QUEUE.main);
    // Temporal lists a worker that has gone for a while: then it can only be said that nothing came in time.
    const gone = await post({ ...BODY, tag: TAG }, 'again');
    expect([gone.status, code(gone.body)]).toEqual([503, expect.stringMatching(/^(NO_WORKER|TOO_LATE)$/)]);
    await begin(QUEUE.main);
    // The same key is safe to send again: whatever became of the first, there is one deployment.
    const one = await deploy({ ...BODY, tag: TAG }, 'again');
    const two = await deploy({ ...BODY, tag: TAG }, 'again');
    expect([one.status, two.status]).toEqual([202, 202]);
    const { id } = one.body as { id: string };
    expect((two.body as { id: string }).id).toBe(id);
    await eventually(async () => expect((await get(id)).state).toBe('finished'));
  }, 60_000);

  it('reads without them, and says what is missing', async () => {
    const { body } = await deploy({ ...BODY, commit: 'b'.repeat(40) });
    const { id } = body as { id: string };
    await eventually(async () => expect((await get(id)).waitingFor).toMatchObject({ code: 'BUILDING' }));
    await eventually(async () => {
      expect(await get(id)).toMatchObject({ state: 'queued', waitingFor: { code: 'NO_BUILD_WORKER' } });
    });
    await stop(QUEUE.watches);
    await begin(QUEUE.builds);
    await eventually(async () => {
      expect(await get(id)).toMatchObject({ step: 'stabilise', waitingFor: { code: 'NO_WORKER' } });
    }, 15_000);
    await stop(QUEUE.main);
    expect(await get(id)).toMatchObject({ state: 'running', step: 'stabilise' });
    await begin(QUEUE.main);
    await begin(QUEUE.watches);
    await eventually(async () => expect((await get(id)).outcome).toBe('succeeded'));
  }, 60_000);
});

describe('the stream', () => {
  it('shows the rollout live to all who listen with one reader, and ends', async () => {
    acts.stabilise = async ({ revision }) => {
      for (const runningTasks of [0, 1, 2]) {
        Context.current().heartbeat({ rollout: { ...rollout, running: runningTasks }, memory: {} });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
      }
      return { verdict: 'stable', message: 'stable', rollout, now: revision };
    };
    await stop(QUEUE.watches);
    const worker = await temporal.createWorker({
      taskQueue: QUEUE.watches,
      workflows: false,
      activities: { ...acts },
      maxHeartbeatThrottleInterval: '200ms',
      defaultHeartbeatThrottleInterval: '200ms',
    });
    running.set(QUEUE.watches, { worker, ended: worker.run() });
    const { id } = (await deploy({ ...BODY, environment: 'production', tag: 'streamed' })).body as {
      id: string;
    };
    const asked = vi.spyOn(api.temporal.client.workflowService, 'describeWorkflowExecution');
    const streams = await Promise.all(Array.from({ length: 10 }, () => follow(id)));
    const seconds = 6;
    // Each listener asks once whether there is such a deployment; then one reader, twice a second.
    expect(asked.mock.calls.length).toBeLessThan(10 + seconds * 2 * 2);
    for (const events of streams) {
      const names = events.map(({ event }) => event);
      expect([names.filter((name) => name === 'end').length, names.at(-1)]).toEqual([1, 'end']);
      expect(events.at(-1)?.data).toEqual({ id, outcome: 'succeeded' });
      expect(events.at(-2)?.data).toMatchObject({ id, state: 'finished', outcome: 'succeeded' });
      const tasks = events.flatMap(({ data }) => (data.rollout ? [data.rollout.running] : []));
      expect(tasks).toEqual(expect.arrayContaining([0, 1, 2]));
    }
  }, 40_000);

  it('tells at once of one that has ended, and of one that is not there', async () => {
    const { items } = (await api.call({ url: '/api/deployments?outcome=succeeded' })).body as {
      items: { id: string }[];
    };
    const events = await follow(items[0]?.id ?? '');
    expect(events.map(({ event }) => event)).toEqual(['deployment', 'end']);
    const missing = await api.call({ url: '/api/deployments/staging.api.abcd1234/stream' });
    expect([missing.status, code(missing.body)]).toEqual([404, 'NOT_FOUND']);
  });

  it('says what AWS keeps a step waiting for', async () => {
    let down = true;
    const { validate } = acts;
    acts.validate = async (input) => {
      if (down) throw ApplicationFailure.create({ type: 'AWS_DOWN', message: 'ECS throttles' });
      return validate(input);
    };
    await stop(QUEUE.main);
    await begin(QUEUE.main);
    const { id } = (await deploy({ ...BODY, app: 'frontend', tag: 'throttled' })).body as { id: string };
    await eventually(async () => {
      expect((await get(id)).waitingFor).toMatchObject({ code: 'AWS_DOWN', detail: 'ECS throttles' });
    });
    down = false;
    await eventually(async () => expect((await get(id)).outcome).toBe('succeeded'), 30_000);
  }, 45_000);

  it('ends with the process, without saying that the deployment has', async () => {
    acts.look = () => new Promise((resolve) => setTimeout(() => resolve(script().look({} as never)), 5_000));
    await stop(QUEUE.main);
    await begin(QUEUE.main);
    const { id } = (await deploy({ ...BODY, app: 'frontend', tag: 'interrupted' })).body as { id: string };
    const following = follow(id);
    await eventually(async () => expect((await get(id)).step).toBe('look'));
    await api.app.close();
    expect((await following).map(({ event }) => event)).not.toContain('end');
  }, 30_000);
});
