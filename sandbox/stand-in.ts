/** Our stand-in for AWS with what an account holds before Sluice comes. */
import type { AwsStandIn, Timings } from './aws/index.js';
import { startAwsStandIn } from './aws/index.js';
import { pushFirstImages, removeImagesOf } from './first-images.js';
import { seedOf } from './settings.js';
import type { AwsInput } from './world.js';

/** Docker itself takes the time that is played otherwise; a container that answers late is not a sick one. */
const WITH_DOCKER: Partial<Timings> = { pull: 50, start: 200, unhealthy: 20_000 };

export interface StandInInput extends AwsInput {
  timings: Partial<Timings>;
  /** There is a daemon. */
  docker: boolean;
}

export async function startStandIn({
  sample,
  directory,
  timings,
  docker,
}: StandInInput): Promise<AwsStandIn> {
  const isReal = docker && sample.hasBusybox;
  const aws = await startAwsStandIn({
    docker: isReal,
    timings: isReal ? { ...WITH_DOCKER, ...timings } : timings,
  });
  const { registry } = aws;
  const close = async (): Promise<void> => {
    await aws.close();
    if (docker) await removeImagesOf(registry);
  };
  try {
    // After the start, because image references name its own port.
    const {
      repositories = [],
      images = [],
      taskDefinitions = [],
      services = [],
    } = seedOf(registry, sample.commits.first);
    for (const repository of repositories) aws.repository({ repository });
    if (isReal) await pushFirstImages({ registry, sample, directory });
    else for (const image of images) aws.image(image);
    for (const definition of taskDefinitions) aws.taskDefinition(definition);
    for (const service of services) aws.service(service);
    return { ...aws, close };
  } catch (error) {
    await close();
    throw error;
  }
}
