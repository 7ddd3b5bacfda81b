import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deploymentWorkflowId, releaseWorkflowId } from '../../domain/ids.js';
import type { BadMark } from '../../domain/messages.js';
import type { Release } from '../../domain/release/release.js';
import { createLanes } from '../support/lanes.js';
import { gate, releaseScript, releaseWorkers } from '../support/releases.js';
import { eventually, failing } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';
import { config, harness } from './harness.js';
import type { Harness } from './harness.js';

const PRODUCTION = { app: 'api', environment: 'production' };
const BAD: BadMark = {
  release: 'b'.repeat(40),
  reason: 'broke search',
  by: 'bob',
  at: '2026-01-01T00:00:00.000Z',
};

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let api: Harness;
const acts = releaseScript();
const defaults = { ...acts };
const calls: { name: string; input: unknown }[] = [];

beforeAll(async () => {
  temporal = await connect();
  workers = await releaseWorkers(temporal, acts, calls);
  const settings = config();
  // Two apps with a service in production, so that keys of one can meet the other.
  const apps = { ...settings.apps, web: settings.apps['api'] ?? never() };
  api = await harness({
    address: temporal.address,
    namespace: temporal.namespace,
    deps: {
      config: { ...settings, apps },
      releaseTags: async () => ({
        items: [{ tag: 'rel-2026.01.01.00.00.01', release: BAD.release }, { tag: 'rel-2026.01.01.00.00.00' }],
        warnings: [{ code: 'AWS_DOWN', message: 'partly' }],
      }),
    },
  });
  const lanes = createLanes(temporal.client);
  await eventually(() => lanes.markBad(BAD, PRODUCTION), 20_000);
}, 60_000);
afterEach(() => void Object.assign(acts, defaults));
afterAll(async () => {
  await api.close();
  await workers.stop();
  await temporal.close();
});

function never(): never {
  throw new Error('the configuration of the tests has no such app');
}

type Shown = Release & { links: Record<string, string> };
interface Answer {
  id: string;
  date: string;
  gitTag: string;
  imageTag: string;
  url: string;
  position: number;
  error?: { code: string; message: string; details?: Record<string, unknown> };
}

const post = async (url: string, payload: object = {}, key?: string) => {
  const headers = key ? { 'idempotency-key': key } : {};
  const { status, body } = await api.call({ method: 'POST', url, payload, headers });
  return { status, body: body as Answer };
};
const release = (tag: string, more: object = {}, key?: string) =>
  post('/api/releases', { app: 'api', tag, ...more }, key);
const read = async (id: string): Promise<Shown> =>
  (await api.call({ url: `/api/releases/${id}` })).body as Shown;
const until = (id: string, state: Release['state']): Promise<Shown> =>
  eventually(async () => {
    const view = await read(id);
    expect(view.state).toBe(state);
    return view;
  }, 30_000);
const refusal = ({ status, body }: { status: number; body: Answer }) => [status, body.error?.code];

describe('POST /api/releases', () => {
  it('releases a tag, which can be read from the 202 on', async () => {
    const { status, body } = await release('first', { reason: 'because' }, 'first');
    expect(status).toBe(202);
    expect(body.gitTag).toBe(`api-${body.date}`);
    expect(body).toMatchObject({
      id: body.gitTag,
      imageTag: `rel-${body.date}`,
      url: `/api/releases/${body.id}`,
    });
    expect(await read(body.id)).toMatchObject({
      id: body.id,
      actor: 'alice',
      tag: 'first',
      reason: 'because',
    });
    const done = await until(body.id, 'finished');
    expect(done).toMatchObject({ outcome: 'succeeded', releaseUrl: expect.stringContaining(body.gitTag) });
    expect(done.links).toMatchObject({ self: body.url, release: done.releaseUrl });
    expect(done.links['deployment']).toContain(done.deployment);

    const again = await release('first', { reason: 'because' }, 'first');
    expect([again.status, again.body.id]).toEqual([202, body.id]);
    expect(refusal(await release('first', {}, 'first'))).toEqual([409, 'KEY_REUSED']);
    expect(refusal(await release('first', { app: 'web', reason: 'because' }, 'first'))).toEqual([
      409,
      'KEY_REUSED',
    ]);
    const twice = await release('first');
    expect(refusal(twice)).toEqual([409, 'ALREADY_RELEASED']);
    expect(twice.body.error?.details).toMatchObject({ id: body.id });

    const retry = await post(`/api/deployments/${done.deployment}/retry`);
    expect(refusal(retry)).toEqual([409, 'OWNED']);
    expect(retry.body.error?.message).toContain(body.id);
  }, 60_000);

  it('publishes an app that is releaseOnly without deploying it', async () => {
    const { body } = await release('only', { app: 'ingestion_server' });
    const done = await until(body.id, 'finished');
    expect(done).toMatchObject({ outcome: 'succeeded', app: 'ingestion_server' });
    expect(done.steps.find(({ name }) => name === 'deploy')?.state).toBe('skipped');
    expect(done.deployment).toBeUndefined();
  }, 60_000);

  it('refuses a bad release and a locked lane, but not what it had accepted before', async () => {
    const bad = await release(BAD.release);
    expect(refusal(bad)).toEqual([409, 'RELEASE_BAD']);
    expect(bad.body.error).toMatchObject({ details: BAD, message: expect.stringContaining('broke search') });
    const kept = await release('kept', {}, 'kept');
    await until(kept.body.id, 'finished');
    const lock = {
      method: 'PUT',
      url: '/api/locks/production/api',
      payload: { reason: 'incident' },
    } as const;
    expect((await api.call(lock)).status).toBe(200);
    const refused = await release('while-locked', { override: true, reason: 'hurry' });
    expect(refusal(refused)).toEqual([409, 'LOCKED']);
    expect(refused.body.error?.details).toMatchObject({ reason: 'incident', by: 'alice' });
    expect((await release('kept', {}, 'kept')).body.id).toBe(kept.body.id);
    expect((await api.call({ method: 'DELETE', url: '/api/locks/production/api' })).status).toBe(204);
  }, 60_000);
});

