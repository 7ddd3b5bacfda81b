/** AWS by dry reads: credentials, permissions, each service, template and repository. Nothing is written. */
import {
  BatchGetImageCommand,
  DescribeImagesCommand,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
} from '@aws-sdk/client-ecr';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import type { Service } from '@aws-sdk/client-ecs';
import type { AppConfig, Config, ServiceConfig } from '../../domain/config/config.js';
import type { Finding } from '../../domain/findings.js';
import type { Aws } from '../aws.js';
import { checkReads } from './aws-reads.js';
import { explain, mayRead, permitted, POLICY } from './aws-tried.js';
import { Report, shortly } from './report.js';

/** Of a layer that no image has. */
const NO_LAYER = `sha256:${'0'.repeat(64)}`;

type Where = { config: Config; aws: Aws };

export async function checkAws({ config, aws }: Where): Promise<Finding[]> {
  const report = new Report('AWS');
  try {
    const { accessKeyId } = await aws.ecr.config.credentials();
    report.ok('credentials', `key …${accessKeyId.slice(-4)}`);
  } catch (error) {
    const hint =
      'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role';
    report.broken('credentials', `none are found (${shortly(error)})`, hint);
    return report.findings;
  }
  await permitted(report, 'ecr:GetAuthorizationToken', () =>
    aws.ecr.send(new GetAuthorizationTokenCommand({})),
  );
  for (const repository of repositoriesOf(config)) await checkRepository(aws, repository, report);
  report.unchecked(
    'permissions to write',
    'ecs:RegisterTaskDefinition, ecs:UpdateService, ecr:PutImage, iam:PassRole and the like are not tried; ' +
      POLICY,
  );
  const services = await Promise.all(placesOf(config).map((place) => checkService({ config, aws }, place)));
  return [...report.findings, ...services.flat()];
}

const repositoriesOf = (config: Config): string[] => [
  ...new Set(Object.values(config.apps).flatMap(({ images }) => images.map(({ repository }) => repository))),
];

interface Place {
  name: string;
  app: AppConfig;
  environment: string;
  settings: ServiceConfig;
}

const placesOf = (config: Config): Place[] =>
  Object.entries(config.apps).flatMap(([name, app]) =>
    Object.entries(app.environments).map(([environment, settings]) => ({ name, app, environment, settings })),
  );

async function checkRepository({ ecr }: Aws, repository: string, report: Report): Promise<void> {
  const what = `repository ${repository}`;
  try {
    await ecr.send(new DescribeImagesCommand({ repositoryName: repository, maxResults: 1 }));
    // Of a tag that is not there ECR answers, too.
    const imageIds = [{ imageTag: 'sluice-doctor' }];
    await ecr.send(new BatchGetImageCommand({ repositoryName: repository, imageIds }));
    report.ok(what);
  } catch (error) {
    if (shortly(error) === 'RepositoryNotFoundException') {
      report.broken(what, 'does not exist', 'create it in ECR, or mend its name in sluice.yaml');
    } else {
      explain(report, `${what}: ecr:DescribeImages, ecr:BatchGetImage`, error);
    }
    return;
  }
  const layer = { repositoryName: repository, layerDigest: NO_LAYER };
  const quiet = new Report('');
  await mayRead(quiet, `${what}: ecr:GetDownloadUrlForLayer`, () =>
    ecr.send(new GetDownloadUrlForLayerCommand(layer)),
  );
  for (const finding of quiet.findings) if (finding.state !== 'ok') report.take(finding);
}

async function checkService({ config, aws }: Where, place: Place): Promise<Finding[]> {
  const { environment, settings } = place;
  const report = new Report(`${place.name} → ${environment}`);
  const cluster = config.environments[environment]?.cluster ?? '';
  const ecs = aws.ecs(environment);
  let described: Service | undefined;
  try {
    const { services = [] } = await ecs.send(
      new DescribeServicesCommand({ cluster, services: [settings.service] }),
    );
    described = services[0];
    judgeService(described, `${settings.service} in ${cluster}`, report);
  } catch (error) {
    if (shortly(error) === 'ClusterNotFoundException') {
      report.broken('cluster', `${cluster} does not exist`, 'mend it in sluice.yaml, or its region');
      return report.findings;
    }
    explain(report, 'ecs:DescribeServices', error);
  }
  await checkTemplate({ config, aws }, place, report);
  const { service, family } = settings;
  await checkReads({ ecs, cluster, service, described, family }, report);
  return report.findings;
}

function judgeService(service: Service | undefined, name: string, report: Report): void {
  if (service?.status !== 'ACTIVE') {
    const state = service ? `is ${service.status}` : 'does not exist';
    report.broken('service', `${name} ${state}`, 'create it, or mend sluice.yaml');
    return;
  }
  report.ok('service', `${name}, ${service.runningCount ?? 0} of ${service.desiredCount ?? 0} tasks run`);
  const { deploymentController, deploymentConfiguration: settings } = service;
  const controller = deploymentController?.type ?? 'ECS';
  const strategy = settings?.strategy ?? 'ROLLING';
  if (controller !== 'ECS' || strategy !== 'ROLLING') {
    const hint = 'use the ECS controller with the ROLLING strategy: Sluice refuses to deploy to others';
    report.broken('rollout', `controller ${controller}, strategy ${strategy}`, hint);
  }
  const breaker = settings?.deploymentCircuitBreaker;
  if (breaker?.enable && breaker.rollback) report.ok('circuit breaker with rollback');
  else {
    const hint = 'switch deploymentCircuitBreaker { enable, rollback } on: without it a failed rollout stays';
    report.warn('circuit breaker', breaker?.enable ? 'does not roll back' : 'is off', hint);
  }
}

async function checkTemplate({ aws }: Where, place: Place, report: Report): Promise<void> {
  const { app, environment, settings } = place;
  const what = `template ${settings.template}`;
  try {
    const { taskDefinition } = await aws
      .ecs(environment)
      .send(new DescribeTaskDefinitionCommand({ taskDefinition: settings.template, include: ['TAGS'] }));
    const there = new Set(taskDefinition?.containerDefinitions?.map(({ name }) => name));
    const missing = app.images.flatMap(({ containers }) => containers).filter((name) => !there.has(name));
    if (missing.length === 0) report.ok(what, `revision ${taskDefinition?.revision ?? '?'}`);
    else {
      const hint = `it has ${[...there].join(', ')}: mend the template, or images[].container in sluice.yaml`;
      report.broken(what, `lacks the container ${missing.join(', ')}`, hint);
    }
  } catch (error) {
    if (shortly(error) === 'ClientException') {
      const hint = 'register it (docs/setup.md), or set `template` in sluice.yaml';
      report.broken(what, 'does not exist', hint);
    } else explain(report, `${what}: ecs:DescribeTaskDefinition`, error);
  }
}
