/** What is left of a rollout that did not succeed: stopped tasks grouped by why they stopped. */
import type { StoppedTasks } from './deployment.js';

export interface StoppedTask {
  arn: string;
  /** Task definition ARN. */
  revision: string;
  /** ISO 8601. */
  stoppedAt?: string;
  /** ECS's `stoppedReason`. */
  reason?: string;
  containers: { name: string; exitCode?: number; reason?: string }[];
}

const MOST_GROUPS = 10;
const MOST_EXAMPLES = 3;
const LONGEST_REASON = 300;

/**
 * Tasks of one reason with the same exit codes are one group; ids within a reason do not tell groups apart.
 * Largest group first, at most ten.
 */
export function groupStopped(tasks: readonly StoppedTask[]): StoppedTasks[] {
  const groups = new Map<string, StoppedTasks>();
  for (const task of tasks) {
    const reason = reasonOf(task);
    const exitCodes = exitCodesOf(task);
    const key = JSON.stringify([withoutIds(reason), exitCodes]);
    const group = groups.get(key) ?? { reason, count: 0, exitCodes, examples: [] };
    group.count += 1;
    if (group.examples.length < MOST_EXAMPLES) group.examples.push(task.arn);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count).slice(0, MOST_GROUPS);
}

/** ECS's reason, and what its containers add to it. */
function reasonOf(task: StoppedTask): string {
  const own = task.reason ?? 'no reason given';
  const added = task.containers.flatMap(({ name, reason }) =>
    reason && !own.includes(reason) ? [`${name}: ${reason}`] : [],
  );
  const words = [own, ...added].join('; ');
  return words.length > LONGEST_REASON ? `${words.slice(0, LONGEST_REASON - 1)}…` : words;
}

const exitCodesOf = (task: StoppedTask): Record<string, number> =>
  Object.fromEntries(
    task.containers
      .flatMap(({ name, exitCode }): [string, number][] => (exitCode === undefined ? [] : [[name, exitCode]]))
      .sort(([a], [b]) => a.localeCompare(b)),
  );

const withoutIds = (reason: string): string =>
  reason.replace(/[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|\b[0-9a-f]{12,}\b|\b\d+(?:\.\d+)*\b/gi, '#');
