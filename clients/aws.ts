/**
 * AWS clients. They send once (`maxAttempts: 1`): the default client was seen sending RegisterTaskDefinition
 * twice after a reset, and neither it nor UpdateService takes an idempotency token. Temporal tries again.
 */
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { OnAwsCall } from './aws-calls.js';
import { observe } from './aws-calls.js';
import type { Config } from '../domain/config/config.js';

const ONCE = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
} as const;

export interface Aws {
  /** One client per environment, kept. */
  ecs(environment: string): ECSClient;
  /** The account of the base credentials, never an environment's role. */
  ecr: ECRClient;
  destroy(): void;
}

/** @param onCall told of every call, for metrics */
export function createAws(config: Config, onCall?: OnAwsCall): Aws {
  const clients = new Map<string, ECSClient>();
  const ecr = new ECRClient({ region: config.aws.region, ...ONCE });
  if (onCall) observe(ecr, 'ecr', onCall);
  return {
    ecr,
    ecs(environment) {
      const settings = config.environments[environment];
      if (!settings) throw new Error(`No environment ${environment} is configured`);
      let client = clients.get(environment);
      if (!client) {
        const { region, roleArn } = settings;
        client = new ECSClient({
          region,
          ...ONCE,
          ...(roleArn
            ? {
                credentials: fromTemporaryCredentials({
                  params: { RoleArn: roleArn, RoleSessionName: 'sluice' },
                }),
              }
            : {}),
        });
        if (onCall) observe(client, 'ecs', onCall);
        clients.set(environment, client);
      }
      return client;
    },
    destroy() {
      for (const client of clients.values()) client.destroy();
      ecr.destroy();
    },
  };
}
