/** What the tests of builds and images share: a configuration with two images, and ECR at the stand-in. */
import { ECRClient } from '@aws-sdk/client-ecr';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { fillConfig } from '../../domain/config/fill.js';
import type { AppConfig, Config, ImageConfig } from '../../domain/config/config.js';

export const image = (container: string, given: Partial<ImageConfig> = {}): ImageConfig => ({
  containers: [container],
  repository: `shop-${container}`,
  context: container,
  buildArgs: {},
  buildContexts: {},
  secrets: [],
  alsoTag: [],
  ...given,
});

/** One app, `shop`. */
export function configOf(
  images: ImageConfig[],
  given: Partial<AppConfig> = {},
  cloneUrl = '/nowhere',
): Config {
  const shop = { images, environments: {}, releaseOnly: false, build: 'sluice' } as const;
  const file = {
    repository: { owner: 'acme', name: 'shop', branch: 'main', cloneUrl },
    maintainers: { org: 'acme', team: 'shop' },
    aws: { region: 'us-east-1' },
    environments: {},
    apps: {},
  };
  return {
    ...fillConfig(file, 'https://github.com'),
    apps: { shop: { ...shop, paths: [], prepare: [], ...given } },
  };
}

export const ecrAt = (endpoint: string): { ecr: ECRClient } => ({
  ecr: new ECRClient({
    region: 'us-east-1',
    endpoint,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' },
  }),
});

/** Quiet: failures are what these tests are about. */
export const activityEnvironment = (): MockActivityEnvironment =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
