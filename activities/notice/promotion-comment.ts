/** Shows on a pull request where its change is. Without credentials for GitHub: nothing. */
import type { Credentials } from '../../clients/github-credentials.js';
import type { Config } from '../../domain/config/config.js';
import type { CommentNews } from '../../domain/promotion/comment.js';
import { commentBody, commentMarker } from '../../domain/promotion/comment.js';
import type { CommentInput } from '../../domain/promotion/effects.js';
import { promotionLinks } from '../../domain/promotion/notice.js';
import type { Promotion, PromotionQueueView } from '../../domain/promotion/promotion.js';
import { hasAny } from './github.js';

export interface PromotionCommentDeps {
  config: Pick<Config, 'apps' | 'maintainers'>;
  credentials: Pick<Credentials, 'token'>;
  /** `SLUICE_PUBLIC_URL` */
  publicUrl?: string | undefined;
  comment(input: CommentInput): Promise<void>;
  readPromotions(app: string): Promise<PromotionQueueView | undefined>;
}

/** @throws ApplicationFailure as `comment` */
export function createPromotionComment(deps: PromotionCommentDeps) {
  const { config, credentials, publicUrl, comment } = deps;
  const { org, team } = config.maintainers;
  return async ({ news, pullRequest, others }: CommentNews): Promise<void> => {
    if (!(await hasAny(credentials))) return;
    const carrier = await carrierOf(deps, { promotion: news.promotion, pullRequest });
    const promotion = carrier ?? news.promotion;
    const body = commentBody({
      promotion,
      others: carrier ? carrier.merges.filter((merge) => merge.pullRequest !== pullRequest).length : others,
      links: promotionLinks(config, promotion, publicUrl),
      team: `${org}/${team}`,
      escalated: !carrier && news.change === 'escalated',
    });
    await comment({ pullRequest, marker: commentMarker(promotion.app), body });
  };
}

/**
 * A change that another promotion took along is where that one is; it tells of it too, in the same comment. Which of
 * both comes first must not matter.
 */
async function carrierOf(
  { readPromotions }: PromotionCommentDeps,
  { promotion, pullRequest }: { promotion: Promotion; pullRequest: number },
): Promise<Promotion | undefined> {
  const { app, stage, carriedBy } = promotion;
  if (stage !== 'superseded' || !carriedBy) return undefined;
  const view = await readPromotions(app);
  const known = [...(view?.current ? [view.current] : []), ...(view?.recent ?? [])];
  const carrier = known.find(({ id }) => id === carriedBy);
  return carrier?.merges.some((merge) => merge.pullRequest === pullRequest) ? carrier : undefined;
}