describe('a release that a step blocks', () => {
  it('is retried with the same names, or abandoned, and only while it is blocked', async () => {
    acts.publishRelease = failing('GITHUB_REFUSED', 'no permission');
    const { id } = (await release('blocked')).body;
    const blocked = await until(id, 'blocked');
    expect(blocked.blocked).toMatchObject({ step: 'publish', code: 'GITHUB_REFUSED' });
    expect((await post(`/api/releases/${id}/retry`, { override: true })).status).toBe(400);
    acts.publishRelease = defaults.publishRelease;
    expect((await post(`/api/releases/${id}/retry`, { reason: 'mended' })).body).toEqual({ id });
    const done = await until(id, 'finished');
    expect(done).toMatchObject({ outcome: 'succeeded', imageTag: blocked.imageTag, retries: 1 });
    for (const action of ['retry', 'abandon']) {
      expect(refusal(await post(`/api/releases/${id}/${action}`))).toEqual([409, 'NOT_BLOCKED']);
    }

    acts.publishRelease = failing('GITHUB_REFUSED', 'no permission');
    const other = (await release('given-up')).body.id;
    await until(other, 'blocked');
    expect((await post(`/api/releases/${other}/abandon`, { reason: 'not worth it' })).status).toBe(202);
    const abandoned = await until(other, 'finished');
    expect(abandoned.outcome).toBe('abandoned');
    expect(abandoned.failure?.exists.join()).toContain(abandoned.imageTag);

    const list = (query: string) =>
      eventually(async () => {
        const page = (await api.call({ url: `/api/releases?${query}` })).body as { items: Shown[] };
        expect(page.items.length).toBeGreaterThan(0);
        return page.items;
      });
    expect((await list('outcome=abandoned')).map((one) => one.id)).toEqual([other]);
    expect((await list('app=api&actor=alice&limit=2')).every(({ app }) => app === 'api')).toBe(true);
  }, 90_000);

  it('has ended where its workflow was terminated, and says so', async () => {
    acts.publishRelease = failing('GITHUB_REFUSED', 'no permission');
    const { id } = (await release('terminated')).body;
    await until(id, 'blocked');
    await temporal.client.workflow.getHandle(releaseWorkflowId(id)).terminate('by hand');
    expect(await until(id, 'finished')).toMatchObject({
      outcome: 'abandoned',
      failure: { step: 'publish', code: 'TERMINATED' },
    });
    expect(refusal(await post(`/api/releases/${id}/retry`))).toEqual([409, 'NOT_BLOCKED']);
  }, 60_000);
});

