/** A rollback that was asked for while another deployment ran learns at its own turn what is live. */
import type { DeploymentRequest } from '../domain/deployment.js';
import type { RollbackPlan } from '../domain/rollback.js';
import { markFor } from '../domain/rollback.js';
import { reads, tells } from './effects.js';

/** Target chosen, and the release that is left marked bad, before anything is deployed. */
export async function decideAtTurn(request: DeploymentRequest): Promise<RollbackPlan> {
  const { app, environment, tag, override } = request;
  const { plan } = await reads.planRollback({
    ...{ app, environment, atTurn: true },
    ...(tag ? { tag } : {}),
    ...(override ? { override } : {}),
  });
  if (!plan) throw new Error('a rollback that has the turn has a plan');
  const mark = markFor(request, plan, new Date().toISOString());
  if (mark) await tells.markBad({ app, mark });
  return plan;
}
