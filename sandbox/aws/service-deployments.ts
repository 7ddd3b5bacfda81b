/** The newer deployment API: service deployments and service revisions; and tags. */
import type {
  DescribeServiceDeploymentsCommandInput,
  DescribeServiceRevisionsCommandInput,
  ListServiceDeploymentsCommandInput,
  StopServiceDeploymentCommandInput,
  Tag,
} from '@aws-sdk/client-ecs';
import { isSettled, revisionArn, rollBack } from './deployments.js';
import { AwsError, operation, paginate, seconds } from './protocol.js';
import type { Operation } from './protocol.js';
import { findCluster, findService } from './services.js';
import { arn, tasksOf } from './state.js';
import type { ServiceDeploymentRecord, ServiceRecord, World } from './state.js';
import { findTaskDefinition } from './task-definitions.js';

function summary(world: World, service: ServiceRecord, revision: string): object {
  const deployment = service.history.find((one) => revisionArn(world, service, one.id) === revision);
  const tasks = deployment ? tasksOf(service, deployment) : [];
  return {
    arn: revision,
    requestedTaskCount: service.desired,
    runningTaskCount: tasks.filter((task) => task.lastStatus === 'RUNNING').length,
    pendingTaskCount: tasks.filter((task) => task.lastStatus === 'PENDING').length,
  };
}

function present(world: World, service: ServiceRecord, record: ServiceDeploymentRecord): object {
  return {
    serviceDeploymentArn: record.arn,
    serviceArn: service.arn,
    clusterArn: arn(world, `cluster/${service.cluster}`),
    createdAt: seconds(record.createdAt),
    startedAt: seconds(record.createdAt),
    updatedAt: seconds(record.updatedAt),
    ...(record.finishedAt ? { finishedAt: seconds(record.finishedAt) } : {}),
    ...(record.stoppedAt ? { stoppedAt: seconds(record.stoppedAt) } : {}),
    sourceServiceRevisions: record.sourceRevision ? [summary(world, service, record.sourceRevision)] : [],
    targetServiceRevision: summary(world, service, record.targetRevision),
    status: record.status,
    ...(record.statusReason ? { statusReason: record.statusReason } : {}),
    deploymentConfiguration: service.deploymentConfiguration,
    ...(record.rollback
      ? { rollback: { ...record.rollback, startedAt: seconds(record.rollback.startedAt) } }
      : {}),
  };
}

interface Found {
  service: ServiceRecord;
  record: ServiceDeploymentRecord;
}

function find(world: World, reference: string | undefined): Found | undefined {
  for (const service of world.services.values()) {
    const record = service.serviceDeployments.find((one) => one.arn === reference);
    if (record && service.behaviour.serviceDeployments) return { service, record };
  }
  return undefined;
}

/** A service that lacks the newer API answers as one that never had a service deployment. */
export function serviceDeploymentOperations(world: World): Record<string, Operation> {
  return {
    ListServiceDeployments: operation<ListServiceDeploymentsCommandInput>((input) => {
      const service = findService(world, findCluster(world, input.cluster), input.service);
      if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.');
      const records = service.behaviour.serviceDeployments ? service.serviceDeployments : [];
      const asked = records.filter((record) => !input.status?.length || input.status.includes(record.status));
      const { page, nextToken } = paginate(asked, input);
      return {
        serviceDeployments: page.map((record) => ({
          serviceDeploymentArn: record.arn,
          serviceArn: service.arn,
          clusterArn: arn(world, `cluster/${service.cluster}`),
          createdAt: seconds(record.createdAt),
          startedAt: seconds(record.createdAt),
          ...(record.finishedAt ? { finishedAt: seconds(record.finishedAt) } : {}),
          targetServiceRevisionArn: record.targetRevision,
          status: record.status,
          ...(record.statusReason ? { statusReason: record.statusReason } : {}),
        })),
        nextToken,
      };
    }),
    DescribeServiceDeployments: operation<DescribeServiceDeploymentsCommandInput>((input) => {
      const asked = input.serviceDeploymentArns ?? [];
      if (asked.length > 20)
        throw new AwsError(
          'InvalidParameterException',
          'Service deployments cannot have more than 20 elements.',
        );
      const found = asked.map((reference) => find(world, reference));
      return {
        serviceDeployments: found.flatMap((one) => (one ? [present(world, one.service, one.record)] : [])),
        failures: asked
          .filter((_, at) => !found[at])
          .map((reference) => ({ arn: reference, reason: 'MISSING' })),
      };
    }),
    StopServiceDeployment: operation<StopServiceDeploymentCommandInput>((input) => {
      const found = find(world, input.serviceDeploymentArn);
      if (!found)
        throw new AwsError('ServiceDeploymentNotFoundException', 'The service deployment was not found.');
      stopDeployment(world, found, input.stopType ?? 'ROLLBACK');
      return { serviceDeploymentArn: found.record.arn };
    }),
    DescribeServiceRevisions: operation<DescribeServiceRevisionsCommandInput>((input) =>
      describeRevisions(world, input.serviceRevisionArns ?? []),
    ),
  };
}

