/** A deployment's change of state, as a line in the log. */
import type { Logger } from 'pino';
import type { Notice } from '../../domain/messages.js';
import { headline } from '../../domain/summary.js';

export const createDeliver =
  (log: Pick<Logger, 'info'>) =>
  async ({ change, deployment }: Notice): Promise<void> => {
    const { id, app, environment, kind, tag = '', actor, outcome, failure } = deployment;
    const line = headline({ kind, app, environment, tag, actor });
    log.info(
      { deployment: id, change, ...(outcome ? { outcome } : {}), ...(failure ? { failure } : {}) },
      {
        started: `started: ${line}`,
        slow: `taking too long: ${line}`,
        ended: `${outcome ?? 'ended'}: ${line}`,
      }[change],
    );
  };
