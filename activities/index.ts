/** Every effect of Sluice, by the queue that it runs on. Workflows import the types only. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Aws } from '../clients/aws.js';
import type { Credentials } from '../clients/github-credentials.js';
import type { Identities } from '../clients/identity.js';
import type { Config } from '../domain/config/config.js';
import { createBuildActivities } from './docker/index.js';
import { createRegistryAccess } from './ecr/registry.js';
import { createRetag } from './ecr/retag.js';
import { createValidate } from './ecr/validate.js';
import { createEcsActivities } from './ecs/index.js';
import { createMerges } from './git/merges.js';
import { createMirror } from './git/mirror.js';
import { createGitHubActivities, createPromotionsAtGitHub } from './github/index.js';
import { createMembership } from './github/membership.js';
import { heartbeating } from './heartbeat.js';
import { createNoticeActivities } from './notice/index.js';
import { createPromotionActivities } from './promotion/index.js';
import { createPromotionsReader } from './promotion/read.js';
import { createReconcileActivities } from './reconcile/index.js';
import { createRollbackActivities } from './rollback/index.js';
import { createLaneRecovery } from './temporal/lane-recovery.js';
import { createMessenger } from './temporal/messenger.js';
import { createReleasesRecovery } from './temporal/releases-recovery.js';
import { createReleaseMessages } from './temporal/releases.js';
import { createLaneReader, createRequests } from './temporal/requests.js';
import { createTestCommand } from './tests/command.js';

export interface ActivityDeps {
  config: Config;
  aws: Aws;
  client: Client;
  identities: Identities;
  credentials: Credentials;
  log: Logger;
}

/** Queue `sluice` and, for what holds a slot for minutes, `sluice-watches`. */
export function createActivities({ config, aws, client, identities, credentials, log }: ActivityDeps) {
  const { org, team } = config.maintainers;
  const { requireMaintainer } = createMembership({ identities, team: `${org}/${team}` });
  const registry = createRegistryAccess({ config, aws });
  const { validate } = createValidate({ config, aws, registry });
  const readLane = createLaneReader(client);
  const ecs = createEcsActivities({
    config,
    aws,
    requireMaintainer,
    registryHost: async () => (await registry.login()).host,
  });
  const { findEnded, recoverLane } = createLaneRecovery(client);
  const releases = { ...createReleaseMessages({ client, readLane }), ...createReleasesRecovery(client) };
  const { tagImages } = createRetag({ aws, requireMaintainer });
  const github = createGitHubActivities({ config, credentials });
  const { repository } = config;
  const mirror = createMirror({ repository, token: credentials.token, outage: 'wait' });
  const { findMerges, relate } = createMerges({ config, mirror });
  const promotions = createPromotionsAtGitHub({ config, credentials });
  return {
    main: {
      ...createMessenger(client),
      findEnded: heartbeating(findEnded),
      recoverLane: heartbeating(recoverLane),
      ...createRequests(client),
      ...createRollbackActivities({ config, aws, validate, readLane }),
      authorise: heartbeating(async ({ actor }: { actor: string }) => await requireMaintainer(actor)),
      ...releases,
      liveRelease: heartbeating(releases.liveRelease),
      findEndedReleases: heartbeating(releases.findEndedReleases),
      recoverReleases: heartbeating(releases.recoverReleases),
      tagImages: heartbeating(tagImages),
      publishRelease: heartbeating(github.publishRelease),
      openChangelog: heartbeating(github.openChangelog),
      ...createPromotionActivities({ config, aws, client, readLane, relate, validate }),
      findMerges: heartbeating(findMerges),
      relate: heartbeating(relate),
      describeMerges: heartbeating(promotions.describeMerges),
      dispatchTests: promotions.dispatchTests,
      readTestRun: heartbeating(promotions.readTestRun),
      comment: heartbeating(promotions.comment),
      look: ecs.look,
      register: ecs.register,
      renderPlan: ecs.renderPlan,
      compareCommits: heartbeating(github.compareCommits),
      update: ecs.update,
      goBack: ecs.goBack,
      dossier: ecs.dossier,
      glance: ecs.glance,
      ...createNoticeActivities({
        ...{ config, credentials, env: process.env, log },
        comment: promotions.comment,
        readPromotions: createPromotionsReader(client),
      }),
      ...createReconcileActivities({ config, aws, client, identities, credentials, readLane }),
    },
    watches: { stabilise: ecs.stabilise, verify: ecs.verify, followTests: promotions.followTests },
  };
}

/** Queue `sluice-builds`: Docker and disk. */
export function createBuilds({
  config,
  aws,
  credentials,
}: Pick<ActivityDeps, 'config' | 'aws' | 'credentials'>) {
  const { token } = credentials;
  const mirror = createMirror({ repository: config.repository, token, outage: 'wait' });
  return { ...createBuildActivities({ config, aws, token }), ...createTestCommand({ config, mirror }) };
}

export type MainActivities = ReturnType<typeof createActivities>['main'];
export type WatchActivities = ReturnType<typeof createActivities>['watches'];
export type BuildActivities = ReturnType<typeof createBuilds>;
