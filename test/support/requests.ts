import type { DeploymentRequest } from '../../domain/deployment.js';
import { deploymentId } from '../../domain/ids.js';

let count = 0;

/** A request for api on staging, with the present as its time of acceptance. */
export function request(change: Partial<DeploymentRequest> = {}): DeploymentRequest {
  count += 1;
  const app = change.app ?? 'api';
  const environment = change.environment ?? 'staging';
  return {
    id: deploymentId({ app, environment }, `test${count.toString().padStart(6, '0')}`),
    app,
    environment,
    kind: 'deploy',
    tag: 'a'.repeat(40),
    actor: 'alice',
    checkActor: true,
    queuedAt: new Date(Date.now() + count).toISOString(),
    limits: { tellAfterMs: 900_000, giveUpAfterMs: 3_600_000, verifyMs: 120_000 },
    ...change,
  };
}
