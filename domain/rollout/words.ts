/** What was read, in plain words. */
import type { DeploymentRead, ServiceRead } from './read.js';

export const primaryOf = (read: ServiceRead): DeploymentRead | undefined =>
  read.deployments.find(({ status }) => status === 'PRIMARY');

/** `family:revision` of an ARN. */
export const shortName = (revision: string): string => revision.split('/').at(-1) ?? revision;

/** What ECS does now, in plain words. */
export function nowWords(read: ServiceRead): string {
  if (read.status !== 'ACTIVE') return `The service is ${read.status}`;
  const primary = primaryOf(read);
  if (!primary) return 'The service has no deployment';
  const others = read.deployments.filter((deployment) => deployment !== primary && deployment.running > 0);
  const states = [primary.rolloutState, primary.reason].filter(Boolean).join(': ');
  const list = others.map(({ running, revision }) => `, ${running} of ${shortName(revision)}`).join('');
  return `PRIMARY is ${shortName(primary.revision)}${states ? ` (${states})` : ''}: ${primary.running} of ${read.desired} running, ${primary.pending} pending${list}`;
}
