/**
 * Worker Deployments: a release of Sluice takes new work while the one before ends what it began. Deployments and
 * builds are pinned, all else moves to the current version at its next task (docs/upgrade.md).
 */
import type { WorkerOptions } from '@temporalio/worker';
import { ConfigError } from '../clients/config.js';
import { WORKER_DEPLOYMENT } from '../domain/messages.js';

export type Versioning = NonNullable<WorkerOptions['workerDeploymentOptions']>;

/**
 * @returns undefined where it is off
 * @throws {ConfigError} where it is on without a release
 */
export function versioningOf(env: Record<string, string | undefined>): Versioning | undefined {
  const wanted = env['SLUICE_WORKER_VERSIONING'];
  if (!wanted || wanted === '0') return undefined;
  if (wanted !== '1') throw new ConfigError('SLUICE_WORKER_VERSIONING must be 1, or not set');
  const buildId = env['SLUICE_RELEASE'];
  if (!buildId) {
    throw new ConfigError(
      'SLUICE_WORKER_VERSIONING needs SLUICE_RELEASE: the release that this worker is of',
    );
  }
  return {
    version: { deploymentName: WORKER_DEPLOYMENT, buildId },
    useWorkerVersioning: true,
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  };
}
