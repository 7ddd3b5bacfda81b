import type { CliContext } from '../context.js';
import { EXIT } from '../context.js';
import { followToEnd } from '../follow.js';
import type { AskOptions } from './deploy.js';

/** Follows a deployment that somebody asked for. */
export const watch = (context: CliContext, id: string, { json }: { json?: boolean }): Promise<number> =>
  followToEnd(context, { id, ...(json ? { json: 'changes' } : {}) });

/** Stops a deployment and follows it back to what ran before. */
export async function stop(context: CliContext, id: string, options: AskOptions): Promise<number> {
  const { reason, wait, json } = options;
  const path = `/api/deployments/${encodeURIComponent(id)}/stop`;
  const answer = await context.client.send<{ id: string }>(
    'POST',
    path,
    reason === undefined ? {} : { reason },
  );
  if (!wait) {
    context.io.out(json ? JSON.stringify(answer) : answer.id);
    return EXIT.success;
  }
  return followToEnd(context, { id, wanted: 'stopped', ...(json ? { json: 'final' } : {}) });
}
