/** The calls to ECS for one service of the configuration, each sent once, its errors as failures with a code. */
import type { Service, Tag, Task, TaskDefinition } from '@aws-sdk/client-ecs';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { Context } from '@temporalio/activity';
import type { Aws } from '../../clients/aws.js';
import type { AppConfig, Config, ServiceConfig } from '../../domain/config/config.js';
import type { Target } from '../../domain/deployment.js';
import { patiently, unlessThrottled } from '../aws-again.js';
import { awsErrorName, awsFailure } from '../aws-errors.js';
import { refuse } from '../failure.js';
import type { ServiceKey } from './reader.js';

export interface EcsService {
  app: AppConfig;
  settings: ServiceConfig;
  cluster: string;
  service: string;
  key: ServiceKey;
  client: ECSClient;
}

/** The configured service of a target. Reads of it end when their activity is cancelled. */
export function serviceOf(deps: { config: Config; aws: Pick<Aws, 'ecs'> }, target: Target): EcsService {
  const { config, aws } = deps;
  const app = config.apps[target.app];
  const settings = app?.environments[target.environment];
  const environment = config.environments[target.environment];
  if (!app || !settings || !environment) {
    throw refuse('NOT_FOUND', `sluice.yaml names no service of ${target.app} in ${target.environment}`);
  }
  const { cluster, region, roleArn } = environment;
  const { service } = settings;
  return {
    app,
    settings,
    cluster,
    service,
    key: {
      environment: target.environment,
      group: [roleArn ?? '', region, cluster].join(' '),
      cluster,
      service,
    },
    client: aws.ecs(target.environment),
  };
}

/** Ends a read with its activity; a write is never cut short. */
const untilCancelled = (): { abortSignal: AbortSignal } => ({
  abortSignal: Context.current().cancellationSignal,
});

/** @returns undefined where ECS does not know it. */
export async function describeService(ecs: EcsService): Promise<Service | undefined> {
  const { client, cluster, service } = ecs;
  try {
    const answer = await patiently(() =>
      client.send(new DescribeServicesCommand({ cluster, services: [service] }), untilCancelled()),
    );
    return answer.services?.[0];
  } catch (error) {
    if (awsErrorName(error) === 'ClusterNotFoundException') return undefined;
    throw awsFailure(error, 'DescribeServices');
  }
}

/** @throws ApplicationFailure `SERVICE_GONE` */
export async function activeService(ecs: EcsService): Promise<Service> {
  const service = await describeService(ecs);
  if (service?.status === 'ACTIVE') return service;
  const words = service ? `is ${service.status}` : 'does not exist';
  throw refuse('SERVICE_GONE', `The service ${ecs.service} in cluster ${ecs.cluster} ${words}`);
}

export interface Revision {
  definition: TaskDefinition;
  tags: Tag[];
}

/** @param name ARN, `family:revision`, or a family for its latest ACTIVE one. @returns undefined: no such. */
export async function describeRevision(ecs: EcsService, name: string): Promise<Revision | undefined> {
  try {
    const command = new DescribeTaskDefinitionCommand({ taskDefinition: name, include: ['TAGS'] });
    const answer = await patiently(() => ecs.client.send(command, untilCancelled()));
    return answer.taskDefinition && { definition: answer.taskDefinition, tags: answer.tags ?? [] };
  } catch (error) {
    // What ECS says of one that it does not have; it has no name of its own for it.
    if (awsErrorName(error) === 'ClientException') return undefined;
    throw awsFailure(error, 'DescribeTaskDefinition');
  }
}

export const tagValue = (tags: readonly Tag[], key: string): string | undefined =>
  tags.find((tag) => tag.key === key)?.value;

/** `family` and number of a revision's ARN. */
export function parseRevision(arn: string): { family: string; number: number } {
  const name = arn.split('/').at(-1) ?? arn;
  const colon = name.lastIndexOf(':');
  return { family: name.slice(0, colon), number: Number(name.slice(colon + 1)) };
}

/** More pages than these are other families' whose names begin alike. */
const MOST_PAGES = 5;

/** ACTIVE revisions of exactly this family, newest first, at most `limit`. */
export async function newestRevisions(ecs: EcsService, family: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MOST_PAGES && found.length < limit; page++) {
    const command = new ListTaskDefinitionsCommand({
      ...{ familyPrefix: family, status: 'ACTIVE', sort: 'DESC' },
      nextToken,
    });
    const send = () => ecs.client.send(command, untilCancelled());
    const answer = await patiently(send).catch((error: unknown) => {
      throw awsFailure(error, 'ListTaskDefinitions');
    });
    found.push(...(answer.taskDefinitionArns ?? []).filter((arn) => parseRevision(arn).family === family));
    nextToken = answer.nextToken;
    if (!nextToken) break;
  }
  return found.sort((a, b) => parseRevision(b).number - parseRevision(a).number).slice(0, limit);
}

/** At most this many tasks are looked at: one page. */
const MOST_TASKS = 100;

/** @param turn resolves when a read of tasks may be sent (`limits.callsPerSecond`) */
export async function tasksOf(
  ecs: EcsService,
  desiredStatus: 'RUNNING' | 'STOPPED',
  turn: () => Promise<void> = async () => Promise.resolve(),
): Promise<Task[]> {
  const { client, cluster, service } = ecs;
  let operation = 'ListTasks';
  try {
    const list = new ListTasksCommand({
      cluster,
      serviceName: service,
      desiredStatus,
      maxResults: MOST_TASKS,
    });
    const { taskArns = [] } = await patiently(async () => {
      await turn();
      return await client.send(list, untilCancelled());
    });
    if (taskArns.length === 0) return [];
    operation = 'DescribeTasks';
    const { tasks = [] } = await patiently(async () => {
      await turn();
      return await client.send(new DescribeTasksCommand({ cluster, tasks: taskArns }), untilCancelled());
    });
    return tasks;
  } catch (error) {
    throw awsFailure(error, operation);
  }
}

/** Sends cluster, service and revision, nothing else. @throws ApplicationFailure */
export async function updateService(
  ecs: EcsService,
  revision: string,
): Promise<{ deployment?: string; at: string }> {
  const { client, cluster, service } = ecs;
  try {
    const answer = await unlessThrottled(() =>
      client.send(new UpdateServiceCommand({ cluster, service, taskDefinition: revision })),
    );
    const ours = answer.service?.deployments?.find(
      ({ status, taskDefinition }) => status === 'PRIMARY' && taskDefinition === revision,
    );
    return { ...(ours?.id ? { deployment: ours.id } : {}), at: new Date().toISOString() };
  } catch (error) {
    if (['ServiceNotFoundException', 'ServiceNotActiveException'].includes(awsErrorName(error))) {
      throw refuse(
        'SERVICE_GONE',
        `The service ${service} in cluster ${cluster} does not exist or is not active`,
      );
    }
    throw awsFailure(error, 'UpdateService');
  }
}
