/** What the tests of builds and images share: a configuration with two images, and ECR at the stand-in. */
import { ECRClient } from '@aws-sdk/client-ecr';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { AppConfig, Config, ImageConfig } from '../../domain/config.js';

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
export const configOf = (
  images: ImageConfig[],
  given: Partial<AppConfig> = {},
  cloneUrl = '/nowhere',
): Config => ({
  repository: { owner: 'acme', name: 'shop', branch: 'main', cloneUrl },
  maintainers: { org: 'acme', team: 'shop' },
  access: { read: 'maintainers', logs: 'maintainers', oauthClients: [] },
  aws: { region: 'us-east-1' },
  environments: {},
  apps: {
    shop: { paths: [], images, environments: {}, releaseOnly: false, build: 'sluice', prepare: [], ...given },
  },
  limits: { tellAfterMs: 1, giveUpAfterMs: 1, verifyMs: 1, callsPerSecond: 5 },
});

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
