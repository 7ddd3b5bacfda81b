/** A person's stop, after something was written: back to what `look` recorded, and wait until that is stable. */
import type { DeploymentRequest, StepName } from '../domain/deployment.js';
import type { Look, Registered, Updated } from '../domain/effects.js';
import type { StopRequest } from '../domain/messages.js';
import type { Ending } from '../domain/progress.js';
import { failureEnding, verdictEnding } from '../domain/progress.js';
import { shortName } from '../domain/rollout/words.js';
import { watches, writes } from './effects.js';
import { codedFailure } from './failure.js';

/** How far it had come. */
export interface Done {
  look?: Look;
  registered?: Registered;
  updated?: Updated;
}

export const stoppedEnding = (step: StepName, { actor, reason }: StopRequest, more = ''): Ending => ({
  outcome: 'stopped',
  failure: { step, code: 'STOPPED', message: `Stopped by ${actor}${reason ? `: ${reason}` : ''}${more}` },
});

export async function goBack(
  request: DeploymentRequest,
  step: StepName,
  stop: StopRequest,
  { look, registered, updated }: Done,
): Promise<Ending> {
  if (!look || !registered || !updated) return stoppedEnding(step, stop, '; nothing was changed at ECS');
  const { id, app, environment, limits } = request;
  try {
    const back = await writes.goBack({
      id,
      app,
      environment,
      revision: registered.revision,
      deployment: updated.deployment,
      look,
    });
    if (!back.revision) return stoppedEnding(step, stop, '; nothing was changed at ECS');
    const settled = await watches(limits).stabilise({
      id,
      app,
      environment,
      revision: back.revision,
      deployment: back.deployment,
      since: back.at,
      giveUpAt: new Date(Date.parse(back.at) + limits.giveUpAfterMs).toISOString(),
    });
    return verdictEnding(settled) ?? stoppedEnding(step, stop, `; ${shortName(back.revision)} runs again`);
  } catch (error) {
    const { code, message } = codedFailure(error);
    return failureEnding(step, code, message);
  }
}
