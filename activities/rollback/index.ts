/** What rollbacks and redeployments find out, and the judgement of bad releases that every deployment gets. */
import { badWords, markOf } from '../../domain/bad.js';
import type { Target } from '../../domain/deployment.js';
import { PRODUCTION } from '../../domain/deployment.js';
import type { ValidateInput, Validated } from '../../domain/effects.js';
import { heartbeating } from '../heartbeat.js';
import { validateCurrent } from './current.js';
import type { PlanRollbackInput, RollbackDeps } from './plan.js';
import { planRollback } from './plan.js';

export type { PlanRollbackInput, RollbackDeps } from './plan.js';

export function createRollbackActivities(deps: RollbackDeps) {
  /** In the activity that finds the release out: asking apart would cost every deployment six events. */
  const judged = async ({ app }: Target, found: Promise<Validated>): Promise<Validated> => {
    const validated = await found;
    const production = await deps.readLane({ app, environment: PRODUCTION });
    const mark = markOf(production?.bad ?? [], validated.release);
    return mark ? { ...validated, bad: badWords(mark) } : validated;
  };
  return {
    planRollback: heartbeating(async (input: PlanRollbackInput) => await planRollback(deps, input)),
    validate: heartbeating(async (input: ValidateInput) => await judged(input, deps.validate(input))),
    validateCurrent: heartbeating(
      async (target: Target) => await judged(target, validateCurrent(deps, target)),
    ),
  };
}
