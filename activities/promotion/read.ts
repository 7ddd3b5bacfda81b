/** A promotion queue by its memo: a strong read that needs no worker of it. */
import type { Client } from '@temporalio/client';
import { promotionWorkflowId } from '../../domain/ids.js';
import { MEMO } from '../../domain/messages.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { describe } from '../temporal/missing.js';

/** @returns a function: undefined where there is none, or none that has said anything yet */
export const createPromotionsReader =
  (client: Client) =>
  async (app: string): Promise<PromotionQueueView | undefined> =>
    (await describe(client, promotionWorkflowId(app)))?.memo?.[MEMO.promotions] as
      PromotionQueueView | undefined;
