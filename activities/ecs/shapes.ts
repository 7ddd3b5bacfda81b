/** What ECS answers, reduced to what the rules of `domain/` stand on. */
import type { Deployment, Service, ServiceEvent, Task } from '@aws-sdk/client-ecs';
import type { StoppedTask } from '../../domain/dossier.js';
import type { EventRead } from '../../domain/events.js';
import type { DeploymentRead, ServiceRead } from '../../domain/rollout/rollout.js';

/** @param begunAt epoch milliseconds before the call was sent */
export function toServiceRead(service: Service, begunAt: number): ServiceRead {
  const { deploymentConfiguration: settings, currentServiceDeployment } = service;
  const alarms = settings?.alarms;
  return {
    begunAt,
    status: service.status ?? 'MISSING',
    desired: service.desiredCount ?? 0,
    deployments: (service.deployments ?? []).map(toDeploymentRead),
    events: (service.events ?? []).flatMap(toEventRead),
    rollback: rollsBack(service) || Boolean(alarms?.enable && alarms.rollback),
    ...(currentServiceDeployment ? { serviceDeployment: currentServiceDeployment } : {}),
  };
}

/** A service that ECS does not know. */
export const missingService = (begunAt: number): ServiceRead => ({
  begunAt,
  status: 'MISSING',
  desired: 0,
  deployments: [],
  events: [],
  rollback: false,
});

/** Whether the circuit breaker is on, with rollback. */
export const rollsBack = (service: Service): boolean => {
  const breaker = service.deploymentConfiguration?.deploymentCircuitBreaker;
  return Boolean(breaker?.enable && breaker.rollback);
};

export const primaryOf = (service: Service): Deployment | undefined =>
  service.deployments?.find(({ status }) => status === 'PRIMARY');

function toDeploymentRead(deployment: Deployment): DeploymentRead {
  const { createdAt, rolloutState, rolloutStateReason } = deployment;
  return {
    id: deployment.id ?? '',
    status: deployment.status ?? '',
    revision: deployment.taskDefinition ?? '',
    desired: deployment.desiredCount ?? 0,
    running: deployment.runningCount ?? 0,
    pending: deployment.pendingCount ?? 0,
    failed: deployment.failedTasks ?? 0,
    ...(createdAt ? { createdAt: createdAt.toISOString() } : {}),
    ...(rolloutState ? { rolloutState } : {}),
    ...(rolloutStateReason ? { reason: rolloutStateReason } : {}),
  };
}

const toEventRead = ({ id, createdAt, message }: ServiceEvent): EventRead[] =>
  createdAt && message ? [{ ...(id ? { id } : {}), at: createdAt.toISOString(), message }] : [];

export function toStoppedTask(task: Task): StoppedTask {
  const { stoppedAt, stoppedReason } = task;
  return {
    arn: task.taskArn ?? '',
    revision: task.taskDefinitionArn ?? '',
    ...(stoppedAt ? { stoppedAt: stoppedAt.toISOString() } : {}),
    ...(stoppedReason ? { reason: stoppedReason } : {}),
    containers: (task.containers ?? []).map(({ name, exitCode, reason }) => ({
      name: name ?? '',
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(reason ? { reason } : {}),
    })),
  };
}
