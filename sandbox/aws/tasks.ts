/** ListTasks and DescribeTasks. */
import type { DescribeTasksCommandInput, ListTasksCommandInput } from '@aws-sdk/client-ecs';
import { findCluster, findService } from './services.js';
import { AwsError, operation, paginate, seconds } from './protocol.js';
import type { Operation } from './protocol.js';
import { arn, nameOf } from './state.js';
import type { ServiceRecord, TaskRecord, World } from './state.js';

const at = (name: string, ms: number | undefined): object =>
  ms === undefined ? {} : { [name]: seconds(ms) };

function present(world: World, service: ServiceRecord, task: TaskRecord): object {
  const lastStatus = task.lastStatus === 'STOPPED' ? 'STOPPED' : task.startedAt ? 'RUNNING' : 'PENDING';
  return {
    taskArn: task.arn,
    clusterArn: arn(world, `cluster/${service.cluster}`),
    taskDefinitionArn: task.taskDefinition,
    group: `service:${service.name}`,
    startedBy: task.startedBy,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: task.health,
    launchType: service.launchType,
    availabilityZone: `${world.region}a`,
    attachments: [],
    overrides: { containerOverrides: [] },
    tags: [],
    version: 1,
    containers: task.containers.map((container) => ({
      containerArn: arn(world, `container/${service.cluster}/${task.id}/${container.name}`),
      taskArn: task.arn,
      name: container.name,
      image: container.image,
      ...(container.imageDigest ? { imageDigest: container.imageDigest } : {}),
      lastStatus,
      ...(lastStatus === 'STOPPED' && container.exitCode !== undefined
        ? { exitCode: container.exitCode }
        : {}),
      ...(container.reason ? { reason: container.reason } : {}),
      healthStatus: task.health,
      networkBindings: [],
      networkInterfaces: [],
    })),
    ...(task.stopCode ? { stopCode: task.stopCode } : {}),
    ...(task.stoppedReason ? { stoppedReason: task.stoppedReason } : {}),
    createdAt: seconds(task.createdAt),
    ...at('startedAt', task.startedAt),
    ...at('stoppingAt', task.stoppingAt),
    ...at('stoppedAt', task.stoppedAt),
  };
}

export function taskOperations(world: World): Record<string, Operation> {
  const servicesOf = (cluster: string): ServiceRecord[] =>
    [...world.services.values()].filter((service) => service.cluster === cluster);
  return {
    ListTasks: operation<ListTasksCommandInput>((input) => {
      const cluster = findCluster(world, input.cluster);
      if (input.serviceName && !findService(world, cluster, input.serviceName))
        throw new AwsError('ServiceNotFoundException', 'Service not found.');
      const wantedStatus = input.desiredStatus ?? 'RUNNING';
      const arns = servicesOf(cluster)
        .filter((service) => !input.serviceName || service.name === nameOf(input.serviceName))
        .flatMap((service) => service.tasks)
        .filter((task) => task.desiredStatus === wantedStatus)
        .filter((task) => !input.startedBy || task.startedBy === input.startedBy)
        .filter((task) => !input.family || task.taskDefinition.includes(`/${input.family}:`))
        .map((task) => task.arn);
      const { page, nextToken } = paginate(arns, input);
      return { taskArns: page, nextToken };
    }),
    DescribeTasks: operation<DescribeTasksCommandInput>((input) => {
      const cluster = findCluster(world, input.cluster);
      const asked = input.tasks ?? [];
      if (asked.length === 0) throw new AwsError('InvalidParameterException', 'Tasks cannot be empty.');
      if (asked.length > 100)
        throw new AwsError('InvalidParameterException', 'Tasks cannot have more than 100 elements.');
      const tasks: object[] = [];
      const failures: object[] = [];
      for (const reference of asked) {
        const id = nameOf(reference);
        const service = servicesOf(cluster).find((one) => one.tasks.some((task) => task.id === id));
        const task = service?.tasks.find((one) => one.id === id);
        if (service && task) tasks.push(present(world, service, task));
        else failures.push({ arn: arn(world, `task/${cluster}/${id}`), reason: 'MISSING' });
      }
      return { tasks, failures };
    }),
  };
}
