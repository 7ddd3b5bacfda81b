import type { CliContext } from '../context.js';
import type { AskOptions } from './deploy.js';
import { ask } from './deploy.js';

interface Target {
  app: string;
  environment: string;
}

export interface RollbackOptions extends AskOptions {
  reason: string;
  tag?: string;
  now?: boolean;
  override?: boolean;
}

/** Goes back to a release, and follows it. */
export function rollback(
  context: CliContext,
  target: Target,
  { tag, now, override, ...options }: RollbackOptions,
): Promise<number> {
  const body = {
    ...target,
    ...(tag === undefined ? {} : { tag }),
    ...(now ? { now } : {}),
    ...(override ? { override } : {}),
  };
  return ask({ context, path: '/api/rollbacks', body, options });
}

/** Deploys again what runs, or a tag, without a build, and follows it. */
export const redeploy = (
  context: CliContext,
  target: Target,
  { tag, ...options }: AskOptions & { tag?: string },
): Promise<number> =>
  ask({
    context,
    path: '/api/redeployments',
    body: { ...target, ...(tag === undefined ? {} : { tag }) },
    options,
  });
