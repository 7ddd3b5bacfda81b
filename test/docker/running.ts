/** What really runs in a service of ministack: images by digest, as its definition and its tasks tell. */
import { DescribeTaskDefinitionCommand, DescribeTasksCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { expect } from 'vitest';
import type { ServiceRef } from '../../sandbox/aws/index.js';
import { clusterOf, serviceOf, SERVICES } from '../../sandbox/settings.js';
import type { MinistackPart } from './ministack-part.js';

export type App = keyof typeof SERVICES;

export interface Place {
  app: App;
  environment: 'staging' | 'production';
}

const DIGEST = /@(sha256:[0-9a-f]{64})$/;

export const refOf = ({ app, environment }: Place): ServiceRef => ({
  cluster: clusterOf(environment),
  service: serviceOf(app, environment),
});

/**
 * Given to ECS by tag and digest; and the digests are those that its tasks report.
 * @returns repository → digest
 */
export async function runsExactly(
  aws: MinistackPart,
  { revision = '', tag, ...place }: Place & { revision?: string; tag: string },
): Promise<Record<string, string>> {
  const references = await images(aws, revision);
  const repositories = Object.values(SERVICES[place.app].containers);
  expect(references.map((one) => one?.replace(DIGEST, '@digest'))).toEqual(
    repositories.map((repository) => `${aws.registry}/${repository}:${tag}@digest`),
  );
  const digests = references.map((one) => DIGEST.exec(one ?? '')?.[1] ?? '');
  const running = await tasks(aws, refOf(place));
  expect(running).toHaveLength(2);
  for (const { taskDefinitionArn, containers } of running) {
    expect(taskDefinitionArn).toBe(revision);
    expect(containers?.map(({ imageDigest }) => imageDigest)).toEqual(digests);
  }
  return Object.fromEntries(repositories.map((repository, at) => [repository, digests[at] ?? '']));
}

async function images({ ecs }: MinistackPart, revision: string): Promise<(string | undefined)[]> {
  const { taskDefinition } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: revision }));
  return taskDefinition?.containerDefinitions?.map(({ image }) => image) ?? [];
}

async function tasks({ ecs }: MinistackPart, { cluster, service }: ServiceRef): Promise<Task[]> {
  const asked = { cluster, serviceName: service, desiredStatus: 'RUNNING' } as const;
  const { taskArns } = await ecs.send(new ListTasksCommand(asked));
  return (await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }))).tasks ?? [];
}
