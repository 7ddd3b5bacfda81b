/** An API that is played: the real dashboard on data that a test sets, tells and takes back. */
import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import Fastify from 'fastify';
import { dashboardRoutes } from '../../../api/dashboard.js';
import { buildDashboard } from '../../../api/dashboard-build.js';
import type { Shown } from '../../../dashboard/model/plan.js';
import type { Me } from '../../../dashboard/model/types.js';
import type { News } from '../../../dashboard/model/world.js';
import { ago, commit, DAY, imagesOf } from './parts.js';
import type { FakeWorld } from './world.js';
import { fakeWorld } from './world.js';

export interface Write {
  method: string;
  path: string;
  body: unknown;
  csrf: string | undefined;
  key: string | undefined;
}

export interface Fake {
  url: string;
  world: FakeWorld;
  /** Who looks; undefined: nobody is signed in, and anybody may read. */
  me: Me | undefined;
  /** Whether a browser can sign in at all. */
  canSignIn: boolean;
  /** What was asked to be changed, oldest first. */
  writes: Write[];
  /** Answers instead of 202, by path. */
  answers: Map<string, { status: number; body: object }>;
  tell(news: News): void;
  /** Ends every live connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** How many are. */
  listening(): number;
  close(): Promise<void>;
}

export const MAINTAINER: Me = { login: 'alice', maintainer: true, csrf: 'csrf-of-alice' };

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export async function startFake({ port = 0 } = {}): Promise<Fake> {
  const app = Fastify({ forceCloseConnections: true });
  const streams = new Set<PassThrough>();
  const fake: Omit<Fake, 'url' | 'listening' | 'close'> & { isCut: boolean } = {
    world: fakeWorld(),
    me: MAINTAINER,
    canSignIn: true,
    writes: [],
    answers: new Map(),
    isCut: false,
    tell: ({ name, data }) => streams.forEach((stream) => stream.write(event(name, data))),
    cut: () => {
      fake.isCut = true;
      for (const stream of streams) stream.destroy();
    },
    mend: () => void (fake.isCut = false),
  };
  await app.register(dashboardRoutes(buildDashboard()));
  reads(app, fake);
  writes(app, fake);
  app.get('/api/stream', async (_request, reply) => {
    if (fake.isCut) return reply.code(503).send({ error: { code: 'TEMPORAL_DOWN', message: 'cut' } });
    const stream = new PassThrough();
    streams.add(stream);
    stream.on('close', () => streams.delete(stream));
    stream.write('retry: 300\n\n' + presentOf(fake.world));
    return reply.header('content-type', 'text/event-stream').send(stream);
  });
  await app.listen({ host: '127.0.0.1', port });
  const address = app.server.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  return Object.assign(fake, {
    url: `http://127.0.0.1:${taken}`,
    listening: () => streams.size,
    close: async () => {
      for (const stream of streams) stream.destroy();
      await app.close();
    },
  });
}

function presentOf({ places, queues, deployments, releases }: FakeWorld): string {
  const underWay = deployments.filter(({ state }) => state !== 'finished');
  return [
    event('reset', {}),
    ...places.map((one) => event('app', one)),
    ...queues.map((one) => event('promotion', one)),
    ...underWay.map((one) => event('deployment', one)),
    ...releases.filter(({ state }) => state !== 'finished').map((one) => event('release', one)),
    event('ready', {}),
  ].join('');
}

type State = Pick<Fake, 'world' | 'me' | 'canSignIn' | 'writes' | 'answers'> & { isCut: boolean };

