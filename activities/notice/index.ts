/** Everything that people are told by: an activity for each channel, so that each is retried on its own. */
import type { Logger } from 'pino';
import type { Credentials } from '../../clients/github-credentials.js';
import type { Config } from '../../domain/config/config.js';
import type { CommentInput } from '../../domain/promotion/effects.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { createDeliver } from './deliver.js';
import { createNoticeGitHub } from './github.js';
import { createDriftNotices } from './drift.js';
import { createPromotionComment } from './promotion-comment.js';
import { createDeliverPromotion } from './promotion-log.js';
import { createPromotionSlack } from './promotion-slack.js';
import { createNoticeSlack } from './slack.js';

export interface NoticeDeps {
  config: Config;
  credentials: Credentials;
  env: Record<string, string | undefined>;
  log: Pick<Logger, 'info' | 'warn'>;
  comment(input: CommentInput): Promise<void>;
  /** @returns undefined where there is no queue */
  readPromotions(app: string): Promise<PromotionQueueView | undefined>;
}

export function createNoticeActivities(deps: NoticeDeps) {
  const { config, credentials, env, log } = deps;
  const publicUrl = env['SLUICE_PUBLIC_URL'];
  return {
    deliver: createDeliver(log),
    noticeGitHub: createNoticeGitHub({ config, credentials, publicUrl }),
    noticeSlack: createNoticeSlack({ config, env }),
    deliverPromotion: createDeliverPromotion(log),
    promotionSlack: createPromotionSlack({ config, env }),
    promotionComment: createPromotionComment({ ...deps, publicUrl }),
    ...createDriftNotices({ env, log }),
  };
}
