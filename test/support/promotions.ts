import type { PromotionNews } from '../../domain/messages.js';
import type { Promotion } from '../../domain/promotion/promotion.js';
import { mergeOf } from './merges.js';

export const PROMOTED = mergeOf(7).sha;

/** A change of api that alice wrote and bob merged. */
export const promotionOf = (more: Partial<Promotion> = {}): Promotion => ({
  id: `api.${PROMOTED}`,
  app: 'api',
  release: PROMOTED,
  merges: [mergeOf(7, { mergedBy: 'bob' })],
  stage: 'staging',
  queuedAt: '2026-01-02T03:00:00.000Z',
  startedAt: '2026-01-02T03:00:01.000Z',
  ...more,
});

let clock = Date.parse('2026-01-02T03:04:05Z');

/** Each is later than the one before. */
export const newsOf = (
  change: PromotionNews['change'],
  more: Partial<Promotion> = {},
  at = new Date((clock += 1_000)).toISOString(),
): PromotionNews => ({ at, change, promotion: promotionOf(more) });
