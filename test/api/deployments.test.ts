import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLive } from '../../api/live.js';
import type { Deployment } from '../../domain/deployment.js';
import { MEMO } from '../../domain/messages.js';
import type { DeploymentView } from '../../domain/view.js';
import { eventually, failing, script, scriptedWorkers } from '../support/scripted.js';
import { connect } from '../support/temporal.js';
import type { TestTemporal } from '../support/temporal.js';
import { config, fakeEcs, harness } from './harness.js';
import type { Harness } from './harness.js';

const TAG = 'a'.repeat(40);

let temporal: TestTemporal;
let workers: Awaited<ReturnType<typeof scriptedWorkers>>;
let api: Harness;
const acts = script();
const defaults = { ...acts };
const gates: (() => void)[] = [];

beforeAll(async () => {
  temporal = await connect();
  workers = await scriptedWorkers(temporal, acts);
  api = await harness({
    address: temporal.address,
    namespace: temporal.namespace,
    deps: { repositoryUrl: 'https://github.example/acme/shop' },
  });
});
afterEach(() => {
  Object.assign(acts, defaults);
  for (const release of gates.splice(0)) release();
});
afterAll(async () => {
  await api.close();
  await workers.stop();
  await temporal.close();
});

type Shown = DeploymentView & { links: Record<string, string> };

const post = async (url: string, payload: object = {}, more: object = {}) => {
  const { status, body } = await api.call({ method: 'POST', url, payload, ...more });
  return {
    status,
    body: body as { id: string; url: string; position: number; error?: { code: string; details?: object } },
  };
};
const deploy = (more: object = {}, options: object = {}) =>
  post('/api/deployments', { app: 'api', environment: 'staging', tag: TAG, ...more }, options);
const get = async (id: string, as?: string): Promise<Shown> =>
  (await api.call({ url: `/api/deployments/${id}`, ...(as ? { as } : {}) })).body as Shown;
const finished = (id: string): Promise<Shown> =>
  eventually(async () => {
    const view = await get(id);
    expect(view.state).toBe('finished');
    return view;
  });

/** An activity that waits until the test, or its end, lets it go on. */
function held<T>(result: () => Promise<T>): { run: () => Promise<T>; release: () => void } {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  gates.push(release);
  return { run: () => gate.then(result), release };
}

describe('POST /api/deployments', () => {
  it('is readable from the 202 on, and to its end', async () => {
    const accepted = await deploy({ reason: 'because' });
    expect(accepted.status).toBe(202);
    const { id, url, position } = accepted.body;
    expect(id).toMatch(/^staging\.api\.[a-z0-9]{16}$/);
    expect([url, position]).toEqual([`/api/deployments/${id}`, 0]);
    const first = await get(id);
    expect(first).toMatchObject({ id, actor: 'alice', tag: TAG, reason: 'because', kind: 'deploy' });
    const last = await finished(id);
    expect(last).toMatchObject({ outcome: 'succeeded', verified: true });
    expect(last.steps.map(({ state }) => state)).toEqual(['done', 'skipped', ...Array(6).fill('done')]);
    expect(last.links).toMatchObject({
      ...{ self: url, stream: `${url}/stream` },
      github: `https://github.example/acme/shop/commit/${TAG}`,
    });
  });

  it('gives the same key the same deployment, and refuses it for another request', async () => {
    const headers = { 'idempotency-key': 'key-1' };
    const [one, two] = await Promise.all([deploy({}, { headers }), deploy({}, { headers })]);
    const three = await deploy({}, { headers });
    expect(new Set([one, two, three].map(({ body }) => body.id)).size).toBe(1);
    const others = [{ tag: 'b' }, { reason: 'another' }, { environment: 'production' }, { app: 'frontend' }];
    for (const other of others) {
      const answer = await deploy(other, { headers });
      expect([answer.status, answer.body.error?.code]).toEqual([409, 'KEY_REUSED']);
    }
    const bob = await deploy({}, { headers, as: 't-bob' });
    expect(bob.status).toBe(202);
    expect(bob.body.id).not.toBe(one.body.id);
    const keyless = [(await deploy()).body.id, (await deploy()).body.id];
    expect(keyless[0]).not.toBe(keyless[1]);
    for (const id of [bob.body.id, ...keyless]) await finished(id);
  });

  it('shows who waits for what, and the live rollout', async () => {
    const gate = held(defaults.register.bind(null, {} as never));
    acts.register = gate.run;
    const one = (await deploy()).body;
    await eventually(async () =>
      expect(await get(one.id)).toMatchObject({ step: 'register', state: 'running' }),
    );
    const two = (await deploy({ tag: 'v2' })).body;
    expect(two.position).toBe(1);
    expect(await get(two.id)).toMatchObject({
      state: 'queued',
      position: 1,
      waitingFor: { code: 'LANE_BUSY', detail: expect.stringContaining(one.id) },
    });
    gate.release();
    await finished(two.id);
  });

  it('tells a rejected one with its code, and the dossier’s output to maintainers only', async () => {
    const settings = config({ access: { read: 'public', logs: 'maintainers', oauthClients: [] } });
    const open = await harness({
      address: temporal.address,
      namespace: temporal.namespace,
      deps: { config: settings },
    });
    acts.buildImages = failing('BUILD_FAILED', 'exit 1', { lastLines: ['line with details'] });
    const { id } = (await deploy({ tag: undefined, commit: 'c'.repeat(40) })).body;
    const full = await finished(id);
    expect(full).toMatchObject({ outcome: 'failed', failure: { step: 'build', code: 'BUILD_FAILED' } });
    expect(JSON.stringify(full.dossier)).toContain('line with details');
    const less = await open.call({ url: `/api/deployments/${id}`, as: null });
    expect(less.status).toBe(200);
    expect(less.text).not.toContain('line with details');
    expect((less.body as Shown).dossier).toBeDefined();
    await open.close();
  });
});

