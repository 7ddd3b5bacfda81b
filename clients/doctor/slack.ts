/** Slack: whether messages would arrive. Nothing is posted. */
import { LogLevel, WebClient } from '@slack/web-api';
import type { Finding } from '../../domain/findings.js';
import { Report, shortly } from './report.js';

type Environment = Record<string, string | undefined>;

const WITHIN_MS = 5_000;
const SILENT = {
  ...{ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  ...{ setLevel: () => undefined, setName: () => undefined, getLevel: () => LogLevel.ERROR },
};

export async function checkSlack(env: Environment): Promise<Finding[]> {
  const report = new Report('Slack');
  const { SLACK_BOT_TOKEN: token, SLACK_CHANNEL: channel, SLACK_WEBHOOK_URL: webhook } = env;
  if (token && channel) await checkBot(env, { token, channel }, report);
  else if (token || channel) {
    const missing = token ? 'SLACK_CHANNEL' : 'SLACK_BOT_TOKEN';
    report.broken('bot', `${missing} is not set`, 'set both, or use SLACK_WEBHOOK_URL');
  } else if (!webhook)
    report.unchecked('messages', 'off: neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set');
  else if (!/^https?:\/\/[^/]+\/./.test(webhook))
    report.broken('webhook', 'SLACK_WEBHOOK_URL is no URL', 'copy it from the Slack app’s page');
  else report.unchecked('webhook', 'cannot be tried without posting; it has no editing in place, a bot has');
  return report.findings;
}

async function checkBot(
  env: Environment,
  { token, channel }: { token: string; channel: string },
  report: Report,
): Promise<void> {
  const apiUrl = env['SLACK_API_URL'];
  const client = new WebClient(token, {
    ...(apiUrl ? { slackApiUrl: apiUrl.replace(/\/*$/, '/') } : {}),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: WITHIN_MS,
    logger: SILENT,
  });
  let scopes: string[] | undefined;
  try {
    const { team, user, response_metadata: about } = await client.auth.test();
    report.ok('bot', `${user ?? '?'} in ${team ?? '?'}`);
    scopes = about?.scopes;
  } catch (error) {
    report.broken(
      'bot',
      `Slack does not take SLACK_BOT_TOKEN (${reasonOf(error)})`,
      'docs/slack.md says how to make one',
    );
    return;
  }
  const isPrivate = await checkChannel(client, channel, report);
  if (scopes) checkScopes(scopes, isPrivate, report);
}

/** @returns whether it is private; undefined where Slack does not tell */
async function checkChannel(
  client: WebClient,
  channel: string,
  report: Report,
): Promise<boolean | undefined> {
  try {
    const { channel: found } = await client.conversations.info({ channel });
    const member = found?.is_member === true && found.is_archived !== true;
    if (member) report.ok('channel', `#${found.name ?? channel}`);
    else
      report.broken(
        'channel',
        found?.is_archived ? 'is archived' : 'the bot is not in it',
        '/invite the bot there',
      );
    return found?.is_private;
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === 'missing_scope') report.unchecked('channel', 'the scope channels:read would tell');
    else report.broken('channel', `${channel}: ${reason}`, 'SLACK_CHANNEL must be a channel’s id, C…');
    return undefined;
  }
}

/** It posts, and finds what it posted again. */
function checkScopes(scopes: string[], isPrivate: boolean | undefined, report: Report): void {
  const ofPublic = ['channels:history'];
  const ofPrivate = ['groups:history'];
  const history = isPrivate === undefined ? [...ofPublic, ...ofPrivate] : isPrivate ? ofPrivate : ofPublic;
  const missing = [['chat:write'], history].filter((either) => !either.some((one) => scopes.includes(one)));
  if (missing.length === 0) {
    report.ok('scopes', scopes.join(', '));
    return;
  }
  const words = missing.map((either) => either.join(' or ')).join(', ');
  report.broken('scopes', `${scopes.join(', ')}: ${words} is missing`, 'add it and install the app anew');
}

/** Slack's own word for it, never its message. */
function reasonOf(error: unknown): string {
  const data = (error as { data?: { error?: unknown } }).data;
  return typeof data?.error === 'string' && /^[a-z_]+$/.test(data.error) ? data.error : shortly(error);
}
