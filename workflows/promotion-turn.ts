/**
 * A promotion's production deployment has its lane's turn: all conditions once more, before anything is done. Where
 * they may hold later it gives the turn back and stays queued; nothing in the lane waits for it.
 */
import { condition } from '@temporalio/workflow';
import type { DeploymentRequest, WaitingFor } from '../domain/deployment.js';
import { PRODUCTION } from '../domain/deployment.js';
import { ticketOf } from '../domain/lane.js';
import type { Ending } from '../domain/progress.js';
import { waits } from '../domain/promotion/state.js';
import { reads, tells } from './effects.js';
import type { Inbox } from './inbox.js';
import { awaitTurn } from './waits.js';

/** The queue wakes it when its lock is lifted; what cannot be read is looked at again, less and less often. */
const AGAIN_MS = 10_000;
const AGAIN_AT_MOST_MS = 30 * 60_000;

export const hasConditions = ({ environment, parent, kind }: DeploymentRequest): boolean =>
  kind === 'promotion' && environment === PRODUCTION && parent?.type === 'promotion';

/**
 * @param wait shows why it waits
 * @returns how it ends, where its approval does not stand any more
 * @throws CancelledFailure on a stop, or where a rollback goes in its place
 */
export async function promotionTurn(
  request: DeploymentRequest,
  inbox: Inbox,
  wait: (why: WaitingFor) => void,
): Promise<Ending | undefined> {
  const { id, app, environment } = request;
  const ticket = ticketOf(request);
  let why: WaitingFor | undefined;
  for (let pause = AGAIN_MS; ; pause = Math.min(2 * pause, AGAIN_AT_MOST_MS)) {
    inbox.takeLook();
    const turn = await inbox.interruptible(() => reads.promotionTurn({ app, deployment: id }));
    if (turn.answer === 'go') return undefined;
    const { code, message } = turn;
    if (turn.answer === 'reject')
      return { outcome: 'rejected', failure: { step: 'validate', code, message } };
    why = waits(code, why?.code === code ? why.since : new Date().toISOString(), message);
    wait(why);
    inbox.giveTurnBack();
    await tells.giveTurnBack({ app, environment, ticket });
    await inbox.interruptible(async () => {
      await condition(() => inbox.hasLook(), pause, { summary: `until the conditions may hold: ${code}` });
    });
    await tells.tellLane({ app, environment, ready: { ...ticket, ready: true } });
    await awaitTurn(request, inbox);
  }
}
