/** Tells Slack of a deployment's change of state. */
import type { Config } from '../../domain/config/config.js';
import type { Notice } from '../../domain/messages.js';
import { isLater, noticeLinks, slackMessage, type NoticePlace } from '../../domain/notice.js';
import { createSlackSend } from './slack-send.js';

export interface NoticeSlackDeps {
  config: Pick<Config, 'apps' | 'slack'>;
  env: Record<string, string | undefined>;
}

/** @throws ApplicationFailure `SLACK_REFUSED`, that says what to do; retryable `SLACK_DOWN` */
export function createNoticeSlack({ config, env }: NoticeSlackDeps) {
  const send = createSlackSend(env);
  return async (notice: Notice): Promise<void> => {
    const { deployment, change, at } = notice;
    const links = noticeLinks(config, deployment, env['SLUICE_PUBLIC_URL']);
    await send?.({
      ...{ type: 'sluice_deployment', id: deployment.id, place: { change, at } },
      since: deployment.startedAt ?? deployment.queuedAt,
      message: slackMessage({ notice, links, users: config.slack.users }),
      isLater: (than) => isLater(notice, than as NoticePlace),
    });
  };
}
