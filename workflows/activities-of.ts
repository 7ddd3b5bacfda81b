import type { ActivityOptions } from '@temporalio/workflow';
import { proxyActivities } from '@temporalio/workflow';
import { activitySummary } from '../domain/summary.js';

type Activities = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** `proxyActivities`, each call with a line of its own in the Temporal UI: people follow it without reading code. */
export function activitiesOf<T>(options: ActivityOptions): T {
  const activities = proxyActivities<Activities>(options);
  return new Proxy(
    {},
    {
      get:
        (_, name: string) =>
        (...args: unknown[]) =>
          activities[name]?.executeWithOptions({ summary: activitySummary(name, args[0]) }, args),
    },
  ) as T;
}