describe('stop and retry', () => {
  it('stops one that runs, and retries it linked', async () => {
    acts.stabilise = held(() => Promise.reject(new Error('given up'))).run;
    const { id } = (await deploy()).body;
    await eventually(async () => expect((await get(id)).step).toBe('stabilise'));
    const early = await post(`/api/deployments/${id}/retry`);
    expect([early.status, early.body.error?.code]).toEqual([409, 'NOT_FINISHED']);
    acts.stabilise = defaults.stabilise;
    const stop = await post(`/api/deployments/${id}/stop`, { reason: 'enough' });
    expect([stop.status, stop.body]).toEqual([202, { id }]);
    expect(await finished(id)).toMatchObject({ outcome: 'stopped' });
    const again = await post(`/api/deployments/${id}/stop`);
    expect([again.status, again.body.error?.code]).toEqual([409, 'FINISHED']);
    const retry = await post(`/api/deployments/${id}/retry`, {}, { headers: { 'idempotency-key': 'r' } });
    const same = await post(`/api/deployments/${id}/retry`, {}, { headers: { 'idempotency-key': 'r' } });
    expect([retry.status, same.body.id]).toEqual([202, retry.body.id]);
    expect(await finished(retry.body.id)).toMatchObject({ retryOf: id, tag: TAG, outcome: 'succeeded' });
  });

  it('says how long deployments are kept where there is none', async () => {
    const answer = await api.call({ url: '/api/deployments/staging.api.abcd1234' });
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('kept for 1 day');
    const stop = await post('/api/deployments/staging.api.abcd1234/stop');
    expect([stop.status, stop.body.error?.code]).toEqual([404, 'NOT_FOUND']);
  });
});

describe('locks', () => {
  it('refuses a deployment with the lock, and says so to what waits', async () => {
    const gate = held(defaults.look.bind(null, {} as never));
    acts.look = gate.run;
    const running = (await deploy({ environment: 'production' })).body.id;
    const waiting = (await deploy({ environment: 'production' })).body.id;
    const lock = {
      method: 'PUT',
      url: '/api/locks/production/api',
      payload: { reason: 'incident 7' },
    } as const;
    const headers = { 'idempotency-key': 'lock-1' };
    const locked = await api.call({ ...lock, headers });
    expect(locked).toMatchObject({ status: 200, body: { reason: 'incident 7', by: 'alice' } });
    expect(await api.call({ ...lock, headers })).toMatchObject({ status: 200, body: locked.body });
    const other = await api.call({ ...lock, headers, payload: { reason: 'incident 8' } });
    expect([other.status, (other.body as { error: { code: string } }).error.code]).toEqual([
      409,
      'KEY_REUSED',
    ]);
    const details = { reason: 'incident 7', by: 'alice', at: (locked.body as { at: string }).at };
    const bob = await api.call({ ...lock, as: 't-bob' });
    expect(bob).toMatchObject({ status: 409, body: { error: { code: 'LOCKED', details } } });
    const refused = await deploy({ environment: 'production' });
    expect([refused.status, refused.body.error]).toMatchObject([409, { code: 'LOCKED', details }]);
    gate.release();
    await finished(running);
    expect((await get(waiting)).waitingFor).toMatchObject({
      code: 'LOCKED',
      since: details.at,
      detail: expect.stringContaining('incident 7'),
      who: 'a maintainer',
      actions: ['unlock'],
    });
    const unlock = { method: 'DELETE', url: '/api/locks/production/api' } as const;
    expect((await api.call(unlock)).status).toBe(204);
    const twice = await api.call({ ...unlock, payload: { reason: 'over' } });
    expect(twice).toMatchObject({ status: 409, body: { error: { code: 'NOT_LOCKED' } } });
    expect(await finished(waiting)).toMatchObject({ outcome: 'succeeded' });
  });
});

