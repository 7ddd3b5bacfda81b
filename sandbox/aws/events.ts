/** "ECS Deployment State Change", as EventBridge sends it to an API destination. */
import { randomUUID } from 'node:crypto';
import type { DeploymentRecord, ServiceRecord, World } from './state.js';

export type EventName = 'SERVICE_DEPLOYMENT_COMPLETED' | 'SERVICE_DEPLOYMENT_FAILED';

/** A rollback's end is told under the same names. Sent once: what is lost is lost. */
export function sendEvent(
  world: World,
  service: ServiceRecord,
  { deployment, name }: { deployment: DeploymentRecord; name: EventName },
): void {
  if (!world.events) return;
  const { url, secret } = world.events;
  const at = new Date().toISOString();
  const body = JSON.stringify({
    version: '0',
    id: randomUUID(),
    'detail-type': 'ECS Deployment State Change',
    source: 'aws.ecs',
    account: world.account,
    time: at,
    region: world.region,
    resources: [service.arn],
    detail: {
      eventType: name.endsWith('FAILED') ? 'ERROR' : 'INFO',
      eventName: name,
      deploymentId: deployment.id,
      updatedAt: at,
      reason: deployment.reason,
    },
  });
  const headers = { 'content-type': 'application/json', 'x-sluice-secret': secret };
  void fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(5_000) })
    .then((response) => response.arrayBuffer())
    .catch(() => undefined);
}
