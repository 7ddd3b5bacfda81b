/** Merges found, described, and brought to where they go: common to `delivery` and `reconcile`. */
import type { ActivityOptions } from '@temporalio/workflow';
import { isCancellation, log } from '@temporalio/workflow';
import type { MainActivities } from '../activities/index.js';
import type { Route } from '../domain/merges/routes.js';
import { distinctMerges, withDescriptions } from '../domain/merges/routes.js';
import type { MergesNews } from '../domain/messages.js';
import type { Merge } from '../domain/promotion/promotion.js';
import { activitiesOf } from './activities-of.js';
import { reads, tells, writes } from './effects.js';
import type { CodedFailure } from './failure.js';
import { codedFailure, wordsOf } from './failure.js';

type Source = Pick<MainActivities, 'findMerges' | 'describeMerges'>;

const COMMON = {
  heartbeatTimeout: '10s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
  cancellationType: 'TRY_CANCEL',
} as const satisfies ActivityOptions;

/** The mirror's first fetch of a large repository takes minutes. */
const FETCH = '15m';

/** A push is not forgotten because GitHub is away for a night. */
export const { findMerges } = activitiesOf<Source>({
  ...COMMON,
  startToCloseTimeout: FETCH,
  scheduleToCloseTimeout: '24h',
});
/** The next pass looks again: a source that is away holds this one up for little longer than one attempt. */
export const findNow = activitiesOf<Source>({
  ...COMMON,
  startToCloseTimeout: FETCH,
  scheduleToCloseTimeout: '20m',
  retry: { ...COMMON.retry, maximumAttempts: 3 },
}).findMerges;

/** Titles and people are good to have, but nothing waits long for them. */
const { describeMerges } = activitiesOf<Source>({
  ...COMMON,
  startToCloseTimeout: '2m',
  scheduleToCloseTimeout: '2m',
});
/** Up to three calls of GitHub each. */
const MOST_DESCRIBED = 100;

type Apps = Record<string, Merge[]>;

/** What cannot be had in time stays as git tells it. @param sender who pushed them all */
export async function described(apps: Apps, sender?: string): Promise<Apps> {
  const merges = distinctMerges(apps, MOST_DESCRIBED);
  if (merges.length === 0) return apps;
  let told: Merge[] = [];
  try {
    told = await describeMerges({ merges });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('GitHub does not describe these merges in time; what git tells stands', {
      error: wordsOf(error),
    });
  }
  return withDescriptions(apps, told, sender);
}

export interface Refused extends Pick<CodedFailure, 'code' | 'message'> {
  app: string;
}

/** One app that cannot be served keeps none of the others. @returns those that were not */
export async function bring(of: {
  news: Record<string, MergesNews>;
  newest: Record<string, Merge>;
}): Promise<Refused[]> {
  if (Object.keys(of.newest).length === 0) return [];
  const routes = await reads.routeMerges({ newest: of.newest });
  const refused = await Promise.all(routes.map((route) => bringOne(route, of)));
  return refused.filter((one) => one !== undefined);
}

async function bringOne(
  route: Route,
  { news }: { news: Record<string, MergesNews> },
): Promise<Refused | undefined> {
  const { app } = route;
  try {
    switch (route.to) {
      case 'promotion':
        if (news[app]) await tells.tellPromotions({ app, news: news[app] });
        return undefined;
      case 'build':
        await tells.startBuild({ app, commit: route.commit });
        return undefined;
      case 'staging':
        await writes.requestDeployment(route.request);
        return undefined;
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message } = codedFailure(error);
    log.warn('Merges were not brought to where they go', { app, to: route.to, code });
    return { app, code, message };
  }
}
