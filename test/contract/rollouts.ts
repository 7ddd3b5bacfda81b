/** What the contract's cases share: definitions, services, and reads of a rollout. */
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { Deployment, Service, Tag, Task } from '@aws-sdk/client-ecs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Emulator } from './emulators.js';

export const CLUSTER = 'staging';

export interface Read {
  /** Milliseconds since the epoch, when it was asked. */
  at: number;
  service: Service;
}

interface DefinitionInput {
  family: string;
  image: string;
  tags?: Tag[];
}

/** Gives the ARN. */
export async function register({ ecs }: Emulator, { family, image, tags }: DefinitionInput): Promise<string> {
  const { taskDefinition } = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      networkMode: 'bridge',
      containerDefinitions: [
        {
          name: 'django',
          image,
          essential: true,
          memory: 64,
          portMappings: [{ containerPort: 8080, hostPort: 0 }],
          environment: [{ name: 'EMPTY', value: '' }],
        },
      ],
      tags,
    }),
  );
  return taskDefinition?.taskDefinitionArn ?? '';
}

interface ServiceInput {
  name: string;
  taskDefinition: string;
  desired?: number;
  breaker?: { enable: boolean; rollback: boolean };
}

export async function createService({ ecs }: Emulator, input: ServiceInput): Promise<void> {
  await ecs.send(new CreateClusterCommand({ clusterName: CLUSTER }));
  await ecs.send(
    new CreateServiceCommand({
      cluster: CLUSTER,
      serviceName: input.name,
      taskDefinition: input.taskDefinition,
      desiredCount: input.desired ?? 2,
      deploymentConfiguration: {
        minimumHealthyPercent: 100,
        maximumPercent: 200,
        deploymentCircuitBreaker: input.breaker ?? { enable: true, rollback: true },
      },
    }),
  );
}

export async function update({ ecs }: Emulator, name: string, taskDefinition: string): Promise<Service> {
  const { service } = await ecs.send(
    new UpdateServiceCommand({ cluster: CLUSTER, service: name, taskDefinition }),
  );
  if (!service) throw new Error('UpdateService answered no service');
  return service;
}

export async function read({ ecs }: Emulator, name: string): Promise<Read> {
  const at = Date.now();
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster: CLUSTER, services: [name] }));
  const service = services?.[0];
  if (!service) throw new Error(`No service ${name}`);
  return { at, service };
}

/** Reads until one is as wanted; gives all reads that differ from the one before. */
export async function readUntil(
  emulator: Emulator,
  name: string,
  done: (service: Service) => boolean,
  withinMs = 90_000,
): Promise<Read[]> {
  const reads: Read[] = [];
  const until = Date.now() + withinMs;
  let last = '';
  while (Date.now() < until) {
    const one = await read(emulator, name);
    const text = JSON.stringify(one.service);
    if (text !== last) reads.push(one);
    last = text;
    if (done(one.service)) return reads;
    await sleep(emulator.name === 'stand-in' ? 20 : 100);
  }
  throw new Error(`${name} did not become as wanted within ${withinMs} ms: ${last.slice(0, 2_000)}`);
}

export const primary = (service: Service): Deployment | undefined =>
  service.deployments?.find((deployment) => deployment.status === 'PRIMARY');

/** PRIMARY has won on `revision` and no other deployment has tasks. */
export const settledOn =
  (revision: string) =>
  (service: Service): boolean => {
    const first = primary(service);
    const others = service.deployments?.filter((one) => one !== first) ?? [];
    return (
      first?.taskDefinition === revision &&
      first.rolloutState === 'COMPLETED' &&
      first.runningCount === service.desiredCount &&
      others.every((one) => (one.runningCount ?? 0) + (one.pendingCount ?? 0) === 0)
    );
  };

export async function tasks(
  { ecs }: Emulator,
  name: string,
  desiredStatus: 'RUNNING' | 'STOPPED',
): Promise<Task[]> {
  const { taskArns = [] } = await ecs.send(
    new ListTasksCommand({ cluster: CLUSTER, serviceName: name, desiredStatus }),
  );
  if (taskArns.length === 0) return [];
  return (await ecs.send(new DescribeTasksCommand({ cluster: CLUSTER, tasks: taskArns }))).tasks ?? [];
}
