/** `POST /webhooks/ecs`: who may, what it wakes, and what changes nothing. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { heartbeat, sleep } from '@temporalio/activity';
import { createMetrics } from '../../api/metrics.js';
import { eventually, script, scriptedWorkers } from '../support/scripted.js';
import type { Calls } from '../support/scripted.js';
import { connect } from '../support/temporal.js';
import type { TestTemporal } from '../support/temporal.js';
import { harness } from './harness.js';
import type { Harness } from './harness.js';

const SECRET = 'of-eventbridge-and-us-0123456789abcdef';
const ARN = 'arn:aws:ecs:us-east-1:123456789012:service';
const STAGING_API = `${ARN}/staging-default/staging-api`;

let temporal: TestTemporal;
let workers: Awaited<ReturnType<typeof scriptedWorkers>>;
let api: Harness;
let off: Harness;
const calls: Calls = [];
const acts = script();
const defaults = { ...acts };
const metrics = createMetrics();

beforeAll(async () => {
  temporal = await connect();
  workers = await scriptedWorkers(temporal, acts, calls);
  const at = { address: temporal.address, namespace: temporal.namespace };
  api = await harness({ ...at, deps: { ecsWebhookSecret: SECRET, metrics } });
  off = await harness(at);
});
afterEach(() => Object.assign(acts, defaults));
afterAll(async () => {
  await Promise.all([api.close(), off.close()]);
  await workers.stop();
  await temporal.close();
});

/** As EventBridge sends it. */
const event = (arn: string, change: object = {}) => ({
  ...{ version: '0', id: 'ddca6449', account: '123456789012', time: '2026-01-01T00:00:00Z' },
  ...{ 'detail-type': 'ECS Deployment State Change', source: 'aws.ecs', region: 'us-east-1' },
  resources: [arn],
  detail: {
    ...{ eventType: 'INFO', eventName: 'SERVICE_DEPLOYMENT_COMPLETED', deploymentId: 'ecs-svc/1' },
    ...{ updatedAt: '2026-01-01T00:00:00Z', reason: 'ECS deployment completed' },
  },
  ...change,
});

async function send(payload: object | string, secret: string | null = SECRET, to = api) {
  const headers = { 'content-type': 'application/json', ...(secret ? { 'x-sluice-secret': secret } : {}) };
  const { status, body } = await to.call({
    ...{ method: 'POST', url: '/webhooks/ecs', as: null, headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
  return { status, body: body as { woken?: string[]; detail?: string; error?: { code: string } } };
}

const glances = (): number => calls.filter(({ name }) => name === 'glance').length;

async function watched(): Promise<string> {
  acts.stabilise = async () => {
    for (;;) {
      heartbeat();
      await sleep(50);
    }
  };
  const { body } = await api.call({
    ...{ method: 'POST', url: '/api/deployments' },
    payload: { app: 'api', environment: 'staging', tag: 'a'.repeat(40) },
  });
  const { id } = body as { id: string };
  await eventually(() => expect(calls.some(({ name }) => name === 'stabilise')).toBe(true));
  return id;
}

describe('POST /webhooks/ecs', () => {
  it('is off without its secret, and says so', async () => {
    expect(await send(event(STAGING_API), SECRET, off)).toMatchObject({
      status: 404,
      body: {
        error: { code: 'NOT_FOUND', message: expect.stringContaining('ECS_WEBHOOK_SECRET') as string },
      },
    });
  });

  it.each([
    ['no secret', null],
    ['another secret', 'x'.repeat(SECRET.length)],
    ['a part of it', SECRET.slice(0, -1)],
  ])('refuses %s, whatever the body is', async (_name, secret) => {
    expect(await send(event(STAGING_API), secret)).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED' } },
    });
    expect((await send('no json', secret)).status).toBe(401);
  });

  it.each([
    ['no JSON', '{'],
    ['no event', {}],
    ['no ARN of a service', event('arn:aws:s3:::bucket')],
  ])('refuses %s', async (_name, body) => {
    expect(await send(body)).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST' } } });
  });

  it.each([
    ['a service that is not configured', event(`${ARN}/staging-default/other`), /names no such service/],
    ['another cluster', event(`${ARN}/other/staging-api`), /names no such service/],
    ['a service where nothing runs', event(`${ARN}/production-default/production-api`), /no deployment/],
    ['another kind of event', event(STAGING_API, { 'detail-type': 'ECS Task State Change' }), /only/],
    [
      'a beginning',
      event(STAGING_API, { detail: { eventName: 'SERVICE_DEPLOYMENT_IN_PROGRESS' } }),
      /watched already/,
    ],
  ])('takes %s, and wakes nothing', async (_name, body, detail) => {
    expect(await send(body)).toMatchObject({
      status: 202,
      body: { woken: [], detail: expect.stringMatching(detail) as string },
    });
  });

  it('wakes the watch of what runs there, whose own read decides', async () => {
    const id = await watched();
    acts.glance = async () => ({});
    expect(await send(event(STAGING_API))).toEqual({ status: 202, body: { woken: [id] } });
    await eventually(() => expect(glances()).toBe(1));
    expect((await api.call({ url: `/api/deployments/${id}` })).body).toMatchObject({ step: 'stabilise' });

    acts.glance = async (input) => ({ stabilised: await defaults.stabilise(input) });
    expect((await send(event(`${ARN}/staging-api`))).body.woken).toEqual([id]);
    await eventually(async () => {
      const { body } = await api.call({ url: `/api/deployments/${id}` });
      expect(body).toMatchObject({ state: 'finished', outcome: 'succeeded' });
    });
    expect(glances()).toBe(2);
  });

  it('counts what came of them', async () => {
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/sluice_webhooks_total\{source="ecs",event="deployment",outcome="accepted"\} 2/);
    expect(text).toMatch(/sluice_webhooks_total\{source="ecs",event="deployment",outcome="refused"\} [1-9]/);
    expect(text).toMatch(/sluice_webhooks_total\{source="ecs",event="deployment",outcome="ignored"\} [1-9]/);
  });
});
