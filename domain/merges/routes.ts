/** What becomes of the merges of a push, app by app: the configuration decides. */
import type { AppConfig, Config } from '../config/config.js';
import type { DeploymentRequest } from '../deployment.js';
import { deploymentId } from '../ids.js';
import type { Merge } from '../promotion/promotion.js';

/** `promotion`: its queue is told of all of them. The others want the newest one alone. */
export type Route =
  | { app: string; to: 'promotion' }
  | { app: string; to: 'build'; commit: string }
  | { app: string; to: 'staging'; request: DeploymentRequest };

export interface RouteInput {
  /** App → its newest merge. */
  newest: Record<string, Merge>;
  /** ISO 8601. */
  now: string;
}

const STAGING = 'staging';

/**
 * An app without staging has nothing that a merge could go to: it has no route.
 * @returns in the order of the apps' names
 */
export function routesOf(config: Pick<Config, 'apps' | 'limits'>, { newest, now }: RouteInput): Route[] {
  return Object.entries(newest)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([app, merge]): Route[] => {
      const settings = Object.hasOwn(config.apps, app) ? config.apps[app] : undefined;
      const to = settings && placeOf(settings);
      if (to === undefined) return [];
      if (to === 'promotion') return [{ app, to }];
      if (to === 'build') return [{ app, to, commit: merge.sha }];
      return [{ app, to, request: stagingRequest(config.limits, { app, merge, now }) }];
    });
}

/** Those whose merges wait in a queue. */
export const hasQueue = ({ promotion }: AppConfig): boolean => promotion !== undefined;

/** Those whose merges go somewhere, without a queue that remembers them. */
export const isRouted = (app: AppConfig): boolean => !hasQueue(app) && placeOf(app) !== undefined;

function placeOf(app: AppConfig): Route['to'] | undefined {
  if (hasQueue(app)) return 'promotion';
  if (app.releaseOnly) return 'build';
  return Object.hasOwn(app.environments, STAGING) ? 'staging' : undefined;
}

/** The same merge is the same deployment, whoever finds it: nothing in it but `queuedAt` may differ between two of them. */
function stagingRequest(
  { tellAfterMs, giveUpAfterMs, verifyMs }: Config['limits'],
  { app, merge, now }: { app: string; merge: Merge; now: string },
): DeploymentRequest {
  const { sha, mergedBy, author } = merge;
  const target = { app, environment: STAGING };
  return {
    ...target,
    id: deploymentId(target, `merge${sha.slice(0, 16)}`),
    kind: 'deploy',
    tag: sha,
    commit: sha,
    actor: mergedBy ?? author,
    // Rule 11: a merge authorises its own staging deployment.
    checkActor: false,
    queuedAt: now,
    limits: { tellAfterMs, giveUpAfterMs, verifyMs },
  };
}

/** What a later look at the branch found wins: pushes may be heard of in any order. */
export function newestOf(
  apps: Record<string, Merge[]>,
  later: Record<string, Merge[]> = {},
): Record<string, Merge> {
  return Object.fromEntries(
    Object.entries(apps).flatMap(([app, merges]) => {
      const newest = later[app]?.at(-1) ?? merges.at(-1);
      return newest ? [[app, newest]] : [];
    }),
  );
}

/** Each merge once, the newest `most` of them in the order of the branch: an app's merge may be another's too. */
export function distinctMerges(apps: Record<string, Merge[]>, most: number): Merge[] {
  const all = new Map(Object.values(apps).flatMap((merges) => merges.map((merge) => [merge.sha, merge])));
  return [...all.values()].sort((a, b) => a.position - b.position).slice(-most);
}

/**
 * @param told merges as GitHub describes them; those that are not among them stay as git tells them
 * @param sender login of who pushed them all: who merged, where nobody better is known
 */
export function withDescriptions(
  apps: Record<string, Merge[]>,
  told: readonly Merge[],
  sender?: string,
): Record<string, Merge[]> {
  const bySha = new Map(told.map((merge) => [merge.sha, merge]));
  const person = sender?.endsWith('[bot]') ? undefined : sender;
  const described = (merge: Merge): Merge => {
    const known = bySha.get(merge.sha) ?? merge;
    return known.mergedBy || !person ? known : { ...known, mergedBy: person };
  };
  return Object.fromEntries(Object.entries(apps).map(([app, merges]) => [app, merges.map(described)]));
}
