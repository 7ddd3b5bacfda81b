import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Build } from '../../domain/build.js';
import { eventually, failing, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';
import { workflowBundle } from '../../worker/bundle.js';
import { config, harness } from './harness.js';
import type { Harness } from './harness.js';

const acts = script();
const defaults = { ...acts };
const calls: { name: string; input: unknown }[] = [];

let temporal: TestTemporal;
let workers: { stop(): Promise<void> } | undefined;
let api: Harness;

beforeAll(async () => {
  temporal = await connect();
  // So that no test waits for it.
  await workflowBundle();
  const settings = config();
  api = await harness({
    address: temporal.address,
    namespace: temporal.namespace,
    deps: { config: { ...settings, access: { ...settings.access, read: 'signed-in' } } },
  });
}, 140_000);
afterEach(() => {
  Object.assign(acts, defaults);
  calls.length = 0;
});
afterAll(async () => {
  await api.close();
  await workers?.stop();
  await temporal.close();
});

interface Answer {
  id: string;
  error?: { code: string };
}
let count = 0;
const commitOf = () => (count += 1).toString(16).padStart(40, 'c');
async function ask(body: object, key?: string, as = 't-alice') {
  const headers = key ? { 'idempotency-key': key } : {};
  const answer = await api.call({ method: 'POST', url: '/api/builds', payload: body, headers, as });
  return { status: answer.status, body: answer.body as Answer };
}
const get = async (id: string, as = 't-alice') =>
  (await api.call({ url: `/api/builds/${id}`, as })).body as Build;
const until = (id: string, state: Build['state']) =>
  eventually(async () => {
    const build = await get(id);
    expect(build.state).toBe(state);
    return build;
  }, 40_000);
const refusal = ({ status, body }: { status: number; body: Answer }) => [status, body.error?.code];
const built = (commit: string) =>
  calls.filter(({ name, input }) => name === 'buildImages' && (input as { commit: string }).commit === commit)
    .length;

describe('POST /api/builds', () => {
  it('is accepted without a worker, says what it waits for, and is built once there is one', async () => {
    const commit = commitOf();
    const { status, body } = await ask({ app: 'api', commit });
    expect([status, body]).toEqual([202, { id: `api.${commit}` }]);
    expect(await get(body.id)).toMatchObject({
      id: body.id,
      app: 'api',
      commit,
      state: 'running',
      images: [],
    });
    await eventually(async () => {
      expect((await get(body.id)).waitingFor).toMatchObject({ code: 'NO_WORKER' });
    }, 15_000);
    workers = await scriptedWorkers(temporal, acts, calls);
    expect(await until(body.id, 'finished')).toEqual({
      ...{ id: body.id, app: 'api', commit, state: 'finished', outcome: 'succeeded' },
      images: [{ repository: 'openverse-api', digest: expect.stringMatching(/^sha256:/) }],
    });
  }, 90_000);

  it('under the same key it is one build, also when it has ended; another body is refused', async () => {
    const commit = commitOf();
    const one = await ask({ app: 'api', commit }, 'key-1');
    expect((await ask({ app: 'api', commit }, 'key-1')).body).toEqual(one.body);
    await until(one.body.id, 'finished');
    expect((await ask({ app: 'api', commit }, 'key-1')).body).toEqual(one.body);
    expect((await get(one.body.id)).state).toBe('finished');
    expect(built(commit)).toBe(1);
    await eventually(async () =>
      expect(refusal(await ask({ app: 'api', commit: commitOf() }, 'key-1'))).toEqual([409, 'KEY_REUSED']),
    );
    // Of another person it is another key.
    expect((await ask({ app: 'api', commit: commitOf() }, 'key-1', 't-bob')).status).toBe(202);
  });

  it('goes on when the only deployment that waits for it is stopped', async () => {
    let finish: () => void = () => undefined;
    const done = new Promise<void>((resolve) => (finish = resolve));
    acts.buildImages = async (input) => {
      await done;
      return defaults.buildImages(input);
    };
    const commit = commitOf();
    const deployment = { app: 'api', environment: 'staging', commit };
    const { id } = await eventually(async () => {
      const answer = await api.call({
        ...{ method: 'POST', url: '/api/deployments', payload: deployment },
        headers: { 'idempotency-key': commit },
      });
      expect(answer.status).toBe(202);
      return answer.body as Answer;
    }, 40_000);
    await eventually(() => expect(built(commit)).toBe(1));
    await ask({ app: 'api', commit });
    await api.call({ method: 'POST', url: `/api/deployments/${id}/stop`, payload: {} });
    await eventually(async () => {
      const { body } = await api.call({ url: `/api/deployments/${id}` });
      expect(body).toMatchObject({ outcome: 'stopped' });
    }, 40_000);
    expect((await get(`api.${commit}`)).state).toBe('running');
    finish();
    expect(await until(`api.${commit}`, 'finished')).toMatchObject({ outcome: 'succeeded' });
  }, 60_000);

  it('says why it failed, its output to maintainers only', async () => {
    acts.buildImages = failing('BUILD_FAILED', 'exit code 1', { lastLines: ['npm ERR! private'] });
    const { body } = await ask({ app: 'api', commit: commitOf() });
    const build = await until(body.id, 'finished');
    expect(build).toMatchObject({
      outcome: 'failed',
      failure: { code: 'BUILD_FAILED', message: 'exit code 1' },
      lastLines: ['npm ERR! private'],
    });
    expect(await get(body.id, 't-eve')).not.toHaveProperty('lastLines');
    acts.buildImages = failing('NOT_ON_BRANCH', 'not on main');
    const other = await ask({ app: 'api', commit: commitOf() });
    expect(await until(other.body.id, 'finished')).toMatchObject({ outcome: 'rejected' });
  });

  it('refuses what has not the form, and who may not', async () => {
    const commit = commitOf();
    expect(refusal(await ask({ app: 'nope', commit }))).toEqual([400, 'BAD_REQUEST']);
    expect(refusal(await ask({ app: 'api', commit: 'abc' }))).toEqual([400, 'BAD_REQUEST']);
    expect(refusal(await ask({ app: 'api', commit, tag: 'x' }))).toEqual([400, 'BAD_REQUEST']);
    expect(refusal(await ask({ app: 'api', commit }, undefined, 't-eve'))).toEqual([403, 'NOT_A_MAINTAINER']);
    for (const id of [`api.${commit}`, 'api', 'api.x', `..${commit}`]) {
      expect((await api.call({ url: `/api/builds/${id}` })).status).toBe(404);
    }
  });
});
