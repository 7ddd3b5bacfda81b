import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { releaseScript, releaseWorkers } from '../support/releases.js';
import { eventually, rollout } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';
import { config, harness } from './harness.js';
import type { Harness } from './harness.js';

const BODY = { app: 'api', environment: 'staging' };

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let api: Harness;
let base: string;
const silent = async () => undefined;
const acts = { ...releaseScript(), noticeGitHub: silent, noticeSlack: silent };

beforeAll(async () => {
  temporal = await connect();
  workers = await releaseWorkers(temporal, acts, []);
  const settings = config();
  api = await harness({
    address: temporal.address,
    namespace: temporal.namespace,
    deps: { config: { ...settings, access: { ...settings.access, read: 'signed-in' } } },
  });
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
}, 120_000);
afterAll(async () => {
  await api.close();
  await workers.stop();
  await temporal.close();
});

interface Told {
  id?: string;
  event: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the event has
  data: any;
}

/** A page that is open: what it was told so far. */
async function open(options: { as?: string; lastId?: string } = {}) {
  const told: Told[] = [];
  // By hand: `fetch` keeps unused connections, which a server that closes waits for.
  const request = get(`${base}/api/stream`, {
    agent: false,
    headers: {
      authorization: `Bearer ${options.as ?? 't-alice'}`,
      ...(options.lastId ? { 'last-event-id': options.lastId } : {}),
    },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const read = async (): Promise<void> => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const [event, id] = [field('event'), field('id')];
        if (event) told.push({ ...(id ? { id } : {}), event, data: JSON.parse(field('data') ?? '{}') });
      }
    }
  };
  const ended = read().catch(() => undefined);
  return {
    told,
    of: (event: string) => told.filter((one) => one.event === event).map(({ data }) => data),
    lastId: () => told.findLast(({ id }) => id)?.id ?? '',
    ready: () => eventually(() => expect(told.map(({ event }) => event)).toContain('ready'), 20_000),
    async close() {
      request.destroy();
      await ended;
    },
    ended,
  };
}

const post = (url: string, payload: object) =>
  eventually(async () => {
    const answer = await api.call({
      method: 'POST',
      url,
      payload,
      headers: { 'idempotency-key': url + JSON.stringify(payload) },
    });
    expect(answer.status).toBe(202);
    return answer.body as { id: string };
  }, 20_000);

describe('GET /api/stream', () => {
  it('keeps a page live: each deployment to its end, locks, releases; whole objects as GET gives', async () => {
    const page = await open();
    await page.ready();
    expect(
      page
        .of('app')
        .map(({ app, environment }) => `${app} ${environment}`)
        .sort(),
    ).toEqual(['api production', 'api staging', 'frontend staging']);
    let finish: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => (finish = resolve));
    const { stabilise } = acts;
    acts.stabilise = async (input) => {
      await seen;
      return stabilise(input);
    };
    const { id } = await post('/api/deployments', { ...BODY, tag: 'live' });
    await eventually(() => {
      expect(page.of('deployment').at(-1)).toMatchObject({ id, state: 'running', step: 'stabilise' });
    }, 20_000);
    finish();
    await eventually(() => {
      expect(page.of('deployment').at(-1)).toMatchObject({ id, outcome: 'succeeded' });
    }, 20_000);
    expect(page.of('deployment').at(-1)).toEqual((await api.call({ url: `/api/deployments/${id}` })).body);

    await api.call({ method: 'PUT', url: '/api/locks/staging/api', payload: { reason: 'wait' } });
    await eventually(() => {
      expect(page.of('app').at(-1)).toMatchObject({
        ...BODY,
        lane: { lock: { reason: 'wait', by: 'alice' } },
      });
    });
    await api.call({ method: 'DELETE', url: '/api/locks/staging/api' });

    const release = await post('/api/releases', { app: 'api', tag: 'released' });
    await eventually(() => {
      expect(page.of('release').at(-1)).toMatchObject({ id: release.id, outcome: 'succeeded' });
    }, 30_000);
    expect(page.of('release').at(-1)).toEqual((await api.call({ url: `/api/releases/${release.id}` })).body);
    await page.close();
  }, 90_000);

  it('after a break it tells what has ended in between, and in a new page only what there is', async () => {
    const page = await open();
    await page.ready();
    await page.close();
    await eventually(async () => expect(await quiet()).toBe(0), 20_000);
    const { id } = await post('/api/deployments', { ...BODY, tag: 'unseen' });
    await eventually(async () => {
      expect((await api.call({ url: `/api/deployments/${id}` })).body).toMatchObject({ state: 'finished' });
    }, 20_000);
    const again = await open({ lastId: page.lastId() });
    await eventually(
      () => expect(again.of('deployment')).toMatchObject([{ id, outcome: 'succeeded' }]),
      20_000,
    );
    expect(again.told.map(({ event }) => event)).not.toContain('reset');
    // As if it had come from another process.
    const elsewhere = await open({ lastId: '0123456789ab.7' });
    await elsewhere.ready();
    expect(elsewhere.told.map(({ event }) => event)).toContain('reset');
    expect(elsewhere.of('deployment')).toEqual([]);
    await again.close();
    await elsewhere.close();
  }, 60_000);

  it('asks Temporal no more for many pages than for one', async () => {
    const asked = vi.spyOn(api.temporal.client.workflowService, 'listWorkflowExecutions');
    const pages = await Promise.all(Array.from({ length: 20 }, () => open()));
    for (const page of pages) await page.ready();
    asked.mockClear();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    // Deployments and releases, once a second.
    expect(asked.mock.calls.length).toBeLessThanOrEqual(8);
    expect(asked.mock.calls.length).toBeGreaterThan(0);
    for (const page of pages) await page.close();
    asked.mockRestore();
  }, 60_000);

  it('keeps the containers’ lines from who is no maintainer', async () => {
    acts.stabilise = async () => ({ verdict: 'tasks-failed', message: 'they die', rollout });
    const lastLines = [{ source: 'django', lines: ['npm ERR! private'] }];
    acts.dossier = async () => ({ events: [], stoppedTasks: [], lastLines });
    const [mine, theirs] = [await open(), await open({ as: 't-eve' })];
    await mine.ready();
    await theirs.ready();
    await post('/api/deployments', { ...BODY, tag: 'dies' });
    for (const page of [mine, theirs]) {
      await eventually(
        () => expect(page.of('deployment').at(-1)).toMatchObject({ outcome: 'failed' }),
        20_000,
      );
    }
    expect(JSON.stringify(mine.told)).toContain('npm ERR! private');
    expect(JSON.stringify(theirs.told)).not.toContain('npm ERR! private');
    await mine.close();
    await theirs.close();
  }, 60_000);

  it('is for who may read, and ends with the process', async () => {
    expect((await api.call({ url: '/api/stream', as: null })).status).toBe(401);
    const page = await open();
    await page.ready();
    await api.app.close();
    await page.ended;
  }, 30_000);
});

/** How often Temporal is asked for a list in a second in which nobody listens. */
async function quiet(): Promise<number> {
  const asked = vi.spyOn(api.temporal.client.workflowService, 'listWorkflowExecutions');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { length } = asked.mock.calls;
  asked.mockRestore();
  return length;
}
