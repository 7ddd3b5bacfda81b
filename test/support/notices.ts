import type { Deployment } from '../../domain/deployment.js';
import type { Notice } from '../../domain/messages.js';

/** A release of api to production that alice asked for. */
export const deploymentOf = (more: Partial<Deployment> = {}): Deployment => ({
  id: 'production.api.k3j2',
  app: 'api',
  environment: 'production',
  kind: 'release',
  tag: 'rel-2026.01.02.03.04.05',
  actor: 'alice',
  state: 'running',
  steps: [],
  warnings: [],
  queuedAt: new Date().toISOString(),
  ...more,
});

export const noticeOf = (
  change: Notice['change'],
  more: Partial<Deployment> = {},
  at = new Date().toISOString(),
): Notice => ({ at, change, deployment: deploymentOf(more) });
