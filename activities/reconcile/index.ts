/** What merges and the environments come to, beside what people ask for. */
import type { Client } from '@temporalio/client';
import type { Aws } from '../../clients/aws.js';
import type { Credentials } from '../../clients/github-credentials.js';
import type { Identities } from '../../clients/identity.js';
import type { Config } from '../../domain/config/config.js';
import { heartbeating } from '../heartbeat.js';
import type { LaneReader } from '../temporal/requests.js';
import { createDrift } from './drift.js';
import { createHeads } from './heads.js';
import { createMembers } from './members.js';
import { createMergeRouting } from './merges.js';

export interface ReconcileDeps {
  config: Config;
  aws: Pick<Aws, 'ecs'>;
  client: Client;
  identities: Identities;
  credentials: Credentials;
  readLane: LaneReader;
}

/** One that needs to be told nothing. */
const alive = <T>(work: () => Promise<T>): Promise<T> => heartbeating<undefined, T>(work)(undefined);

export function createReconcileActivities(deps: ReconcileDeps) {
  const merges = createMergeRouting(deps);
  const heads = createHeads({ ...deps, tellPromotions: merges.tellPromotions });
  const drift = createDrift(deps);
  const { rememberMembers } = createMembers(deps);
  return {
    ...merges,
    routeMerges: heartbeating(merges.routeMerges),
    knownHeads: async () => await alive(heads.knownHeads),
    lookAfresh: async () => await alive(heads.lookAfresh),
    tellQueues: heartbeating(heads.tellQueues),
    findDrift: async () => await alive(drift.findDrift),
    tellDrift: drift.tellDrift,
    rememberMembers: async () => await alive(rememberMembers),
  };
}
