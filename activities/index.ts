/** Every effect of Sluice, by the queue that it runs on. Workflows import the types only. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Aws } from '../clients/aws.js';
import type { Identities } from '../clients/identity.js';
import type { Config } from '../domain/config.js';
import { createBuildActivities } from './docker/index.js';
import { createRegistryAccess } from './ecr/registry.js';
import { createValidate } from './ecr/validate.js';
import { createEcsActivities } from './ecs/index.js';
import { createMembership } from './github/membership.js';
import { heartbeating } from './heartbeat.js';
import { createDeliver } from './notice/deliver.js';
import { createLaneRecovery } from './temporal/lane-recovery.js';
import { createMessenger } from './temporal/messenger.js';

export interface ActivityDeps {
  config: Config;
  aws: Aws;
  client: Client;
  identities: Identities;
  log: Logger;
}

/** Queue `sluice` and, for what holds a slot for minutes, `sluice-watches`. */
export function createActivities({ config, aws, client, identities, log }: ActivityDeps) {
  const { org, team } = config.maintainers;
  const { requireMaintainer } = createMembership({ identities, team: `${org}/${team}` });
  const registry = createRegistryAccess({ config, aws });
  const { validate } = createValidate({ config, aws, registry });
  const ecs = createEcsActivities({
    config,
    aws,
    requireMaintainer,
    registryHost: async () => (await registry.login()).host,
  });
  const { findEnded, recoverLane } = createLaneRecovery(client);
  return {
    main: {
      ...createMessenger(client),
      findEnded: heartbeating(findEnded),
      recoverLane: heartbeating(recoverLane),
      validate: heartbeating(validate),
      look: ecs.look,
      register: ecs.register,
      update: ecs.update,
      goBack: ecs.goBack,
      dossier: ecs.dossier,
      deliver: createDeliver(log),
    },
    watches: { stabilise: ecs.stabilise, verify: ecs.verify },
  };
}

/** Queue `sluice-builds`: Docker and disk. */
export const createBuilds = ({ config, aws }: Pick<ActivityDeps, 'config' | 'aws'>) =>
  createBuildActivities({ config, aws });

export type MainActivities = ReturnType<typeof createActivities>['main'];
export type WatchActivities = ReturnType<typeof createActivities>['watches'];
export type BuildActivities = ReturnType<typeof createBuilds>;
