/** First step of a promotion's production deployment: all conditions once more, at its lane's turn. */
import { atTurn } from '../../domain/promotion/conditions.js';
import type { TurnAnswer } from '../../domain/promotion/conditions.js';
import { promotionWorkflowId } from '../../domain/ids.js';
import { MEMO } from '../../domain/messages.js';
import { asks } from '../../domain/promotion/state.js';
import type { PromotionState } from '../../domain/promotion/state.js';
import { describe } from '../temporal/missing.js';
import type { ObserveDeps } from './observe.js';
import { observe } from './observe.js';

export interface TurnInput {
  app: string;
  /** Id. */
  deployment: string;
}

export async function promotionTurn(deps: ObserveDeps, input: TurnInput): Promise<TurnAnswer> {
  const { app, deployment } = input;
  const found = await describe(deps.client, promotionWorkflowId(app));
  const state = found?.memo?.[MEMO.promotionState] as PromotionState | undefined;
  if (!state || found?.status.name !== 'RUNNING') {
    return { answer: 'wait', code: 'NO_WORKER', message: `The promotion queue of ${app} does not run now` };
  }
  const read = await observe(deps, { app, epoch: state.epoch, ...asks(state) });
  return atTurn(state, deployment, read);
}
