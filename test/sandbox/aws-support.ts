/** Real SDK clients on a stand-in, and the speeds that its tests use. */
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { AwsStandIn, Timings } from '../../sandbox/aws/index.js';
import { clientSettings } from '../contract/emulators.js';
import type { Emulator } from '../contract/emulators.js';

export const QUICK: Timings = {
  tick: 10,
  pull: 60,
  start: 100,
  exit: 40,
  unhealthy: 120,
  drain: 120,
  retry: 30,
  settle: 40,
};

export function connect(aws: AwsStandIn): Emulator {
  const settings = clientSettings(aws.url);
  const ecs = new ECSClient(settings);
  const ecr = new ECRClient(settings);
  return {
    name: 'stand-in',
    ecs,
    ecr,
    registry: aws.registry,
    image: (input) => Promise.resolve(aws.image(input).digest),
    close: async () => {
      ecs.destroy();
      ecr.destroy();
      await aws.close();
    },
  };
}
