/**
 * What tells a rollback by ECS from somebody else's deployment: both put another deployment in our place.
 * Evidence that belongs to a later deployment, itself rolled back, is not ours.
 */
import type { EventRead } from '../events.js';
import type { DeploymentRead, Memory, ServiceRead } from './read.js';
import { primaryOf } from './words.js';

const ROLLS_BACK = /\broll(?:ing|ed|s)?[ -]?back\b/i;
const FAILED_DEPLOYMENT = /\(deployment (ecs-svc\/[^\s)]+)\) deployment failed/;

/** @returns how it is known that ECS rolls ours back, in plain words; undefined where nothing tells it */
export function rollbackEvidence(read: ServiceRead, memory: Memory, from: string): string | undefined {
  if (memory.failed && !isPrimary(read, memory))
    return reasonOfOurs(read, memory) ?? 'its deployment is FAILED';
  const asked = read.serviceDeployments?.find(({ arn }) => arn === memory.serviceDeployment);
  if (asked?.status.startsWith('ROLLBACK_'))
    return asked.reason ?? `its service deployment is ${asked.status}`;
  const primary = primaryOf(read);
  if (!primary || primary.id === memory.deployment) return undefined;
  const named = failureOf(read, memory);
  if (named) return named.message;
  const events = read.events.filter(({ at }) => Date.parse(at) >= Date.parse(from));
  // A PRIMARY from before ours, its words unchanged since, says nothing of ours unless ours was there.
  const later = memory.seen || Date.parse(primary.createdAt ?? '') >= Date.parse(from);
  if (!later || anotherFailed({ read, memory, events, primary })) return undefined;
  if (primary.reason && ROLLS_BACK.test(primary.reason)) return primary.reason;
  return events.find(({ message }) => ROLLS_BACK.test(message))?.message;
}

/** Whether something in the read names ours as the one that failed: no absence has to be waited out. */
export const addressed = (read: ServiceRead, memory: Memory): boolean =>
  failureOf(read, memory) !== undefined;

/** Ids are never used twice: an event that names ours needs no look at its time. */
const failureOf = (read: ServiceRead, memory: Memory): EventRead | undefined =>
  memory.deployment === undefined
    ? undefined
    : read.events.find(({ message }) => failedIn(message) === memory.deployment);

const failedIn = (message: string): string | undefined => FAILED_DEPLOYMENT.exec(message)?.[1];

const isPrimary = (read: ServiceRead, memory: Memory): boolean =>
  read.deployments.some(({ id, status }) => id === memory.deployment && status === 'PRIMARY');

const reasonOfOurs = (read: ServiceRead, memory: Memory): string | undefined =>
  read.deployments.find(({ id }) => id === memory.deployment)?.reason || undefined;

function anotherFailed(input: {
  read: ServiceRead;
  memory: Memory;
  events: EventRead[];
  primary: DeploymentRead;
}): boolean {
  const { read, memory, events, primary } = input;
  const byEvent = events.some(({ message }) => {
    const failed = failedIn(message);
    return failed !== undefined && failed !== memory.deployment;
  });
  const byState = read.deployments.some(
    ({ id, rolloutState, createdAt }) =>
      rolloutState === 'FAILED' &&
      id !== memory.deployment &&
      id !== primary.id &&
      (createdAt ?? '') > (memory.startedAt ?? '\uffff'),
  );
  return byEvent || byState;
}
