/** What can sensibly be done now, beside approving: from the stage and from what it waits for. */
import type { PromotionQueueView, Resolution } from '../../domain/promotion/promotion.js';
import { isOver } from './road.js';

export interface Possible {
  retry: boolean;
  reject: boolean;
  resolve: Resolution[];
}

const RETRIED = ['TESTS_INCONCLUSIVE', 'STAGING_MOVED'];
const UNSETTLED = ['ENVIRONMENTS_DIFFER', 'VERSION_UNKNOWN'];

export function possibleOf({ current, waitingFor, lock }: PromotionQueueView): Possible {
  const code = (waitingFor ?? current?.waitingFor)?.code ?? '';
  const isFailed = current?.stage === 'failed';
  const isOn = current !== undefined && !isOver(current);
  return {
    retry: !lock && (isFailed || (isOn && RETRIED.includes(code))),
    reject: isOn && ['staging', 'testing', 'awaiting-approval'].includes(current.stage),
    resolve: resolutions({ code, isEnded: isFailed || current?.stage === 'rejected' }),
  };
}

function resolutions({ code, isEnded }: { code: string; isEnded: boolean }): Resolution[] {
  if (UNSETTLED.includes(code)) return ['adopt', 'restore-staging', 'override'];
  if (code === 'STAGING_MOVED') return ['adopt'];
  return isEnded || code === 'PRODUCTION_ROLLED_BACK' ? ['restore-staging'] : [];
}
