/** What tests and the demo steer: in the process by method, from others by `POST /_sandbox/{method}`. */
import type {
  DeploymentConfiguration,
  RegisterTaskDefinitionCommandInput,
  UpdateServiceCommandInput,
} from '@aws-sdk/client-ecs';
import type { Call } from './calls.js';
import type { Fault, FaultInput, Faults } from './faults.js';
import { makeImage } from './images.js';
import type { ImageInput, MadeImage } from './images.js';
import { createService, deactivate, ensureCluster, updateService } from './services.js';
import { addEvent, alive, primaryOf, serving, wanted } from './state.js';
import type { Behaviour, EventTarget, ServiceRecord, StartedBy, Timings, World } from './state.js';
import { findTaskDefinition, registerTaskDefinition } from './task-definitions.js';

export interface ServiceRef {
  cluster: string;
  service: string;
}

export interface ServiceInput extends ServiceRef {
  /** Family, `family:revision` or ARN; or a definition to register first. */
  taskDefinition: string | RegisterTaskDefinitionCommandInput;
  /** Tasks (default 2). */
  desired?: number;
  /** Circuit breaker: with rollback (default), without, or none. */
  breaker?: 'rollback' | 'stop' | 'none';
  deploymentConfiguration?: DeploymentConfiguration;
  behaviour?: Partial<Behaviour>;
}

export interface Began {
  deployment: string;
  revision: string;
  by: StartedBy;
  at: number;
}

export interface Standing {
  /** Since when it is stable (ms since the epoch); absent: it is not. */
  stableAt?: number;
  deployment?: string;
  revision?: string;
  desired: number;
  /** Healthy tasks that the load balancer serves. */
  serving: number;
  /** All that ever began, oldest first. */
  history: Began[];
}

export interface Control {
  /** Makes it where it is not there; nothing can be pushed to a repository before. */
  repository(input: { repository: string }): void;
  /** Makes an image without building, and its repository. */
  image(input: ImageInput): MadeImage;
  taskDefinition(input: RegisterTaskDefinitionCommandInput): { arn: string; revision: number };
  /** Makes a cluster and a service; it rolls out on the clock like any other. */
  service(input: ServiceInput): { arn: string };
  /** A deployment by somebody else: not in the call log. */
  deploy(input: ServiceRef & { taskDefinition?: string; force?: boolean }): { deployment: string };
  scale(input: ServiceRef & { desired: number }): void;
  behave(input: ServiceRef & { behaviour: Partial<Behaviour> }): Behaviour;
  timings(input: Partial<Timings>): Timings;
  emitEvents(input: ServiceRef & { count: number; message?: string; copies?: number }): void;
  /** `inactive`: deleted, still shown; `gone`: as if it had never been. */
  removeService(input: ServiceRef & { how?: 'inactive' | 'gone' }): void;
  fault(input: FaultInput): Fault;
  faults(): Fault[];
  clearFaults(input?: { id?: number }): void;
  calls(input?: { operation?: string; since?: number }): Call[];
  counts(input?: { since?: number }): Record<string, number>;
  resetCalls(): void;
  /** From now on deployment events are sent there, as EventBridge sends them to an API destination. */
  eventsTo(input: EventTarget): void;
  standing(input: ServiceRef): Standing;
  /** Revisions of a family that were ever registered: ARNs, oldest first. */
  revisions(input: { family: string }): string[];
}

function serviceOf(world: World, { cluster, service }: ServiceRef): ServiceRecord {
  const found = world.services.get(`${cluster}/${service}`);
  if (!found) throw new Error(`No service ${service} in cluster ${cluster}`);
  return found;
}

const BREAKERS = {
  rollback: { enable: true, rollback: true },
  stop: { enable: true, rollback: false },
  none: { enable: false, rollback: false },
} as const;

function standingOf(service: ServiceRecord): Standing {
  const primary = primaryOf(service);
  return {
    stableAt: service.stableAt,
    deployment: primary?.id,
    revision: primary?.taskDefinition,
    desired: service.desired,
    serving: service.tasks.filter(serving).length,
    history: service.history.map((one) => ({
      deployment: one.id,
      revision: one.taskDefinition,
      by: one.by,
      at: one.createdAt,
    })),
  };
}

function makeService(world: World, input: ServiceInput): { arn: string } {
  const { taskDefinition: definition } = input;
  const taskDefinition =
    typeof definition === 'string' ? definition : registerTaskDefinition(world, definition).arn;
  ensureCluster(world, input.cluster);
  const service = createService(world, {
    cluster: input.cluster,
    serviceName: input.service,
    taskDefinition,
    desiredCount: input.desired ?? 2,
    deploymentConfiguration: {
      deploymentCircuitBreaker: BREAKERS[input.breaker ?? 'rollback'],
      ...input.deploymentConfiguration,
    },
  });
  Object.assign(service.behaviour, input.behaviour);
  return { arn: service.arn };
}

function emit(service: ServiceRecord, input: { count: number; message?: string; copies?: number }): void {
  for (let at = 1; at <= input.count; at += 1) {
    addEvent(service, `${input.message ?? 'has reached a steady state.'}${input.message ? ` ${at}` : ''}`);
    const [made] = service.events;
    for (let copy = 1; made && copy < (input.copies ?? 1); copy += 1) service.events.unshift({ ...made });
  }
}

function remove(world: World, service: ServiceRecord, how: 'inactive' | 'gone'): void {
  deactivate(service);
  if (how === 'inactive') return;
  for (const task of service.tasks.filter(alive)) void task.running?.stop().catch(() => undefined);
  world.services.delete(`${service.cluster}/${service.name}`);
}

export function createControl(world: World, faults: Faults): Control {
  return {
    repository: ({ repository }) => {
      if (!world.images.repository(repository)) world.images.createRepository(repository);
    },
    image: (input) => makeImage(world.images, input),
    taskDefinition: (input) => {
      const { arn, revision } = registerTaskDefinition(world, input);
      return { arn, revision };
    },
    service: (input) => makeService(world, input),
    deploy: ({ cluster, service, taskDefinition, force }) => {
      const definition = taskDefinition && findTaskDefinition(world, taskDefinition)?.arn;
      const input: UpdateServiceCommandInput = {
        cluster,
        service,
        taskDefinition: definition ?? taskDefinition,
        forceNewDeployment: force,
      };
      return { deployment: primaryOf(updateService(world, input, 'sandbox'))?.id ?? '' };
    },
    scale: ({ desired, ...ref }) => {
      const service = serviceOf(world, ref);
      service.desired = desired;
      if (service.tasks.filter(wanted).length !== desired) service.stableAt = undefined;
    },
    behave: ({ behaviour, ...ref }) => Object.assign(serviceOf(world, ref).behaviour, behaviour),
    timings: (input) => Object.assign(world.timings, input),
    emitEvents: (input) => emit(serviceOf(world, input), input),
    removeService: ({ how = 'inactive', ...ref }) => remove(world, serviceOf(world, ref), how),
    fault: (input) => faults.add(input),
    faults: () => faults.list(),
    clearFaults: (input) => faults.clear(input),
    calls: (input) => world.calls.list(input),
    counts: (input) => world.calls.counts(input),
    eventsTo: (input) => {
      world.events = input;
    },
    resetCalls: () => world.calls.reset(),
    standing: (input) => standingOf(serviceOf(world, input)),
    revisions: ({ family }) => (world.taskDefinitions.get(family) ?? []).map((record) => record.arn),
  };
}
