/** Clusters and services. */
import type {
  CreateServiceCommandInput,
  DeleteServiceCommandInput,
  DescribeClustersCommandInput,
  DescribeServicesCommandInput,
  ListServicesCommandInput,
  UpdateServiceCommandInput,
} from '@aws-sdk/client-ecs';
import { beginDeployment } from './deployments.js';
import { AwsError, operation, paginate, seconds } from './protocol.js';
import type { Operation } from './protocol.js';
import { addEvent, arn, nameOf, primaryOf, tasksOf, wanted } from './state.js';
import type { DeploymentRecord, ServiceRecord, StartedBy, TaskDefinitionRecord, World } from './state.js';
import { findTaskDefinition } from './task-definitions.js';

/** The cluster's name; AWS refuses one that it does not hold. */
export function findCluster(world: World, reference: string | undefined): string {
  const name = nameOf(reference);
  if (!world.clusters.has(name)) throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
  return name;
}

export const findService = (
  world: World,
  cluster: string,
  reference: string | undefined,
): ServiceRecord | undefined => world.services.get(`${cluster}/${nameOf(reference)}`);

export function ensureCluster(world: World, name: string): object {
  const cluster = world.clusters.get(name) ?? { arn: arn(world, `cluster/${name}`), createdAt: Date.now() };
  world.clusters.set(name, cluster);
  return presentCluster(world, name);
}

function presentCluster(world: World, name: string): object {
  const services = [...world.services.values()].filter(
    (one) => one.cluster === name && one.status === 'ACTIVE',
  );
  const tasks = services.flatMap((service) => service.tasks);
  return {
    clusterArn: arn(world, `cluster/${name}`),
    clusterName: name,
    status: 'ACTIVE',
    registeredContainerInstancesCount: 0,
    runningTasksCount: tasks.filter(isRunning).length,
    pendingTasksCount: tasks.filter(isPending).length,
    activeServicesCount: services.length,
  };
}

// A draining task still counts as running: a slow drain shows in the counts of the old deployment.
const isRunning = ({ lastStatus }: { lastStatus: string }): boolean =>
  lastStatus === 'RUNNING' || lastStatus === 'DEACTIVATING';
const isPending = ({ lastStatus }: { lastStatus: string }): boolean =>
  lastStatus === 'PROVISIONING' || lastStatus === 'PENDING';

function presentDeployment(service: ServiceRecord, deployment: DeploymentRecord): object {
  const tasks = tasksOf(service, deployment);
  const late =
    service.behaviour.failedShownLate &&
    deployment.status === 'ACTIVE' &&
    deployment.rolloutState === 'FAILED';
  return {
    id: deployment.id,
    status: deployment.status,
    taskDefinition: deployment.taskDefinition,
    desiredCount: deployment.status === 'PRIMARY' ? service.desired : tasks.filter(wanted).length,
    pendingCount: tasks.filter(isPending).length,
    runningCount: tasks.filter(isRunning).length,
    failedTasks: deployment.failedTasks,
    createdAt: seconds(deployment.createdAt),
    updatedAt: seconds(deployment.updatedAt),
    launchType: service.launchType,
    ...(service.behaviour.rolloutState
      ? {
          rolloutState: late ? 'IN_PROGRESS' : deployment.rolloutState,
          rolloutStateReason: late ? `ECS deployment ${deployment.id} in progress.` : deployment.reason,
        }
      : {}),
  };
}

export function presentService(world: World, service: ServiceRecord, tags = false): object {
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: arn(world, `cluster/${service.cluster}`),
    loadBalancers: [],
    serviceRegistries: [],
    status: service.status,
    desiredCount: service.desired,
    runningCount: service.tasks.filter(isRunning).length,
    pendingCount: service.tasks.filter(isPending).length,
    launchType: service.launchType,
    taskDefinition: primaryOf(service)?.taskDefinition,
    deploymentConfiguration: service.deploymentConfiguration,
    deploymentController: { type: service.controller },
    deployments: service.deployments.map((deployment) => presentDeployment(service, deployment)),
    events: service.events.slice(0, 100).map((event) => ({ ...event, createdAt: seconds(event.createdAt) })),
    createdAt: seconds(service.createdAt),
    ...(service.behaviour.serviceDeployments
      ? { currentServiceDeployment: service.serviceDeployments[0]?.arn }
      : {}),
    placementConstraints: [],
    placementStrategy: [],
    schedulingStrategy: 'REPLICA',
    enableECSManagedTags: false,
    propagateTags: 'NONE',
    ...(tags ? { tags: service.tags } : {}),
  };
}

function usable(world: World, reference: string | undefined): TaskDefinitionRecord {
  const record = findTaskDefinition(world, reference);
  if (!record) throw new AwsError('ClientException', 'TaskDefinition not found.');
  if (record.status !== 'ACTIVE') throw new AwsError('ClientException', 'TaskDefinition is inactive');
  return record;
}

