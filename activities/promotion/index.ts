/** What a promotion queue, its tests and its production deployments ask: fresh reads, and messages. */
import { heartbeating } from '../heartbeat.js';
import type { ObserveDeps, ObserveInput } from './observe.js';
import { observe } from './observe.js';
import { createQueueMessages } from './queue.js';
import { readForTests } from './tests.js';
import type { TurnInput } from './turn.js';
import { promotionTurn } from './turn.js';

export type { ObserveInput } from './observe.js';
export type { StagingForTests } from './tests.js';

export function createPromotionActivities(deps: ObserveDeps) {
  const { recoverPromotions, testsGone, ...messages } = createQueueMessages(deps);
  return {
    ...messages,
    recoverPromotions: heartbeating(recoverPromotions),
    testsGone: heartbeating(testsGone),
    observePromotion: heartbeating(async (input: ObserveInput) => await observe(deps, input)),
    promotionTurn: heartbeating(async (input: TurnInput) => await promotionTurn(deps, input)),
    readForTests: heartbeating(async (input: { app: string }) => await readForTests(deps, input)),
  };
}
