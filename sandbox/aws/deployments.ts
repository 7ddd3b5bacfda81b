/** How deployments of a service begin, complete, fail and are rolled back. */
import { sendEvent } from './events.js';
import { addEvent, arn, digitsId, primaryOf } from './state.js';
import type { DeploymentRecord, ServiceDeploymentRecord, ServiceRecord, StartedBy, World } from './state.js';

export const revisionArn = (world: World, service: ServiceRecord, deployment: string): string =>
  arn(world, `service-revision/${service.cluster}/${service.name}/${deployment.split('/').at(-1)}`);

const SETTLED: readonly string[] = ['SUCCESSFUL', 'STOPPED', 'ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED'];
export const isSettled = (record: ServiceDeploymentRecord): boolean => SETTLED.includes(record.status);

function setStatus(record: ServiceDeploymentRecord, changes: Partial<ServiceDeploymentRecord>): void {
  Object.assign(record, changes, { updatedAt: Date.now() });
  if (isSettled(record)) record.finishedAt = Date.now();
}

interface BeginInput {
  taskDefinition: string;
  by: StartedBy;
  /** A rollback goes on with the service deployment that it rolls back. */
  rollbackOf?: ServiceDeploymentRecord;
}

export function beginDeployment(world: World, service: ServiceRecord, input: BeginInput): DeploymentRecord {
  const now = Date.now();
  const id = `ecs-svc/${digitsId()}`;
  const previous = primaryOf(service);
  if (previous) {
    previous.status = 'ACTIVE';
    previous.updatedAt = now;
    if (!input.rollbackOf && !isSettled(previous.serviceDeployment)) {
      setStatus(previous.serviceDeployment, {
        status: 'STOPPED',
        stoppedAt: now,
        statusReason: 'A newer service deployment replaced this one.',
      });
    }
  }
  const deployment: DeploymentRecord = {
    id,
    status: 'PRIMARY',
    taskDefinition: input.taskDefinition,
    rolloutState: 'IN_PROGRESS',
    reason: input.rollbackOf
      ? `ECS deployment circuit breaker: rolling back to deploymentId ${id}.`
      : `ECS deployment ${id} in progress.`,
    failedTasks: 0,
    createdAt: now,
    updatedAt: now,
    by: input.by,
    rollback: input.rollbackOf !== undefined,
    serviceDeployment: input.rollbackOf ?? newServiceDeployment(world, service, id, now),
    retryAt: 0,
  };
  service.deployments.unshift(deployment);
  service.history.push(deployment);
  service.stableAt = undefined;
  return deployment;
}

function newServiceDeployment(
  world: World,
  service: ServiceRecord,
  deployment: string,
  now: number,
): ServiceDeploymentRecord {
  const record: ServiceDeploymentRecord = {
    arn: arn(world, `service-deployment/${service.cluster}/${service.name}/${digitsId()}`),
    status: 'IN_PROGRESS',
    sourceRevision: service.lastCompleted && revisionArn(world, service, service.lastCompleted.id),
    targetRevision: revisionArn(world, service, deployment),
    createdAt: now,
    updatedAt: now,
  };
  service.serviceDeployments.unshift(record);
  return record;
}

export function completeDeployment(service: ServiceRecord, deployment: DeploymentRecord): void {
  deployment.rolloutState = 'COMPLETED';
  deployment.reason = `ECS deployment ${deployment.id} completed.`;
  deployment.updatedAt = Date.now();
  service.lastCompleted = deployment;
  setStatus(deployment.serviceDeployment, {
    status: deployment.rollback ? 'ROLLBACK_SUCCESSFUL' : 'SUCCESSFUL',
  });
  addEvent(service, `(deployment ${deployment.id}) deployment completed.`);
  addEvent(service, 'has reached a steady state.');
}

/** The circuit breaker has tripped. */
export function failDeployment(world: World, service: ServiceRecord, deployment: DeploymentRecord): void {
  const breaker = service.deploymentConfiguration.deploymentCircuitBreaker;
  addEvent(service, `(deployment ${deployment.id}) deployment failed: tasks failed to start.`);
  markFailed(deployment);
  sendEvent(world, service, { deployment, name: 'SERVICE_DEPLOYMENT_FAILED' });
  if (!breaker?.rollback || deployment.rollback) {
    setStatus(deployment.serviceDeployment, {
      status: deployment.rollback ? 'ROLLBACK_FAILED' : 'STOPPED',
      stoppedAt: Date.now(),
      statusReason: 'Service deployment circuit breaker: tasks failed to start.',
    });
    return;
  }
  rollBack(world, service, {
    deployment,
    by: 'breaker',
    reason: 'Service deployment circuit breaker triggered.',
  });
}

function markFailed(deployment: DeploymentRecord): void {
  deployment.rolloutState = 'FAILED';
  deployment.reason = 'ECS deployment circuit breaker: tasks failed to start.';
  deployment.updatedAt = Date.now();
}

/** Back to the last COMPLETED deployment's revision; no new revision is made. */
export function rollBack(
  world: World,
  service: ServiceRecord,
  input: { deployment: DeploymentRecord; by: StartedBy; reason: string },
): void {
  const { deployment, by, reason } = input;
  const target = service.lastCompleted;
  if (!target) {
    setStatus(deployment.serviceDeployment, {
      status: 'STOPPED',
      stoppedAt: Date.now(),
      statusReason: 'No rollback candidate was found to run the rollback.',
    });
    return;
  }
  if (by === 'StopServiceDeployment') {
    deployment.rolloutState = 'FAILED';
    deployment.reason = `ECS deployment ${deployment.id} was stopped by the user.`;
  }
  const reused = service.behaviour.rollbackReusesDeployment && service.deployments.includes(target);
  const next = reused
    ? promoteAgain(service, target, deployment)
    : beginDeployment(world, service, {
        taskDefinition: target.taskDefinition,
        by,
        rollbackOf: deployment.serviceDeployment,
      });
  if (by === 'StopServiceDeployment') next.reason = `ECS deployment ${next.id} in progress.`;
  setStatus(deployment.serviceDeployment, {
    status: 'ROLLBACK_IN_PROGRESS',
    statusReason: reason,
    rollback: { reason, startedAt: Date.now(), serviceRevisionArn: revisionArn(world, service, target.id) },
  });
  addEvent(service, `rolling back to deployment ${next.id}.`);
}

function promoteAgain(
  service: ServiceRecord,
  target: DeploymentRecord,
  failed: DeploymentRecord,
): DeploymentRecord {
  failed.status = 'ACTIVE';
  Object.assign(target, {
    status: 'PRIMARY',
    rolloutState: 'IN_PROGRESS',
    reason: `ECS deployment circuit breaker: rolling back to deploymentId ${target.id}.`,
    rollback: true,
    serviceDeployment: failed.serviceDeployment,
    readySince: undefined,
    failedTasks: 0,
    updatedAt: Date.now(),
  } satisfies Partial<DeploymentRecord>);
  service.stableAt = undefined;
  return target;
}
