/** What people do with a promotion queue of a real stack, and how it stands. */
import type { Promotion, PromotionQueueView, Stage } from '../../domain/promotion/promotion.js';
import type { Answer, Lane, Person, Site } from './site.js';
import { API_PRODUCTION, API_STAGING, FRONTEND_PRODUCTION, FRONTEND_STAGING, until } from './site.js';

type App = Lane['app'];
type Behaviour = NonNullable<Parameters<Site['sample']['commit']>[0]>['behaviour'];

export const STAGING: Record<App, Lane> = { api: API_STAGING, frontend: FRONTEND_STAGING };
export const PRODUCTION: Record<App, Lane> = { api: API_PRODUCTION, frontend: FRONTEND_PRODUCTION };

export interface PromotionsAt {
  app: App;
  queue(): Promise<PromotionQueueView>;
  becomes(what: string, wanted: (queue: PromotionQueueView) => boolean): Promise<PromotionQueueView>;
  /** A pull request of ann's, merged by alice. @returns the merge's commit */
  merge(title: string, behaviour?: Behaviour): Promise<string>;
  /** The promotion of this release, wherever it stands. */
  promotion(release: string): Promise<Promotion | undefined>;
  /** Waits until the promotion of this release is in this stage; with `code`, waiting with it. */
  reaches(release: string, stage: Stage, code?: string): Promise<Promotion>;
  /** The newest waits for its approval. */
  unlocked(release: string): Promise<Promotion>;
  ask(
    what: 'approve' | 'reject' | 'cancel' | 'retry' | 'resolve' | 'tests',
    body: object,
    as?: Person,
  ): Promise<Answer>;
  /** @throws unless it was taken */
  approve(release: string, more?: object): Promise<PromotionQueueView>;
  lock(reason: string): Promise<Answer>;
  unlock(): Promise<Answer>;
}

/** @param withinMs of each wait; absent: what a played world takes at the most */
export function promotionsAt(site: Pick<Site, 'ask' | 'github'>, app: App, withinMs?: number): PromotionsAt {
  const queue: PromotionsAt['queue'] = async () => {
    const { status, body, text } = await site.ask('GET', `/api/promotions/${app}`);
    if (status !== 200) throw new Error(`${status} ${text}`);
    return body as PromotionQueueView;
  };
  const becomes: PromotionsAt['becomes'] = async (what, wanted) => {
    let last: PromotionQueueView | undefined;
    const look = async (): Promise<PromotionQueueView | false> => {
      last = await queue();
      return wanted(last) && last;
    };
    return until(what, look, withinMs).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${JSON.stringify(last, null, 1)}`);
    });
  };
  const find = ({ current, waiting, recent }: PromotionQueueView, release: string): Promotion | undefined =>
    [current, ...waiting, ...recent].find((one) => one?.release === release);
  const reaches: PromotionsAt['reaches'] = async (release, stage, code) => {
    const what = `${release.slice(0, 7)} is in ${stage}${code ? `, waiting with ${code}` : ''}`;
    const view = await becomes(what, (one) => {
      const found = find(one, release);
      return found?.stage === stage && (code === undefined || found.waitingFor?.code === code);
    });
    const found = find(view, release);
    if (!found) throw new Error('it was there a moment ago');
    return found;
  };
  const ask: PromotionsAt['ask'] = (what, body, as = 'alice') =>
    site.ask('POST', `/api/promotions/${app}/${what}`, { body, as });
  return {
    app,
    queue,
    becomes,
    reaches,
    ask,
    promotion: async (release) => find(await queue(), release),
    merge: async (title, behaviour = 'good') => {
      const { sha } = await site.github.mergePullRequest({
        title,
        author: 'ann',
        app,
        behaviour,
        by: 'alice',
      });
      return sha;
    },
    unlocked: (release) => reaches(release, 'awaiting-approval', 'APPROVAL'),
    approve: async (release, more = {}) => {
      const answer = await ask('approve', { release, ...more });
      if (answer.status !== 200) throw new Error(`Not approved: ${answer.status} ${answer.text}`);
      return answer.body as PromotionQueueView;
    },
    lock: (reason) => site.ask('PUT', `/api/locks/promotions/${app}`, { body: { reason } }),
    unlock: () => site.ask('DELETE', `/api/locks/promotions/${app}`, { body: {} }),
  };
}