function reads(app: FastifyInstance, fake: State): void {
  const missing = (reply: FastifyReply, what: string) =>
    reply.code(404).send({ error: { code: 'NOT_FOUND', message: `There is no ${what}` } });
  app.get(
    '/api/me',
    async (_request, reply) =>
      fake.me ??
      reply.code(401).send({
        error: { code: 'UNAUTHENTICATED', message: 'Sign in', details: { signIn: fake.canSignIn } },
      }),
  );
  app.get('/api/settings', async () => fake.world.settings);
  app.get('/api/apps', async () => ({ items: fake.world.places }));
  app.get<{ Querystring: Record<string, string> }>('/api/deployments', async ({ query }) => {
    const { limit = '20', cursor = '0', ...filter } = query;
    const all = fake.world.deployments.filter((one) =>
      Object.entries(filter).every(([key, value]) => one[key as 'app'] === value),
    );
    const end = Number(cursor) + Number(limit);
    return { items: all.slice(Number(cursor), end), ...(end < all.length ? { cursor: String(end) } : {}) };
  });
  app.get<{ Params: { id: string } }>(
    '/api/deployments/:id',
    async ({ params }, reply) =>
      fake.world.deployments.find(({ id }) => id === params.id) ?? missing(reply, `deployment ${params.id}`),
  );
  app.get<{ Querystring: { app?: string } }>('/api/releases', async ({ query }) => ({
    items: fake.world.releases.filter((one) => !query.app || one.app === query.app),
  }));
  app.get<{ Params: { id: string } }>(
    '/api/releases/:id',
    async ({ params }, reply) =>
      fake.world.releases.find(({ id }) => id === params.id) ?? missing(reply, `release ${params.id}`),
  );
  app.get('/api/targets/:environment/:app', async () => ({
    items: [
      { tag: 'rel-2026.11.23.14.02.11', release: fake.world.places[1]?.release, verified: true, live: true },
      ...TARGETS,
      { tag: 'before-sluice', verified: false },
    ],
    warnings: [],
  }));
}

function writes(app: FastifyInstance, fake: State): void {
  app.route({
    method: ['POST', 'PUT', 'DELETE'],
    url: '/api/*',
    handler: async (request, reply) => {
      const { method, url: path, body, headers } = request;
      const canned = fake.answers.get(path);
      if (canned) return reply.code(canned.status).send(canned.body);
      if (path === '/api/plans') return planOf(fake.world, body as Asked);
      const key = headers['idempotency-key'];
      fake.writes.push({
        method,
        path,
        body,
        csrf: String(headers['x-csrf-token'] ?? ''),
        key: String(key ?? ''),
      });
      if (method === 'DELETE') return reply.code(204).send();
      return reply.code(202).send({ id: fake.world.deployments[0]?.id, url: '', position: 0 });
    },
  });
}

const TARGETS = [
  {
    tag: 'rel-2026.11.19.09.00.00',
    release: commit('add5eed'),
    verified: true,
    by: 'carol',
    at: ago(7 * DAY),
  },
  {
    tag: 'rel-2026.11.12.09.00.00',
    release: commit('5eaf00d'),
    verified: true,
    by: 'bob',
    at: ago(14 * DAY),
  },
];

interface Asked {
  kind: Shown['kind'];
  app: string;
  environment?: string;
  tag?: string;
}

/** Of an approval what its promotion brings, of a rollback what the last one brought; else no commit. */
function planOf(
  { queues, places }: FakeWorld,
  { kind, app, environment = 'production', tag = '' }: Asked,
): Shown {
  const queue = queues.find((one) => one.app === app);
  const current = kind === 'promotion' ? queue?.current : undefined;
  const back = kind === 'rollback';
  const merges = current?.merges ?? (back ? queue?.recent[0]?.merges : undefined) ?? [];
  const commits = [...merges].reverse();
  const place = places.find((one) => one.app === app && one.environment === environment);
  const before = place?.release ?? '';
  const release = current?.release ?? TARGETS.find((one) => one.tag === tag)?.release ?? tag;
  return {
    ...{ kind, app, environment, release, before, commits, commitCount: commits.length, back },
    images: imagesOf(app, { release: before, tag: place?.tag }, { release, tag: current?.release ?? tag }),
    variables: { added: ['SEARCH_COLLECTIONS'], removed: ['OLD_SEARCH_URL'], changed: [] },
    secrets: { added: [], removed: [], changed: [] },
    ...(current?.tests ? { tests: current.tests } : {}),
    warnings: [],
  };
}
