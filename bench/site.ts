/** The sandbox's real processes with as many services as a measurement needs, and what it asks of them. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowClient } from '@temporalio/client';
import { parse, stringify } from 'yaml';
import { createTemporal } from '../clients/temporal.js';
import type { DeploymentView } from '../domain/view.js';
import type { ServiceRef, Standing, Timings } from '../sandbox/aws/index.js';
import { clusterOf, PEOPLE, SERVICES } from '../sandbox/settings.js';
import type { Stack } from '../sandbox/stack.js';
import { startStack } from '../sandbox/stack.js';

/** One service: an app of its own in staging, or one of the sandbox's. */
export interface Lane {
  app: string;
  environment: string;
  ref: ServiceRef;
  repositories: string[];
}

export interface BenchOptions {
  /** As many apps with one service each, besides the sandbox's own. */
  apps?: number;
  /** Lane by lane: what its builds run before Docker does (`prepare`). */
  prepare?: (string[] | undefined)[];
  /** Merged into `limits` of `sluice.yaml`. */
  limits?: Record<string, string | number>;
  timings?: Partial<Timings>;
  /** Changes the text of `sluice.yaml`, at last. */
  configure?: (text: string) => string;
}

export interface Bench extends Stack {
  /** The made ones. */
  lanes: Lane[];
  client: Client;
  /** The client's. */
  workflows: WorkflowClient;
  /** With alice's token; sent again after 503, with the same key. @throws unless it is answered with 2xx */
  ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T>;
  /** Images that were never built. @returns their tag */
  images(lane: Lane): string;
  /** Times are epoch milliseconds. @throws unless it was accepted */
  deploy(lane: Lane, what: { tag: string } | { commit: string }): Promise<Accepted>;
  read(id: string): Promise<DeploymentView>;
  standing(lane: Lane): Standing;
  /** @throws unless it ends as succeeded and verified */
  succeeded(id: string, withinMs?: number): Promise<DeploymentView>;
}

export interface Accepted {
  id: string;
  /** How often it was sent: 503 says that the answer did not come in time. */
  sent: number;
  sentAt: number;
  answeredAt: number;
}

/** Two images, as the app `api` of Openverse has. */
export const API_LANES: Lane[] = ['staging', 'production'].map((environment) => ({
  app: 'api',
  environment,
  ref: { cluster: clusterOf(environment), service: `${environment}-api` },
  repositories: Object.values(SERVICES.api.containers),
}));

const REPOSITORY = 'bench';
const PATIENCE_MS = 180_000;
const MOST_SENT = 10;

/** @throws with what was waited for */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { everyMs = 50, withinMs = PATIENCE_MS } = {},
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`Waited ${withinMs / 1000} s in vain: ${what}`);
    await sleep(everyMs);
  }
}

/** Without Docker: its time is not ours. */
export async function withBench<T>(options: BenchOptions, work: (bench: Bench) => Promise<T>): Promise<T> {
  const { apps = 0, limits = {}, prepare = [], timings = {}, configure = (text) => text } = options;
  const lanes = Array.from({ length: apps }, (_, at) => laneOf(`app${String(at + 1).padStart(3, '0')}`));
  const stack = await startStack({
    ...{ docker: false, timings },
    configure: (text) => configure(configured(text, { lanes, limits, prepare })),
  });
  const temporal = createTemporal({ address: stack.temporal.address });
  try {
    const bench = benchOf(stack, lanes, temporal.client);
    plant(bench);
    await until('all services are stable', () =>
      [...lanes, ...API_LANES].every((lane) => bench.standing(lane).stableAt !== undefined),
    );
    return await work(bench);
  } finally {
    await temporal.close();
    await stack.close();
  }
}

const laneOf = (app: string): Lane => ({
  app,
  environment: 'staging',
  ref: { cluster: clusterOf('staging'), service: `staging-${app}` },
  repositories: [REPOSITORY],
});

interface SluiceYaml {
  apps: Record<string, { environments?: { staging?: { url: string } } }>;
  limits: Record<string, string | number>;
}

