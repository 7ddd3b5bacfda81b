/** What people are told of a promotion's changes: when, and what all channels say alike. */
import type { Config } from '../config/config.js';
import type { PromotionNews } from '../messages.js';
import type { Promotion } from './promotion.js';
import { shortTag } from '../summary.js';

export interface PromotionLinks {
  /** Where the queue can be seen and steered. */
  queue?: string;
  /** The deployments of it. */
  stagingDeployment?: string;
  productionDeployment?: string;
  /** The services themselves. */
  staging?: string;
  production?: string;
}

/** `publicUrl` is where the dashboard is reached. */
export function promotionLinks(
  { apps }: Pick<Config, 'apps'>,
  { app, staging, production }: Pick<Promotion, 'app' | 'staging' | 'production'>,
  publicUrl?: string,
): PromotionLinks {
  const base = publicUrl?.replace(/\/+$/, '');
  const environments = Object.hasOwn(apps, app) ? apps[app]?.environments : undefined;
  const page = (id: string | undefined): string | undefined =>
    base && id ? `${base}/deployments/${id}` : undefined;
  const all = {
    queue: base && `${base}/apps/${app}`,
    stagingDeployment: page(staging),
    productionDeployment: page(production),
    staging: environments?.['staging']?.url,
    production: environments?.['production']?.url,
  };
  return Object.fromEntries(Object.entries(all).filter(([, url]) => url));
}

/**
 * What a channel tells next: what something later has outdated is passed over, but an end never is.
 * @param arrived in the order in which it happened
 * @param from index of the first one that is not told yet
 * @returns its index
 */
export function nextNews(arrived: readonly PromotionNews[], from: number): number | undefined {
  if (from >= arrived.length) return undefined;
  const end = arrived.findIndex(({ change }, index) => index >= from && change === 'ended');
  return end === -1 ? arrived.length - 1 : end;
}

export const isSameNews = (one: PromotionNews, other: PromotionNews): boolean =>
  one.at === other.at && one.change === other.change;

const ORDER: readonly string[] = [
  'staging',
  'testing',
  'unlocked',
  'waiting',
  'escalated',
  'production',
  'ended',
] satisfies PromotionNews['change'][];

/** A promotion may go back (retry): time decides, and what happens at the same moment happens in this order. */
export const isLaterNews = (
  one: { at: string; change: string },
  than: { at: string; change: string },
): boolean =>
  one.at > than.at || (one.at === than.at && ORDER.indexOf(one.change) > ORDER.indexOf(than.change));

/** A merge that another one took along before it began: whoever carries it tells of it. */
export const isCarried = ({ stage, startedAt, carriedBy }: Promotion): boolean =>
  stage === 'superseded' && startedAt === undefined && carriedBy !== undefined;

/** Which attempt passed, whether there were any: said where it is approved. */
export function testsWords({ tests }: Pick<Promotion, 'tests'>): string {
  if (!tests) return 'no tests are configured';
  const { state, attempt } = tests;
  const at = attempt > 1 ? ` at attempt ${attempt}` : '';
  return {
    passed: `its tests passed${at}`,
    running: 'its tests run',
    failed: `its tests failed${at}`,
    inconclusive: `its tests told nothing${at}`,
  }[state];
}

/** Who merged is told; GitHub's word for who wrote it stands where nobody else is known. */
export const mergerNameOf = ({ merges }: Pick<Promotion, 'merges'>): string | undefined => {
  const last = merges.at(-1);
  return last && (last.mergedBy ?? last.author);
};

/** One line of a log. */
export function promotionHeadline({ change, promotion }: PromotionNews): string {
  const { app, release, stage, failedStage, waitingFor } = promotion;
  const what = `${app} @ ${shortTag(release)}`;
  if (change === 'ended') return `${stage}${failedStage ? ` at ${failedStage}` : ''}: promotion of ${what}`;
  if (change === 'waiting' || change === 'escalated')
    return `${change} (${waitingFor?.code ?? ''}): promotion of ${what}`;
  return `${change}: promotion of ${what}`;
}
