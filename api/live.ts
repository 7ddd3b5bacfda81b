/** What the environments say of themselves at this moment: ECS's counts and the version endpoints. */
import type { ECSClient, Service } from '@aws-sdk/client-ecs';
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import type { Config } from '../domain/config/config.js';
import type { Warning } from '../domain/deployment.js';
import { cached } from './cache.js';

export interface ServiceState {
  /** Task definition ARN of the PRIMARY deployment. */
  revision?: string;
  /** Tasks. */
  desired?: number;
  running?: number;
  pending?: number;
  /** PRIMARY is all there is, and has come to its end. */
  settled?: boolean;
  warnings: Warning[];
}

export interface VersionState {
  release?: string;
  warnings: Warning[];
}

export interface Live {
  /** App → its service; what cannot be read is a warning, never an error. */
  services(environment: string): Promise<Map<string, ServiceState>>;
  version(url: string): Promise<VersionState>;
}

/** People look more often than tasks change. */
const KEPT_MS = 2_000;
const WITHIN_MS = 2_000;
/** ECS takes no more in one call. */
const BATCH = 10;
/** A version endpoint answers a line, not a page. */
const ANSWER_CHARS = 64 * 1024;

export function createLive(of: { config: Config; ecs: (environment: string) => ECSClient }): Live {
  return {
    services: cached(KEPT_MS, (environment) => readServices({ ...of, environment })),
    version: cached(KEPT_MS, readVersion),
  };
}

async function readServices(of: {
  config: Config;
  ecs: (environment: string) => ECSClient;
  environment: string;
}): Promise<Map<string, ServiceState>> {
  const { config, environment } = of;
  const named = Object.entries(config.apps).flatMap(([app, { environments }]) => {
    const service = Object.hasOwn(environments, environment) ? environments[environment]?.service : undefined;
    return service ? [{ app, service }] : [];
  });
  const batches = Array.from({ length: Math.ceil(named.length / BATCH) }, (_, index) =>
    named.slice(index * BATCH, (index + 1) * BATCH),
  );
  const read = await Promise.all(batches.map((batch) => readBatch({ ...of, batch })));
  return new Map(read.flat());
}

async function readBatch(of: {
  config: Config;
  ecs: (environment: string) => ECSClient;
  environment: string;
  batch: { app: string; service: string }[];
}): Promise<[string, ServiceState][]> {
  const { batch, environment } = of;
  const cluster = of.config.environments[environment]?.cluster;
  try {
    const { services = [] } = await of
      .ecs(environment)
      .send(new DescribeServicesCommand({ cluster, services: batch.map(({ service }) => service) }), {
        abortSignal: AbortSignal.timeout(WITHIN_MS),
      });
    return batch.map(({ app, service }) => [
      app,
      stateOf(
        services.find(({ serviceName }) => serviceName === service),
        service,
      ),
    ]);
  } catch (error) {
    const message = `ECS in ${environment} could not be read (${error instanceof Error ? error.name : 'unknown'})`;
    return batch.map(({ app }) => [app, { warnings: [{ code: 'AWS_DOWN', message }] }]);
  }
}

function stateOf(service: Service | undefined, name: string): ServiceState {
  if (!service || service.status !== 'ACTIVE') {
    const message = `The service ${name} does not exist or is not active`;
    return { warnings: [{ code: 'SERVICE_GONE', message }] };
  }
  const primary = service.deployments?.find(({ status }) => status === 'PRIMARY');
  const revision = primary?.taskDefinition ?? service.taskDefinition;
  return {
    ...(revision ? { revision } : {}),
    desired: service.desiredCount ?? 0,
    running: service.runningCount ?? 0,
    pending: service.pendingCount ?? 0,
    settled: isSettled(service),
    warnings: [],
  };
}

/** Services whose deployments have no `rolloutState` are settled once every task of PRIMARY runs. */
function isSettled({ deployments = [] }: Service): boolean {
  const [primary, ...others] = deployments;
  if (!primary || others.length > 0) return false;
  if (primary.rolloutState) return primary.rolloutState === 'COMPLETED';
  return primary.runningCount === primary.desiredCount;
}

async function readVersion(url: string): Promise<VersionState> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(WITHIN_MS),
      headers: { accept: 'application/json', 'cache-control': 'no-cache' },
    });
    const text = await response.text();
    if (!response.ok) return noAnswer(`The version endpoint answers ${response.status}`);
    if (text.length > ANSWER_CHARS) return noAnswer('The version endpoint answers more than a version');
    const body: unknown = JSON.parse(text);
    const release = typeof body === 'object' && body !== null && 'release' in body ? body.release : undefined;
    return typeof release === 'string' && release !== ''
      ? { release: release.slice(0, 200), warnings: [] }
      : noAnswer('The version endpoint reports no release');
  } catch {
    return noAnswer('The version endpoint does not answer');
  }
}

const noAnswer = (message: string): VersionState => ({ warnings: [{ code: 'NO_ANSWER', message }] });