export function createService(world: World, input: CreateServiceCommandInput): ServiceRecord {
  const cluster = findCluster(world, input.cluster);
  const name = input.serviceName ?? '';
  const key = `${cluster}/${name}`;
  if (world.services.get(key)?.status === 'ACTIVE')
    throw new AwsError('InvalidParameterException', 'Creation of service was not idempotent.');
  const definition = usable(world, input.taskDefinition);
  const service: ServiceRecord = {
    arn: arn(world, `service/${cluster}/${name}`),
    name,
    cluster,
    status: 'ACTIVE',
    desired: input.desiredCount ?? 1,
    deploymentConfiguration: {
      maximumPercent: 200,
      minimumHealthyPercent: 100,
      strategy: 'ROLLING',
      deploymentCircuitBreaker: { enable: false, rollback: false },
      ...input.deploymentConfiguration,
    },
    controller: input.deploymentController?.type ?? 'ECS',
    launchType: input.launchType ?? 'FARGATE',
    createdAt: Date.now(),
    tags: input.tags ?? [],
    deployments: [],
    history: [],
    serviceDeployments: [],
    events: [],
    tasks: [],
    behaviour: { ...world.behaviour },
  };
  world.services.set(key, service);
  beginDeployment(world, service, { taskDefinition: definition.arn, by: 'CreateService' });
  return service;
}

/** The same task definition without `forceNewDeployment` begins nothing, as at AWS. */
export function updateService(world: World, input: UpdateServiceCommandInput, by: StartedBy): ServiceRecord {
  const service = findService(world, findCluster(world, input.cluster), input.service);
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.');
  if (service.status !== 'ACTIVE') throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.');
  if (input.desiredCount !== undefined) service.desired = input.desiredCount;
  Object.assign(service.deploymentConfiguration, input.deploymentConfiguration);
  const definition = input.taskDefinition ? usable(world, input.taskDefinition).arn : undefined;
  const current = primaryOf(service)?.taskDefinition;
  const next = definition ?? current;
  if (next && (next !== current || input.forceNewDeployment))
    beginDeployment(world, service, { taskDefinition: next, by });
  return service;
}

export function serviceOperations(world: World): Record<string, Operation> {
  return {
    CreateCluster: operation<{ clusterName?: string }>(({ clusterName = 'default' }) => ({
      cluster: ensureCluster(world, clusterName),
    })),
    DescribeClusters: operation<DescribeClustersCommandInput>(({ clusters = ['default'] }) => {
      const names = clusters.map((cluster) => nameOf(cluster));
      const missing = names.filter((name) => !world.clusters.has(name));
      return {
        clusters: names.filter((name) => world.clusters.has(name)).map((name) => presentCluster(world, name)),
        failures: missing.map((name) => ({ arn: arn(world, `cluster/${name}`), reason: 'MISSING' })),
      };
    }),
    CreateService: operation<CreateServiceCommandInput>((input) => ({
      service: presentService(world, createService(world, input)),
    })),
    DescribeServices: operation<DescribeServicesCommandInput>((input) => describeServices(world, input)),
    ListServices: operation<ListServicesCommandInput>((input) => {
      const cluster = findCluster(world, input.cluster);
      const arns = [...world.services.values()]
        .filter((service) => service.cluster === cluster && service.status === 'ACTIVE')
        .map((service) => service.arn);
      const { page, nextToken } = paginate(arns, { maxResults: 10, ...input });
      return { serviceArns: page, nextToken };
    }),
    UpdateService: operation<UpdateServiceCommandInput>((input) => ({
      service: presentService(world, updateService(world, input, 'UpdateService')),
    })),
    DeleteService: operation<DeleteServiceCommandInput>((input) => {
      const service = findService(world, findCluster(world, input.cluster), input.service);
      if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.');
      deactivate(service);
      return { service: presentService(world, service) };
    }),
  };
}

/** DescribeServices goes on showing a deleted service, as INACTIVE. */
export function deactivate(service: ServiceRecord): void {
  service.status = 'INACTIVE';
  service.desired = 0;
  service.stableAt = undefined;
  addEvent(service, 'was deleted.');
}

function describeServices(world: World, input: DescribeServicesCommandInput): object {
  const cluster = findCluster(world, input.cluster);
  const asked = input.services ?? [];
  if (asked.length === 0) throw new AwsError('InvalidParameterException', 'Services cannot be empty.');
  if (asked.length > 10)
    throw new AwsError('InvalidParameterException', 'Services cannot have more than 10 elements.');
  const services: object[] = [];
  const failures: object[] = [];
  for (const reference of asked) {
    const service = findService(world, cluster, reference);
    if (service) services.push(presentService(world, service, input.include?.includes('TAGS')));
    else failures.push({ arn: arn(world, `service/${cluster}/${nameOf(reference)}`), reason: 'MISSING' });
  }
  return { services, failures };
}