function stopDeployment(world: World, { service, record }: Found, stopType: string): void {
  if (stopType !== 'ROLLBACK')
    throw new AwsError(
      'InvalidParameterException',
      'A rolling deployment can only be stopped with ROLLBACK.',
    );
  if (isSettled(record) || record.rollback)
    throw new AwsError('ConflictException', 'The service deployment cannot be stopped in its current state.');
  const deployment = service.deployments.find((one) => one.serviceDeployment === record);
  if (!deployment) throw new AwsError('ConflictException', 'The service deployment is not in progress.');
  rollBack(world, service, {
    deployment,
    by: 'StopServiceDeployment',
    reason: 'Service deployment was stopped by a user: rollback requested.',
  });
}

function describeRevisions(world: World, asked: string[]): object {
  const serviceRevisions: object[] = [];
  const failures: object[] = [];
  for (const reference of asked) {
    const service = [...world.services.values()].find((one) =>
      one.history.some(({ id }) => revisionArn(world, one, id) === reference),
    );
    const deployment = service?.history.find(({ id }) => revisionArn(world, service, id) === reference);
    if (!service || !deployment) {
      failures.push({ arn: reference, reason: 'MISSING' });
      continue;
    }
    const containers = findTaskDefinition(world, deployment.taskDefinition)?.body.containerDefinitions ?? [];
    serviceRevisions.push({
      serviceRevisionArn: reference,
      serviceArn: service.arn,
      clusterArn: arn(world, `cluster/${service.cluster}`),
      taskDefinition: deployment.taskDefinition,
      launchType: service.launchType,
      containerImages: containers.map(({ name, image }) => ({
        containerName: name,
        image,
        imageDigest: world.images.pull(image ?? '')?.digest,
      })),
      createdAt: seconds(deployment.createdAt),
    });
  }
  return { serviceRevisions, failures };
}

/** The tags of a task definition or a service. */
function tagsOf(world: World, resource: string | undefined): Tag[] {
  for (const revisions of world.taskDefinitions.values())
    for (const record of revisions) if (record.arn === resource) return record.tags;
  for (const service of world.services.values()) if (service.arn === resource) return service.tags;
  throw new AwsError('InvalidParameterException', 'The specified resource was not found.');
}

export function tagOperations(world: World): Record<string, Operation> {
  return {
    TagResource: operation<{ resourceArn?: string; tags?: Tag[] }>(({ resourceArn, tags = [] }) => {
      const held = tagsOf(world, resourceArn);
      for (const tag of tags) {
        const at = held.findIndex((one) => one.key === tag.key);
        if (at < 0) held.push(tag);
        else held[at] = tag;
      }
      return {};
    }),
    UntagResource: operation<{ resourceArn?: string; tagKeys?: string[] }>(
      ({ resourceArn, tagKeys = [] }) => {
        const held = tagsOf(world, resourceArn);
        held.splice(0, held.length, ...held.filter((tag) => !tagKeys.includes(tag.key ?? '')));
        return {};
      },
    ),
    ListTagsForResource: operation<{ resourceArn?: string }>(({ resourceArn }) => ({
      tags: tagsOf(world, resourceArn),
    })),
  };
}
