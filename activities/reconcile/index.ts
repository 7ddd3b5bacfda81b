/** What merges and the environments come to, beside what people ask for. */
import type { Client } from '@temporalio/client';
import type { Config } from '../../domain/config.js';
import { createMergeRouting } from './merges.js';

export interface ReconcileDeps {
  config: Config;
  client: Client;
}

export const createReconcileActivities = (deps: ReconcileDeps) => ({
  ...createMergeRouting(deps),
});
