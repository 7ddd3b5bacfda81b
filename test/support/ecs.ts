/** The activities of ECS against the stand-in: one service `staging-api` of two images that runs `v1`. */
import { ECSClient } from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createEcsActivities } from '../../activities/ecs/index.js';
import type { EcsActivities } from '../../activities/ecs/index.js';
import { parseConfig } from '../../domain/config/parse.js';
import type { Config, LimitsConfig } from '../../domain/config/config.js';
import type { Look, RegisterInput, ResolvedImage } from '../../domain/effects.js';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn, Behaviour, Timings } from '../../sandbox/aws/index.js';

export const TARGET = { app: 'api', environment: 'staging' };
export const REF = { cluster: 'staging-default', service: 'staging-api' };
export const ID = 'staging.api.abcd1234';
export const ACTOR = { actor: 'alice', checkActor: false };

/** A rollout of the stand-in takes about 300 ms with these. */
export const QUICK: Partial<Timings> = {
  tick: 20,
  pull: 20,
  start: 40,
  exit: 20,
  unhealthy: 60,
  drain: 60,
  retry: 20,
  settle: 40,
};

export function ecsConfig(versionUrl?: string, limits: Partial<LimitsConfig> = {}): Config {
  const parsed = parseConfig(
    JSON.stringify({
      repository: { owner: 'o', name: 'r', branch: 'main' },
      maintainers: { org: 'o', team: 't' },
      aws: { region: 'us-east-1' },
      environments: { staging: { cluster: REF.cluster } },
      apps: {
        api: {
          paths: ['api/**'],
          images: [
            { container: 'django', repository: 'openverse-api', context: 'api' },
            { container: 'nginx', repository: 'openverse-api_nginx', context: 'api' },
          ],
          environments: { staging: { service: REF.service, ...(versionUrl ? { versionUrl } : {}) } },
        },
      },
    }),
    'sluice.yaml',
  );
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  const { config } = parsed;
  return { ...config, limits: { ...config.limits, callsPerSecond: 50, ...limits } };
}

export const MARKER = 'marker-of-a-secret-value';

export const definition = (
  family: string,
  images: { django: string; nginx: string },
): RegisterTaskDefinitionCommandInput => ({
  family,
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  containerDefinitions: [
    {
      name: 'django',
      image: images.django,
      essential: true,
      environment: [{ name: 'PASSWORD', value: MARKER }],
      secrets: [{ name: 'KEY', valueFrom: 'arn:aws:ssm:us-east-1:1:parameter/key' }],
    },
    { name: 'nginx', image: images.nginx, essential: true, portMappings: [{ containerPort: 8080 }] },
  ],
  tags: [{ key: 'team', value: 'openverse' }],
});

export interface EcsWorld {
  aws: AwsStandIn;
  client: ECSClient;
  config: Config;
  activities: EcsActivities;
  refused: Set<string>;
  /** Makes both images under a tag. */
  images(tag: string, labels?: Record<string, string>): ResolvedImage[];
  reference(tag: string): { django: string; nginx: string };
  settle(): Promise<void>;
  close(): Promise<void>;
}

export async function startEcsWorld(
  options: {
    timings?: Partial<Timings>;
    behaviour?: Partial<Behaviour>;
    limits?: Partial<LimitsConfig>;
    service?: boolean;
    breaker?: 'rollback' | 'stop';
  } = {},
): Promise<EcsWorld> {
  const aws = await startAwsStandIn({
    timings: { ...QUICK, ...options.timings },
    ...(options.behaviour ? { behaviour: options.behaviour } : {}),
  });
  const client = new ECSClient({
    region: 'us-east-1',
    endpoint: aws.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  const config = ecsConfig(`${aws.serviceUrl(REF)}/version.json`, options.limits);
  const refused = new Set<string>();
  const images: EcsWorld['images'] = (tag, labels) =>
    [
      { container: 'django', repository: 'openverse-api' },
      { container: 'nginx', repository: 'openverse-api_nginx' },
    ].map(({ container, repository }) => {
      const { digest, listed } = aws.image({ repository, tag, release: tag, ...(labels ? { labels } : {}) });
      return { containers: [container], repository, tag, digest, listed };
    });
  const reference: EcsWorld['reference'] = (tag) => ({
    django: `${aws.registry}/openverse-api:${tag}`,
    nginx: `${aws.registry}/openverse-api_nginx:${tag}`,
  });
  images('v1');
  aws.taskDefinition(definition('staging-api-template', reference('v1')));
  if (options.service !== false) {
    aws.service({
      ...REF,
      taskDefinition: definition('staging-api', reference('v1')),
      ...(options.breaker ? { breaker: options.breaker } : {}),
    });
  }
  const activities = createEcsActivities({
    config,
    aws: { ecs: () => client },
    requireMaintainer: async (login) => {
      if (refused.has(login)) throw new Error(`${login} is refused`);
      return Promise.resolve();
    },
    registryHost: async () => Promise.resolve(aws.registry),
  });
  const world: EcsWorld = {
    aws,
    client,
    config,
    activities,
    refused,
    images,
    reference,
    settle: async () => {
      while (aws.standing(REF).stableAt === undefined)
        await new Promise((resolve) => setTimeout(resolve, 20));
    },
    close: async () => {
      client.destroy();
      await aws.close();
    },
  };
  if (options.service !== false) await world.settle();
  return world;
}

/** An activity's surroundings, as a worker gives them. One for each activity. */
export const environment = (heartbeatDetails?: unknown): MockActivityEnvironment =>
  new MockActivityEnvironment(
    { attempt: 1, heartbeatDetails },
    { logger: new DefaultLogger('ERROR', () => undefined) },
  );

export const run = async <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> =>
  await environment().run<[I], O, (input: I) => Promise<O>>(activity, input);

export const lookAt = async (world: EcsWorld): Promise<Look> =>
  await run(world.activities.look, { ...TARGET, id: ID });

/** Everything up to and with `register`. */
export async function registered(
  world: EcsWorld,
  tag: string,
  labels?: Record<string, string>,
): Promise<{ look: Look; revision: string; images: ResolvedImage[]; input: RegisterInput }> {
  const images = world.images(tag, labels);
  const look = await lookAt(world);
  const input: RegisterInput = { ...TARGET, id: ID, ...ACTOR, tag, release: tag, images, look };
  const { revision } = await run(world.activities.register, input);
  return { look, revision, images, input };
}
