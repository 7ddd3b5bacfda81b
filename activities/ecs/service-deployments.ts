/**
 * ECS's service deployments: evidence where a service offers it, never a condition. An emulator, an old
 * service or a role without the permission has none; then nothing is known from here.
 */
import type { ServiceDeployment } from '@aws-sdk/client-ecs';
import {
  DescribeServiceDeploymentsCommand,
  DescribeServiceRevisionsCommand,
  ListServiceDeploymentsCommand,
} from '@aws-sdk/client-ecs';
import { Context } from '@temporalio/activity';
import { patiently } from '../aws-again.js';
import { awsFailure } from '../aws-errors.js';
import type { EcsService } from './service.js';

/** DescribeServiceDeployments and DescribeServiceRevisions take no more. */
const MOST = 20;

/** Outages are tried again with the activity; anything else means that there is no such evidence. */
async function orNothing<T>(operation: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await patiently(call);
  } catch (error) {
    const failure = awsFailure(error, operation);
    if (failure.nonRetryable) return undefined;
    throw failure;
  }
}

const signal = (): { abortSignal: AbortSignal } => ({ abortSignal: Context.current().cancellationSignal });

/** @throws ApplicationFailure retryable `AWS_DOWN` only */
export async function describeServiceDeployment(
  ecs: EcsService,
  arn: string,
): Promise<ServiceDeployment | undefined> {
  const answer = await orNothing('DescribeServiceDeployments', async () =>
    ecs.client.send(new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [arn] }), signal()),
  );
  return answer?.serviceDeployments?.[0];
}

/** Service revision ARN → task definition ARN. */
async function revisionsOf(ecs: EcsService, arns: string[]): Promise<Map<string, string>> {
  if (arns.length === 0) return new Map();
  const answer = await orNothing('DescribeServiceRevisions', async () =>
    ecs.client.send(
      new DescribeServiceRevisionsCommand({ serviceRevisionArns: arns.slice(0, MOST) }),
      signal(),
    ),
  );
  return new Map(
    (answer?.serviceRevisions ?? []).flatMap(({ serviceRevisionArn, taskDefinition }): [string, string][] =>
      serviceRevisionArn && taskDefinition ? [[serviceRevisionArn, taskDefinition]] : [],
    ),
  );
}

/** Task definition that a service deployment deploys. */
export async function targetOf(ecs: EcsService, deployment: ServiceDeployment): Promise<string | undefined> {
  const arn = deployment.targetServiceRevision?.arn;
  return arn ? (await revisionsOf(ecs, [arn])).get(arn) : undefined;
}

/** Task definitions that the latest service deployments deployed, newest first. */
export async function recentTargets(
  ecs: EcsService,
  status?: 'SUCCESSFUL',
): Promise<{ revision: string; createdAt?: Date }[]> {
  const { cluster, service, client } = ecs;
  const answer = await orNothing('ListServiceDeployments', async () =>
    client.send(
      new ListServiceDeploymentsCommand({
        cluster,
        service,
        maxResults: MOST,
        ...(status ? { status: [status] } : {}),
      }),
      signal(),
    ),
  );
  const newestFirst = (answer?.serviceDeployments ?? []).toSorted(
    (a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0),
  );
  const arns = newestFirst.flatMap(({ targetServiceRevisionArn }) => targetServiceRevisionArn ?? []);
  const revisions = await revisionsOf(ecs, [...new Set(arns)]);
  return newestFirst.flatMap(({ targetServiceRevisionArn, createdAt }) => {
    const revision = revisions.get(targetServiceRevisionArn ?? '');
    return revision ? [{ revision, ...(createdAt ? { createdAt } : {}) }] : [];
  });
}
