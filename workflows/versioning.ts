/** Which workflows stay with the release that they began with, where workers are versioned (docs/upgrade.md). */
import type { WorkflowDefinitionOptionsOrGetter } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import { WORKER_DEPLOYMENT } from '../domain/messages.js';

/**
 * For what ends by itself, soon. Looked at as it begins: a server refuses a behaviour from a worker without a
 * version.
 */
export const pinned: WorkflowDefinitionOptionsOrGetter = () =>
  workflowInfo().currentDeploymentVersion?.deploymentName === WORKER_DEPLOYMENT
    ? { versioningBehavior: 'PINNED' }
    : {};
