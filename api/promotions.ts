/** What is told to a promotion queue: form only. Whether it may be done now, the queue itself decides. */
import type { FastifyRequest } from 'fastify';
import type { PromotionQueueView } from '../domain/promotion/promotion.js';
import { shortTag } from '../domain/summary.js';
import { assertPromoted } from './checks.js';
import type { Context } from './context.js';
import { ApiError } from './errors.js';
import type { QueueCommand } from './temporal/promotions.js';
import { readQueue, tellQueue } from './temporal/promotions.js';

interface Told {
  context: Context;
  request: FastifyRequest;
  app: string;
  told: QueueCommand;
}

/** @throws ApiError with the queue's own code where it refuses, or an outage */
export async function tellPromotions({ context, request, app, told }: Told): Promise<PromotionQueueView> {
  const policy = assertPromoted(context.config, app);
  const { key: _key, by, ...what } = told.input;
  try {
    const view = await tellQueue(context.temporal, app, told);
    request.log.info({ app, command: told.update, actor: by, ...what }, 'promotion queue told');
    return view;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500 || !('release' in told.input)) throw error;
    const { current } = await readQueue(context.temporal, app, policy);
    throw naming(error, told.input.release, current);
  }
}

/** Who named another release is told which one it is about. */
function naming(refused: ApiError, asked: string, current: PromotionQueueView['current']): ApiError {
  if (!current || current.release === asked) return refused;
  const { release, stage } = current;
  const is = `The current promotion is of ${release} (${stage}), and ${shortTag(asked)} is not that`;
  return new ApiError(refused.code, `${refused.message}. ${is}`, {
    ...refused.details,
    current: { release, stage },
  });
}