describe('POST /api/rollbacks', () => {
  const body = { ...PRODUCTION, tag: 'rel-1', reason: 'search is broken' };

  it('can be read as a deployment from the 202 on, and to its end', async () => {
    const { status, body: accepted } = await post('/api/rollbacks', body, 'back');
    expect(status).toBe(202);
    expect(accepted.id).toMatch(/^production\.api\.[a-z0-9]{16}$/);
    expect(accepted).toMatchObject({ url: `/api/deployments/${accepted.id}`, position: 0 });
    const first = await api.call({ url: accepted.url });
    expect(first.body).toMatchObject({
      id: accepted.id,
      kind: 'rollback',
      reason: body.reason,
      actor: 'alice',
    });
    await eventually(async () => {
      expect((await api.call({ url: accepted.url })).body).toMatchObject({ outcome: 'succeeded' });
    }, 30_000);

    expect((await post('/api/rollbacks', body, 'back')).body.id).toBe(accepted.id);
    for (const other of [{ reason: 'another' }, { now: true }, { app: 'web' }, { tag: undefined }]) {
      expect(refusal(await post('/api/rollbacks', { ...body, ...other }, 'back'))).toEqual([
        409,
        'KEY_REUSED',
      ]);
    }
    const retry = await post(`/api/deployments/${accepted.id}/retry`);
    expect(refusal(retry)).toEqual([409, 'OWNED']);
  }, 60_000);

  it('stands in the history where it was rejected before it had a deployment', async () => {
    acts.planRollback = failing('NO_ROLLBACK_TARGET', 'nothing was verified there');
    const { id, url } = (await post('/api/rollbacks', { ...PRODUCTION, reason: 'why' })).body;
    await eventually(async () => {
      const rejected = { id, outcome: 'rejected', failure: { code: 'NO_ROLLBACK_TARGET' } };
      expect((await api.call({ url })).body).toMatchObject(rejected);
      const { items } = (await api.call({ url: '/api/deployments?kind=rollback&outcome=rejected' })).body as {
        items: object[];
      };
      expect(items).toMatchObject([rejected]);
    }, 30_000);
    await expect(temporal.client.workflow.getHandle(deploymentWorkflowId(id)).describe()).rejects.toThrow(
      /not found/i,
    );
    const { items } = (await api.call({ url: '/api/deployments?kind=rollback' })).body as {
      items: { id: string }[];
    };
    expect(new Set(items.map((item) => item.id)).size).toBe(items.length);
  }, 60_000);

  it('is stopped before its deployment exists', async () => {
    const waiting = gate();
    acts.planRollback = async (input) => {
      await waiting.hold();
      return defaults.planRollback(input);
    };
    const { id, url } = (await post('/api/rollbacks', { ...body, reason: 'a mistake' })).body;
    await eventually(async () => {
      expect((await api.call({ url })).body).toMatchObject({ state: 'queued', step: 'validate' });
    });
    expect((await post(`${url}/stop`, { reason: 'never mind' })).body).toEqual({ id });
    await eventually(async () => {
      expect((await api.call({ url })).body).toMatchObject({ outcome: 'stopped' });
    }, 30_000);
    waiting.open();
    expect(refusal(await post(`${url}/stop`))).toEqual([409, 'FINISHED']);
  }, 60_000);

  it('is refused by a lock and a bad mark, unless it overrides them', async () => {
    const bad = await post('/api/rollbacks', { ...body, tag: BAD.release });
    expect(refusal(bad)).toEqual([409, 'RELEASE_BAD']);
    const lock = {
      method: 'PUT',
      url: '/api/locks/production/api',
      payload: { reason: 'incident' },
    } as const;
    await api.call(lock);
    expect(refusal(await post('/api/rollbacks', body))).toEqual([409, 'LOCKED']);
    const { status, body: accepted } = await post('/api/rollbacks', { ...body, override: true });
    expect(status).toBe(202);
    await eventually(async () => {
      expect((await api.call({ url: accepted.url })).body).toMatchObject({ outcome: 'succeeded' });
    }, 30_000);
    await api.call({ method: 'DELETE', url: '/api/locks/production/api' });
  }, 60_000);
});

describe('other requests', () => {
  it('refuses a bad release in both environments before it is accepted', async () => {
    for (const environment of ['staging', 'production']) {
      for (const url of ['/api/deployments', '/api/redeployments']) {
        const answer = await post(url, { app: 'api', environment, tag: BAD.release });
        expect([url, ...refusal(answer)]).toEqual([url, 409, 'RELEASE_BAD']);
      }
    }
    const override = { override: true, reason: 'it is the only one' };
    const { status } = await post('/api/deployments', {
      app: 'api',
      environment: 'staging',
      tag: BAD.release,
      ...override,
    });
    expect(status).toBe(202);
  });

  it('deploys again what runs', async () => {
    const { status, body } = await post('/api/redeployments', {
      app: 'api',
      environment: 'staging',
      reason: 'new variable',
    });
    expect(status).toBe(202);
    await eventually(async () => {
      expect((await api.call({ url: body.url })).body).toMatchObject({
        ...{ kind: 'redeploy', outcome: 'succeeded', tag: 'b'.repeat(40), reason: 'new variable' },
      });
    }, 30_000);
    expect(calls.map(({ name }) => name)).toContain('validateCurrent');
  }, 60_000);

  it('lists what a rollback can choose, verified ones first', async () => {
    const { status, body } = await api.call({ url: '/api/targets/production/api' });
    const { items, warnings } = body as {
      items: { tag: string; verified: boolean; bad?: object }[];
      warnings: object[];
    };
    expect(status).toBe(200);
    expect(warnings).toEqual([{ code: 'AWS_DOWN', message: 'partly' }]);
    const verified = items.map((item) => item.verified);
    expect(verified).toEqual([...verified].sort((a, b) => Number(b) - Number(a)));
    expect(verified[0]).toBe(true);
    expect(items.find(({ tag }) => tag === 'rel-2026.01.01.00.00.01')?.bad).toMatchObject({
      reason: 'broke search',
    });
    expect(items.filter((item) => 'live' in item)).toHaveLength(1);
  });
});
