/** That a service runs something else than it should: told in the log and in Slack. */
import type { Logger } from 'pino';
import type { DriftNotice } from '../../domain/messages.js';
import { escaped, section } from '../../domain/notice.js';
import { createSlackSend } from './slack-send.js';

const LONGEST = 1_500;

export function createDriftNotices(deps: {
  env: Record<string, string | undefined>;
  log: Pick<Logger, 'warn'>;
}) {
  const send = createSlackSend(deps.env);
  const publicUrl = deps.env['SLUICE_PUBLIC_URL']?.replace(/\/+$/, '');
  return {
    async deliverDrift({ app, environment, revision, message }: DriftNotice): Promise<void> {
      deps.log.warn({ app, environment, revision }, `drift: ${message}`);
    },

    /** @throws ApplicationFailure `SLACK_REFUSED`, that says what to do; retryable `SLACK_DOWN` */
    async driftSlack({ app, environment, revision, message, at }: DriftNotice): Promise<void> {
      const text = `:warning: *Drift*: ${escaped(message, LONGEST)}`;
      const where = publicUrl
        ? `<${publicUrl}/apps/${app}|See it>`
        : `\`${escaped(`${environment}-${app}`, 200)}\``;
      await send?.({
        ...{ type: 'sluice_drift', id: `${environment}.${app}.${revision}`, place: { change: 'drift', at } },
        since: at,
        message: { text, blocks: [section(text), section(where)] },
        isLater: (than) => at > than.at,
      });
    },
  };
}
