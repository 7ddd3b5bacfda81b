/** An API for a test file: the real application on the run's Temporal, with people and services from a list. */
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { FastifyBaseLogger, FastifyInstance, InjectOptions } from 'fastify';
import { buildApi } from '../../api/app.js';
import type { ApiDeps } from '../../api/context.js';
import { createLive } from '../../api/live.js';
import { createMetrics } from '../../api/metrics.js';
import type { Identities } from '../../clients/identity.js';
import { createTemporal, type Temporal } from '../../clients/temporal.js';
import type { Config } from '../../domain/config/config.js';

const service = (name: string) => ({ service: name, template: `${name}-template`, family: name });

export const config = (change: Partial<Config> = {}): Config => ({
  repository: { owner: 'acme', name: 'shop', branch: 'main', cloneUrl: 'https://example.test/acme/shop' },
  maintainers: { org: 'acme', team: 'maintainers' },
  access: { read: 'maintainers', logs: 'maintainers', oauthClients: [] },
  aws: { region: 'us-east-1' },
  environments: {
    staging: { cluster: 'staging-default', region: 'us-east-1' },
    production: { cluster: 'production-default', region: 'us-east-1' },
  },
  apps: {
    api: {
      ...app({ staging: service('staging-api'), production: service('production-api') }),
      promotion: {
        ...{ queue: 'latest', approval: 'required' },
        ...{ remindAfterMs: 3_600_000, escalateAfterMs: 86_400_000 },
      },
    },
    frontend: app({ staging: service('staging-frontend') }),
    ingestion_server: { ...app({}), releaseOnly: true },
  },
  limits: { tellAfterMs: 900_000, giveUpAfterMs: 3_600_000, verifyMs: 120_000, callsPerSecond: 5 },
  slack: { users: {} },
  releaseNotes: {
    label: 'x',
    exclude: [],
    sections: [],
    changelogPath: 'CHANGELOG.md',
    pullRequestLabels: [],
  },
  ...change,
});

const app = (environments: Config['apps'][string]['environments']): Config['apps'][string] => ({
  paths: ['api/**'],
  images: [],
  environments,
  releaseOnly: false,
  build: 'sluice',
  prepare: [],
});

/** `t-alice` and `t-bob` are maintainers, `t-eve` is nobody's; with `t-down`, GitHub does not answer. */
export const identities: Identities = {
  identify: async (token) => {
    if (token === 't-down') return { kind: 'github-down', message: 'GitHub does not answer' };
    if (token === 't-broken')
      return { kind: 'misconfigured', message: 'GITHUB_TOKEN secret-detail is not set' };
    const login = /^t-(alice|bob|eve)$/.exec(token)?.[1];
    return login
      ? { kind: 'known', login, askedAt: Date.now() }
      : { kind: 'unauthenticated', message: 'GitHub does not take this token' };
  },
  isMaintainer: async (login) => ({
    kind: login === 'eve' ? 'not-a-member' : 'member',
    askedAt: Date.now(),
  }),
};

/** ECS answers with one service, and counts how often it is asked. */
export function fakeEcs(services: object[] = []): { ecs: () => ECSClient; calls: object[] } {
  const calls: object[] = [];
  const client = {
    send: async (command: { input: object }) => {
      calls.push(command.input);
      return { services };
    },
  };
  return { ecs: () => client as unknown as ECSClient, calls };
}

export interface Harness {
  app: FastifyInstance;
  temporal: Temporal;
  /** As alice, unless told otherwise. */
  call(
    options: InjectOptions & { as?: string | null },
  ): Promise<{ status: number; body: unknown; text: string }>;
  close(): Promise<void>;
}

export async function harness(of: {
  address: string;
  namespace?: string;
  deps?: Partial<ApiDeps> & { logger?: FastifyBaseLogger };
}): Promise<Harness> {
  const temporal = createTemporal({ address: of.address, namespace: of.namespace ?? 'default' });
  const settings = of.deps?.config ?? config();
  const app = await buildApi({
    config: settings,
    temporal,
    identities,
    live: createLive({ config: settings, ecs: fakeEcs().ecs }),
    releaseTags: async () => ({ items: [], warnings: [] }),
    metrics: createMetrics(),
    release: 'r1',
    ...of.deps,
  });
  return {
    app,
    temporal,
    async call({ as = 't-alice', headers, ...options }) {
      const response = await app.inject({
        ...options,
        headers: { ...(as === null ? {} : { authorization: `Bearer ${as}` }), ...headers },
      });
      const text = response.body;
      const isJson = String(response.headers['content-type'] ?? '').includes('json');
      return { status: response.statusCode, body: isJson ? JSON.parse(text) : text, text };
    },
    async close() {
      await app.close();
      await temporal.close();
    },
  };
}