function configured(
  text: string,
  { lanes, limits, prepare }: Required<Pick<BenchOptions, 'limits' | 'prepare'>> & { lanes: Lane[] },
): string {
  const config = parse(text) as SluiceYaml;
  const base = config.apps['api']?.environments?.staging?.url.replace(/\/[^/]+$/, '');
  const made = lanes.map(({ app, ref: { service } }, at): [string, object] => {
    const url = `${base}/${service}`;
    const images = [{ container: 'web', repository: REPOSITORY, context: 'frontend' }];
    const staging = { service, url, versionUrl: `${url}/version.json` };
    const before = prepare[at] ? { prepare: prepare[at] } : {};
    return [app, { paths: [`${app}/**`], images, environments: { staging }, ...before }];
  });
  return stringify({
    ...config,
    apps: { ...config.apps, ...Object.fromEntries(made) },
    limits: { ...config.limits, ...limits },
  });
}

function plant({ aws, lanes }: Bench): void {
  if (lanes.length === 0) return;
  aws.image({ repository: REPOSITORY, tag: 'first', release: 'first' });
  for (const { ref } of lanes) {
    const definition = {
      networkMode: 'bridge' as const,
      containerDefinitions: [
        {
          ...{ name: 'web', image: `${aws.registry}/${REPOSITORY}:first`, essential: true, memory: 64 },
          portMappings: [{ containerPort: 8080, hostPort: 0 }],
        },
      ],
    };
    aws.taskDefinition({ ...definition, family: `${ref.service}-template` });
    aws.service({ ...ref, taskDefinition: { ...definition, family: ref.service }, desired: 2 });
  }
}

function benchOf(stack: Stack, lanes: Lane[], client: Client): Bench {
  const { aws, apiUrl } = stack;
  const authorization = `Bearer ${PEOPLE.alice.token}`;
  const ask: Bench['ask'] = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const key = randomBytes(12).toString('hex');
    const headers = {
      authorization,
      ...(body ? { 'content-type': 'application/json', 'idempotency-key': key } : {}),
    };
    for (let sent = 1; ; sent += 1) {
      const response = await fetch(`${apiUrl}${path}`, {
        ...{ method, headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text) as T;
      if (response.status !== 503 || sent === MOST_SENT)
        throw new Error(`${method} ${path}: ${response.status} ${text}`);
      await sleep(500);
    }
  };
  const read: Bench['read'] = (id) => ask<DeploymentView>('GET', `/api/deployments/${id}`);
  return {
    ...stack,
    ...{ lanes, client, ask, read },
    workflows: client.workflow,
    images: ({ repositories }) => {
      const tag = randomBytes(20).toString('hex');
      for (const repository of repositories) aws.image({ repository, tag, release: tag });
      return tag;
    },
    deploy: async ({ app, environment }, what) => {
      const sentAt = Date.now();
      const key = randomBytes(12).toString('hex');
      const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': key };
      const body = JSON.stringify({ app, environment, ...what });
      for (let sent = 1; ; sent += 1) {
        const response = await fetch(`${apiUrl}/api/deployments`, { method: 'POST', headers, body });
        const answeredAt = Date.now();
        const text = await response.text();
        if (response.status === 202)
          return { id: (JSON.parse(text) as { id: string }).id, sent, sentAt, answeredAt };
        // As it says itself: the same key is safe to send again.
        if (response.status !== 503 || sent === MOST_SENT)
          throw new Error(`Not accepted: ${response.status} ${text}`);
        await sleep(500);
      }
    },
    standing: ({ ref }) => aws.standing(ref),
    succeeded: async (id, withinMs = PATIENCE_MS) => {
      const isOver = async (): Promise<DeploymentView | false> => {
        const view = await read(id);
        return view.state === 'finished' && view;
      };
      const view = await until(`${id} ends`, isOver, { everyMs: 500, withinMs });
      if (view.outcome === 'succeeded' && view.verified) return view;
      throw new Error(`${id} did not succeed: ${view.outcome}, ${view.failure?.message ?? 'not verified'}`);
    },
  };
}
