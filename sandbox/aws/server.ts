/**
 * A stand-in for AWS on this machine: ECS and ECR over their wire protocol, a registry, a load balancer.
 * The clients that use it are the real SDK's.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { answerAws, withFaults } from './aws-api.js';
import type { Api } from './aws-api.js';
import { CallLog } from './calls.js';
import { inProcess } from './containers.js';
import { createControl } from './control.js';
import type { Control, ServiceInput } from './control.js';
import { createDockerRunner } from './docker-containers.js';
import { ecrOperations } from './ecr.js';
import { Faults } from './faults.js';
import { ImageStore } from './image-store.js';
import type { ImageInput } from './images.js';
import { createLoadBalancer } from './load-balancer.js';
import { readBody, sendJson } from './protocol.js';
import { createRegistry } from './registry.js';
import { startClock } from './rollout.js';
import { serviceDeploymentOperations, tagOperations } from './service-deployments.js';
import { serviceOperations } from './services.js';
import { alive, DEFAULT_BEHAVIOUR, DEFAULT_TIMINGS } from './state.js';
import type { Behaviour, Timings, World } from './state.js';
import { taskDefinitionOperations } from './task-definitions.js';
import { taskOperations } from './tasks.js';
import { assumeRole } from './sts.js';

export interface Seed {
  repositories?: string[];
  images?: ImageInput[];
  taskDefinitions?: RegisterTaskDefinitionCommandInput[];
  services?: ServiceInput[];
}

export interface AwsStandInOptions {
  /** 0, the default: any free one. */
  port?: number;
  /** Containers are real ones, of the images pushed here; needs a Docker daemon. */
  docker?: boolean;
  seed?: Seed;
  timings?: Partial<Timings>;
  /** Of every service that is made. */
  behaviour?: Partial<Behaviour>;
  region?: string;
}

export interface AwsStandIn extends Control {
  /** For `AWS_ENDPOINT_URL`. */
  url: string;
  /** `host:port` for image references. */
  registry: string;
  /** The address of a service, as its load balancer's. */
  serviceUrl(ref: { cluster: string; service: string }): string;
  close(): Promise<void>;
}

const ACCOUNT = '000000000000';

export async function startAwsStandIn(options: AwsStandInOptions = {}): Promise<AwsStandIn> {
  const world: World = {
    region: options.region ?? 'us-east-1',
    account: ACCOUNT,
    timings: { ...DEFAULT_TIMINGS, ...options.timings },
    behaviour: { ...DEFAULT_BEHAVIOUR, ...options.behaviour },
    clusters: new Map(),
    taskDefinitions: new Map(),
    services: new Map(),
    images: new ImageStore(),
    runner: options.docker ? await createDockerRunner() : inProcess,
    calls: new CallLog(),
  };
  const faults = new Faults();
  const control = createControl(world, faults);
  let registry = '';
  const handle = createHandler({ world, faults, control, registry: () => registry });
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, { message: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  registry = `localhost:${port}`;
  for (const host of [registry, `127.0.0.1:${port}`, `${ACCOUNT}.dkr.ecr.${world.region}.amazonaws.com`])
    world.images.hosts.add(host);
  plant(control, options.seed ?? {});
  const clock = startClock(world);
  const url = `http://127.0.0.1:${port}`;
  return {
    ...control,
    url,
    registry,
    serviceUrl: ({ cluster, service }) => `${url}/_services/${cluster}/${service}`,
    close: async () => {
      clock.stop();
      const running = [...world.services.values()].flatMap((service) => service.tasks.filter(alive));
      await Promise.allSettled(running.map(async (task) => task.running?.stop()));
      await world.runner.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function plant(control: Control, seed: Seed): void {
  seed.repositories?.forEach((repository) => control.repository({ repository }));
  seed.images?.forEach((input) => control.image(input));
  seed.taskDefinitions?.forEach((input) => control.taskDefinition(input));
  seed.services?.forEach((input) => control.service(input));
}

interface Parts {
  world: World;
  faults: Faults;
  control: Control;
  registry: () => string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function createHandler(parts: Parts): Handler {
  const { world } = parts;
  const ecs = {
    ...serviceOperations(world),
    ...taskDefinitionOperations(world),
    ...taskOperations(world),
    ...serviceDeploymentOperations(world),
    ...tagOperations(world),
  };
  const ecr = ecrOperations(world, parts.registry);
  const api: Api = { operations: { ecs, ecr }, faults: parts.faults, calls: world.calls };
  const balance = createLoadBalancer(world);
  const images = withFaults(api, createRegistry(world.images));
  return async (request, response) => {
    const path = request.url ?? '/';
    if (path.startsWith('/_services/')) return balance(request, response);
    if (path.startsWith('/_sandbox/')) return steer(parts.control, request, response);
    if (path.startsWith('/v2')) return images(request, response);
    if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
      return assumeRole(request, response, world.account);
    return answerAws(api, request, response);
  };
}

/** `POST /_sandbox/{method}` with the method's one argument as JSON; GET for those without. */
async function steer(control: Control, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = (request.url ?? '').slice('/_sandbox/'.length).split('?')[0] ?? '';
  const methods = control as unknown as Record<string, (input: unknown) => unknown>;
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (!method) return sendJson(response, 404, { message: `one of: ${Object.keys(methods).join(', ')}` });
  try {
    const body = (await readBody(request)).toString('utf8');
    sendJson(response, 200, method(body ? JSON.parse(body) : undefined));
  } catch (error) {
    sendJson(response, 400, { message: error instanceof Error ? error.message : String(error) });
  }
}