describe('GET /api/deployments', () => {
  it('lists by filter, in pages, unfinished first', async () => {
    const ended = (await deploy({ app: 'frontend', tag: 'listed' })).body.id;
    await finished(ended);
    const gate = held(defaults.look.bind(null, {} as never));
    acts.look = gate.run;
    const open = (await deploy({ app: 'frontend', tag: 'listed' })).body.id;
    const list = async (query: string) => {
      const { status, body } = await api.call({ url: `/api/deployments?${query}` });
      return { status, ...(body as { items: Shown[]; cursor?: string }) };
    };
    const page = await eventually(async () => {
      const found = await list('app=frontend&environment=staging&actor=alice&limit=1');
      expect(found.items[0]?.id).toBe(open);
      return found;
    });
    expect(page.items).toHaveLength(1);
    const next = await list(`app=frontend&environment=staging&actor=alice&limit=1&cursor=${page.cursor}`);
    expect(next.items.map(({ id }) => id)).toEqual([ended]);
    gate.release();
    await finished(open);
    await eventually(async () => {
      const all = await list('app=frontend&outcome=succeeded&kind=deploy');
      expect(all.items.map(({ id }) => id)).toEqual(expect.arrayContaining([open, ended]));
      for (const item of all.items) expect(item).toMatchObject({ app: 'frontend', outcome: 'succeeded' });
    });
    expect((await list('outcome=superseded')).items).toEqual([]);
  });

  it('refuses a cursor that is none', async () => {
    const { status } = await api.call({
      url: `/api/deployments?cursor=${Buffer.from('zzz').toString('base64url')}`,
    });
    expect(status).toBe(400);
  });
});

describe('GET /api/apps', () => {
  it('joins lane, ECS and version endpoint, and warns of what it cannot read', async () => {
    const { ecs, calls } = fakeEcs([
      {
        serviceName: 'staging-api',
        status: 'ACTIVE',
        desiredCount: 2,
        runningCount: 1,
        pendingCount: 1,
        deployments: [
          { status: 'PRIMARY', taskDefinition: 'arn:2' },
          { status: 'ACTIVE', taskDefinition: 'arn:1' },
        ],
      },
    ]);
    const settings = config();
    const staging = settings.apps['api']?.environments['staging'];
    if (staging) staging.versionUrl = 'http://127.0.0.1:9/version.json';
    const live = createLive({
      config: settings,
      ecs: (environment) => {
        if (environment === 'production') throw new Error('no credentials: AKIASECRET');
        return ecs();
      },
    });
    const other = await harness({
      address: temporal.address,
      namespace: temporal.namespace,
      deps: { config: settings, live, temporalUiUrl: 'http://ui/' },
    });
    const [answer] = await Promise.all([other.call({ url: '/api/apps' }), other.call({ url: '/api/apps' })]);
    await other.close();
    expect(answer.status).toBe(200);
    const { items } = answer.body as { items: Record<string, unknown>[] };
    expect(items.map(({ app, environment }) => `${String(app)} ${String(environment)}`)).toEqual([
      'api staging',
      'api production',
      'frontend staging',
    ]);
    expect(items[0]).toMatchObject({
      ...{ desired: 2, running: 1, pending: 1, revision: 'arn:2' },
      lane: { waiting: [], waitingCount: 0 },
      warnings: [{ code: 'NO_ANSWER' }],
      links: { temporal: `http://ui/namespaces/${temporal.namespace}/workflows/lane%2Fstaging%2Fapi` },
    });
    expect(items[1]).toMatchObject({ warnings: [{ code: 'AWS_DOWN' }] });
    expect(items[1]).not.toHaveProperty('desired');
    expect(items[2]).toMatchObject({ warnings: [{ code: 'SERVICE_GONE' }] });
    expect(answer.text).not.toContain('AKIASECRET');
    expect(calls).toEqual([{ cluster: 'staging-default', services: ['staging-api', 'staging-frontend'] }]);
  });
});

describe('GET /readyz', () => {
  it('is ready while Temporal answers', async () => {
    expect(await api.call({ url: '/readyz', as: null })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
  });
});

describe('what is shown comes from the record', () => {
  it('shows the memo of a deployment whose result cannot say more', async () => {
    const { id } = (await deploy()).body;
    await finished(id);
    const { memo } = await temporal.client.workflow
      .getHandle(`deployment/${id.replaceAll('.', '/')}`)
      .describe();
    expect(await get(id)).toMatchObject({ steps: (memo?.[MEMO.deployment] as Deployment).steps });
  });
});

/** Last: the lane keeps its place until its watchdog has looked. */
describe('terminated in Temporal', () => {
  it('is told as failed', async () => {
    acts.validate = held(() => Promise.reject(new Error('given up'))).run;
    const { id } = (await deploy({ app: 'frontend' })).body;
    await eventually(async () => expect((await get(id)).step).toBe('validate'));
    await temporal.client.workflow.getHandle(`deployment/${id.replaceAll('.', '/')}`).terminate('by hand');
    expect(await get(id)).toMatchObject({
      state: 'finished',
      outcome: 'failed',
      failure: { step: 'validate', code: 'TERMINATED' },
    });
  });
});
