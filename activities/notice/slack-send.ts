/**
 * Where Slack is told. `SLACK_BOT_TOKEN` + `SLACK_CHANNEL` (+ `SLACK_API_URL`): one message for each thing, edited in
 * place; `SLACK_WEBHOOK_URL`: a post for each change, at least once.
 */
import type { SlackMessage } from '../../domain/notice.js';
import { refuse } from '../failure.js';
import { createSlackBot, type SlackPost } from './slack-bot.js';
import { answeredWith, rateLimited, slackFailure } from './slack-errors.js';

/** @throws ApplicationFailure `SLACK_REFUSED`, that says what to do; retryable `SLACK_DOWN` */
export type SlackSend = (post: SlackPost) => Promise<void>;

/**
 * What is wrong is said at each notice: rule 8, no worker stays down for it.
 * @returns undefined where none of them is set: nobody is told
 */
export function createSlackSend(env: Record<string, string | undefined>): SlackSend | undefined {
  const [token, channel, apiUrl, webhook] = (
    ['SLACK_BOT_TOKEN', 'SLACK_CHANNEL', 'SLACK_API_URL', 'SLACK_WEBHOOK_URL'] as const
  ).map((name) => env[name]?.trim());
  if (token && !/^[\x21-\x7e]+$/.test(token)) {
    return refusing('SLACK_BOT_TOKEN is no token: it holds blanks or characters that no token has');
  }
  if (token && !channel) return refusing('SLACK_BOT_TOKEN is set without SLACK_CHANNEL: set both');
  if (token && channel) {
    // A name can be posted to, but neither read nor edited in.
    if (!/^[CGD][A-Z0-9]+$/.test(channel)) {
      return refusing(
        'SLACK_CHANNEL is not a channel’s id (C…): in Slack it stands at the end of the channel’s details',
      );
    }
    return createSlackBot({ token, channel, ...(apiUrl ? { apiUrl } : {}) });
  }
  if (!webhook) return undefined;
  if (!/^https?:\/\/[^\s]+$/.test(webhook)) return refusing('SLACK_WEBHOOK_URL is not an http(s) address');
  return ({ message }) => post(webhook, message);
}

const refusing =
  (message: string): SlackSend =>
  () =>
    Promise.reject(refuse('SLACK_REFUSED', `Nobody is told in Slack: ${message}`));

const TIMEOUT_MS = 10_000;

async function post(webhook: string, message: SlackMessage): Promise<void> {
  const doing = { what: 'posting by the incoming webhook', write: true };
  let status: number;
  let body: string;
  let retryAfter: number;
  try {
    const response = await fetch(webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(message),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    ({ status } = response);
    retryAfter = Number(response.headers.get('retry-after') ?? 1);
    body = (await response.text()).trim();
  } catch (error) {
    throw slackFailure(error, doing);
  }
  if (status === 429) throw rateLimited(Number.isFinite(retryAfter) ? retryAfter : 1, doing);
  if (status !== 200 || body !== 'ok') throw answeredWith(status, body, doing);
}
