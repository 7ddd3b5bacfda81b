import type { Plan } from '../../domain/plan.js';
import type { ShownPlan } from '../client.js';
import type { CliContext } from '../context.js';
import { EXIT, UsageError } from '../context.js';
import { planLines } from '../render-plan.js';

export interface PlanOptions {
  tag?: string;
  commit?: string;
  release?: string;
  again?: boolean;
  now?: boolean;
  override?: boolean;
  reason?: string;
  json?: boolean;
}

/** Says what it would do; exits 0 where it would be taken. */
export async function plan(
  { client, io }: CliContext,
  what: { kind: Plan['kind']; app: string; environment?: string },
  { json, ...options }: PlanOptions,
): Promise<number> {
  const { kind } = what;
  if (kind === 'deploy' && (options.tag === undefined) === (options.commit === undefined)) {
    throw new UsageError('Give exactly one of --tag and --commit');
  }
  const made = await client.send<ShownPlan>('POST', '/api/plans', { ...what, ...options });
  if (json) io.out(JSON.stringify(made));
  else for (const line of planLines(made)) io.out(line);
  return made.refusal ? EXIT.failure : EXIT.success;
}
