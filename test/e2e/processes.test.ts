/** Rule 10 for processes that are not there: no worker, no build worker, no Temporal. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sandbox/ports.js';
import type { Answer, Site } from './site.js';
import { API_STAGING, FRONTEND_STAGING, openSite, START_MS, until } from './site.js';

/** A call has three seconds, and one more to see why it came to nothing; a loaded machine adds to it. */
const IN_TIME_MS = 10_000;

let site: Site;

beforeAll(async () => {
  site = await openSite();
  await Promise.all([site.calm(API_STAGING), site.calm(FRONTEND_STAGING)]);
}, START_MS);
afterAll(() => site?.close());

describe('the API with no worker', { timeout: 90_000 }, () => {
  let before: string;
  const key = 'the-same-key';
  let body: object;

  beforeAll(async () => {
    before = await site.deploy(API_STAGING, { tag: site.images('api') });
    await site.ended(before);
    await site.kill('worker');
    body = { ...API_STAGING, tag: site.images('api') };
  }, 60_000);

  it('answers reads', async () => {
    const paths = [
      `/api/deployments/${before}`,
      '/api/deployments',
      '/api/apps',
      '/api/me',
      '/readyz',
      '/metrics',
    ];
    for (const path of paths) expect((await site.ask('GET', path)).status, path).toBe(200);
    const { body: one } = await site.ask('GET', `/api/deployments/${before}`);
    expect(one).toMatchObject({ state: 'finished', outcome: 'succeeded' });
  });

  it('answers 503 to a request, in time: NO_WORKER as soon as Temporal knows it', async () => {
    const answers: Answer[] = [];
    // A task may just have been given to the worker that died: for ten seconds Temporal thinks that it works.
    await until('NO_WORKER', async () => {
      const answer = await site.ask('POST', '/api/deployments', { key, body });
      answers.push(answer);
      return answer.body.error?.code === 'NO_WORKER';
    });
    for (const { status, body: answered, ms } of answers) {
      expect(status).toBe(503);
      expect(['NO_WORKER', 'TOO_LATE']).toContain(answered.error.code);
      expect(ms).toBeLessThan(IN_TIME_MS);
    }
  });

  it('and the same key, sent again and again, gives one deployment', async () => {
    expect((await site.ask('POST', '/api/deployments', { key, body })).status).toBe(503);
    const ledger = site.ledger(API_STAGING);
    await site.revive('worker');
    const accepted = await until('it is accepted', async () => {
      const answer = await site.ask('POST', '/api/deployments', { key, body });
      return answer.status === 202 && answer;
    });
    const again = await site.ask('POST', '/api/deployments', { key, body });
    expect(again.body.id).toBe(accepted.body.id);
    expect((await site.ended(accepted.body.id as string)).outcome).toBe('succeeded');
    expect(ledger()).toMatchObject({ began: ['UpdateService'] });
    expect(ledger().registered).toHaveLength(1);
    const other = { key, body: { ...body, tag: 'another' } };
    expect(await site.ask('POST', '/api/deployments', other)).toMatchObject({
      ...{ status: 409, body: { error: { code: 'KEY_REUSED' } } },
    });
  });
});

it('no build worker: the deployment says what it waits for, and goes on when there is one', async () => {
  await site.kill('build-worker');
  const id = await site.deploy(FRONTEND_STAGING, { commit: site.sample.commits.good.at(-1) ?? '' });
  const wanted = ({ waitingFor }: { waitingFor?: { code: string } }): boolean =>
    waitingFor?.code === 'NO_BUILD_WORKER';
  const { waitingFor, step } = await site.becomes(id, 'waiting for a build worker', wanted);
  expect(step).toBe('build');
  expect(waitingFor?.actions.join()).toContain('npm run worker -- --builds');
  await site.revive('build-worker');
  expect(await site.ended(id)).toMatchObject({ outcome: 'succeeded', verified: true });
}, 90_000);

describe('the API started before Temporal', { timeout: 60_000 }, () => {
  let at: string;
  let port: number;
  let proxy: Server | undefined;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    port = await freePort();
    const own = await freePort();
    at = `http://127.0.0.1:${own}`;
    const env = { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, HOST: '127.0.0.1', PORT: String(own) };
    await site.start('api', env);
  }, 60_000);
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    proxy?.close();
  });

  it('is alive, not ready, and says that Temporal is down, in time', async () => {
    expect((await site.ask('GET', '/healthz', { at, as: null })).status).toBe(200);
    const ready = await site.ask('GET', '/readyz', { at, as: null });
    expect(ready).toMatchObject({ status: 503, body: { error: { code: 'TEMPORAL_DOWN' } } });
    const body = { ...API_STAGING, tag: site.images('api') };
    for (const [method, path, asked] of [
      ['POST', '/api/deployments', { body }],
      ['GET', '/api/deployments', {}],
    ] as const) {
      const answer = await site.ask(method, path, { at, ...asked });
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'TEMPORAL_DOWN' } } });
      expect(answer.text).not.toContain(String(port));
      expect(answer.ms).toBeLessThan(IN_TIME_MS);
    }
  });

  it('and is ready when Temporal is there', async () => {
    const [host, real] = site.temporal.address.split(':');
    proxy = createServer((socket) => {
      const other = connect(Number(real), host);
      for (const one of [socket, other]) sockets.add(one.on('error', () => undefined));
      socket.pipe(other).pipe(socket);
    }).listen(port, '127.0.0.1');
    await once(proxy, 'listening');
    await until(
      'it is ready',
      async () => (await site.ask('GET', '/readyz', { at, as: null })).status === 200,
    );
    const answer = await site.ask('GET', '/api/deployments', { at });
    expect(answer.status).toBe(200);
  });
});
