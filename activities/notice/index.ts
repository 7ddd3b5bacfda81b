/** Everything that people are told by: an activity for each channel, so that each is retried on its own. */
import type { Logger } from 'pino';
import type { Credentials } from '../../clients/github-credentials.js';
import type { Config } from '../../domain/config.js';
import { createDeliver } from './deliver.js';
import { createNoticeGitHub } from './github.js';
import { createNoticeSlack } from './slack.js';

export interface NoticeDeps {
  config: Config;
  credentials: Credentials;
  env: Record<string, string | undefined>;
  log: Pick<Logger, 'info'>;
}

export function createNoticeActivities({ config, credentials, env, log }: NoticeDeps) {
  return {
    deliver: createDeliver(log),
    noticeGitHub: createNoticeGitHub({ config, credentials, publicUrl: env['SLUICE_PUBLIC_URL'] }),
    noticeSlack: createNoticeSlack({ config, env }),
  };
}
