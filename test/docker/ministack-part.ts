/** ministack as the AWS of a stack: real containers, seeded through its API, behind a small load balancer. */
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import type { Service } from '@aws-sdk/client-ecs';
import type { ServiceInput, ServiceRef } from '../../sandbox/aws/index.js';
import { pushFirstImages, removeImagesOf } from '../../sandbox/first-images.js';
import { startMinistack } from '../../sandbox/ministack.js';
import { seedOf } from '../../sandbox/settings.js';
import type { AwsInput, AwsPart } from '../../sandbox/world.js';
import { clientSettings } from '../contract/emulators.js';
import { settledOn } from '../contract/rollouts.js';
import { until } from '../e2e/site.js';
import { startLoadBalancer } from './load-balancer.js';
import type { LoadBalancer } from './load-balancer.js';

export interface MinistackPart extends AwsPart {
  ecs: ECSClient;
  ecr: ECRClient;
  balancer: LoadBalancer;
  service(ref: ServiceRef): Promise<Service>;
  /** Revisions of exactly this family, oldest first: ARNs. */
  revisions(family: string): Promise<string[]>;
}

const STARTED_WITHIN_MS = 120_000;

/** @param names how those services begin that are made; each task costs the machine a container or two */
export async function startMinistackPart(
  { sample, directory }: AwsInput,
  names: readonly string[],
): Promise<MinistackPart> {
  const server = await startMinistack();
  const { url, registry } = server;
  const ecs = new ECSClient(clientSettings(url));
  const ecr = new ECRClient(clientSettings(url));
  const balancer = await startLoadBalancer(ecs);
  const close = async (): Promise<void> => {
    await balancer.close();
    ecs.destroy();
    ecr.destroy();
    await server.close();
    await removeImagesOf(registry);
  };
  const service = async (ref: ServiceRef): Promise<Service> => {
    const asked = { cluster: ref.cluster, services: [ref.service] };
    const { services } = await ecs.send(new DescribeServicesCommand(asked));
    if (!services?.[0]) throw new Error(`No service ${ref.service}`);
    return services[0];
  };
  try {
    const { repositories = [], taskDefinitions = [], services = [] } = seedOf(registry);
    for (const repositoryName of repositories)
      await ecr.send(new CreateRepositoryCommand({ repositoryName }));
    await pushFirstImages({ registry, sample, directory });
    for (const definition of taskDefinitions) await ecs.send(new RegisterTaskDefinitionCommand(definition));
    const wanted = services.filter(({ service: one }) => names.some((name) => one.startsWith(name)));
    for (const one of wanted) await createService(ecs, one);
    for (const one of wanted) {
      balancer.serve(one);
      await until(
        `${one.service} runs`,
        async () => {
          const read = await service(one);
          return settledOn(read.taskDefinition ?? '')(read);
        },
        STARTED_WITHIN_MS,
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...{ url, registry, ecs, ecr, balancer, service, close },
    serviceUrl: (ref) => balancer.urlOf(ref),
    revisions: async (family) => {
      // ministack takes `familyPrefix` for a prefix.
      const { taskDefinitionArns = [] } = await ecs.send(
        new ListTaskDefinitionsCommand({ familyPrefix: family }),
      );
      return taskDefinitionArns.filter((arn) => arn.split('/').at(-1)?.split(':')[0] === family);
    },
  };
}

async function createService(ecs: ECSClient, input: ServiceInput): Promise<void> {
  const { cluster, service, taskDefinition, desired } = input;
  if (typeof taskDefinition === 'string') throw new Error('The seed brings its definitions');
  await ecs.send(new RegisterTaskDefinitionCommand(taskDefinition));
  await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  await ecs.send(
    new CreateServiceCommand({
      cluster,
      serviceName: service,
      taskDefinition: taskDefinition.family,
      desiredCount: desired,
      deploymentConfiguration: {
        minimumHealthyPercent: 100,
        // One task at a time, and so the middle of a rollout is long enough to do something in.
        maximumPercent: 150,
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
    }),
  );
}
