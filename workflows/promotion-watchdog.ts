/** Who was terminated tells nothing: the queue finds out what became of what it waits for. */
import * as events from '../domain/promotion/events.js';
import type { PromotionState } from '../domain/promotion/state.js';
import { reads } from './effects.js';
import type { PromotionDesk } from './promotion-desk.js';

/** Deployments that the queue waits for. */
function deploymentsOf({ current, restore }: PromotionState): string[] {
  const own =
    current?.stage === 'staging'
      ? current.staging
      : current?.stage === 'production'
        ? current.production
        : undefined;
  return [...(own ? [own] : []), ...(restore ? [restore.id] : [])];
}

/** The attempt that a workflow of its own runs. */
function testsOf({ current, settings }: PromotionState): { promotion: string; attempt: number } | undefined {
  const running = settings?.tests?.kind === 'report' ? undefined : events.runningAttempt(current);
  return current && running ? { promotion: current.id, attempt: running.attempt } : undefined;
}

export const watches = (state: PromotionState): boolean =>
  deploymentsOf(state).length > 0 || testsOf(state) !== undefined;

export async function lookAfter(desk: PromotionDesk): Promise<void> {
  for (const id of deploymentsOf(desk.state)) {
    const ended = await reads.deploymentEnd({ id });
    if (ended) desk.change((draft) => events.deploymentEnded(draft, ended));
  }
  const tests = testsOf(desk.state);
  if (!tests || !(await reads.testsGone(tests))) return;
  const detail = 'its workflow ended in Temporal without a word';
  desk.change((draft) => events.testsEnded(draft, { ...tests, state: 'inconclusive', detail }));
}
