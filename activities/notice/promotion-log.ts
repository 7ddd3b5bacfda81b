/** A promotion's change, as a line in the log. */
import type { Logger } from 'pino';
import type { PromotionNews } from '../../domain/messages.js';
import { promotionHeadline } from '../../domain/promotion/notice.js';

export const createDeliverPromotion =
  (log: Pick<Logger, 'info'>) =>
  async (news: PromotionNews): Promise<void> => {
    const { change, promotion } = news;
    const { id, stage, failure, waitingFor } = promotion;
    log.info(
      {
        ...{ promotion: id, change, stage },
        ...(failure ? { failure } : {}),
        ...(waitingFor ? { waitingFor: waitingFor.code } : {}),
      },
      promotionHeadline(news),
    );
  };
