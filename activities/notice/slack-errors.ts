/** What Slack's refusals mean for an activity. No token and no webhook's address stands in a message. */
import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError } from '@slack/web-api';
import type { ApplicationFailure } from '@temporalio/common';
import { later, refuse } from '../failure.js';

/** What Slack still carries out of a request whose answer was lost is there to be found by then. */
const SETTLE_MS = 5_000;
/** Slack asks for a second at least, and says nothing beyond some minutes. */
const LONGEST_WAIT_MS = 60 * 60_000;

const PASSING = new Set([
  'fatal_error',
  'internal_error',
  'message_not_found',
  'ratelimited',
  'rate_limited',
  'request_timeout',
  'rollup_error',
  'service_unavailable',
  'team_added_to_org',
]);

const NEW_TOKEN =
  'set SLACK_BOT_TOKEN to the Bot User OAuth Token (xoxb-…) of the Slack app, under OAuth & Permissions';
const INVITE = 'invite the app to the channel of SLACK_CHANNEL: /invite @sluice there';
const CHANNEL = 'set SLACK_CHANNEL to the id (C…) of a channel that is there and not archived';
const WEBHOOK =
  'set SLACK_WEBHOOK_URL to an incoming webhook of the Slack app that is there, under Incoming Webhooks';

/** Slack's word → what who runs Sluice can do. */
const HINTS: Record<string, string> = {
  invalid_auth: NEW_TOKEN,
  not_authed: NEW_TOKEN,
  account_inactive: NEW_TOKEN,
  token_revoked: NEW_TOKEN,
  token_expired: NEW_TOKEN,
  not_allowed_token_type: NEW_TOKEN,
  missing_scope:
    'give the Slack app the scopes chat:write and channels:history (groups:history for a private channel), and install it again',
  not_in_channel: INVITE,
  channel_not_found: `${CHANNEL}; for a private one, ${INVITE}`,
  is_archived: CHANNEL,
  channel_is_archived: CHANNEL,
  invalid_token: WEBHOOK,
  no_service: WEBHOOK,
  no_active_hooks: WEBHOOK,
  no_team: WEBHOOK,
};

export interface SlackDoing {
  /** As it goes on after "Slack refuses": `posting a message`. */
  what: string;
  /** It changes something: where the answer was lost, it may have happened. */
  write?: boolean;
}

/** `SLACK_REFUSED` for good where somebody has to act first; else retryable `SLACK_DOWN`. */
export function slackFailure(error: unknown, doing: SlackDoing): ApplicationFailure {
  if (error instanceof WebAPIRateLimitedError) return rateLimited(error.retryAfter, doing);
  if (error instanceof WebAPIPlatformError) return refusedWith(error.data.error, doing);
  if (error instanceof WebAPIHTTPError) return answeredWith(error.statusCode, '', doing);
  return down('does not answer', doing);
}

export const rateLimited = (seconds: number, { what }: SlackDoing): ApplicationFailure =>
  later(
    'SLACK_DOWN',
    `Slack’s rate limit: ${what} is tried again after ${seconds} s`,
    Math.min(Math.max(seconds, 1) * 1_000, LONGEST_WAIT_MS),
  );

/** A webhook's answer, or one of something that stands before Slack. */
export function answeredWith(status: number, body: string, doing: SlackDoing): ApplicationFailure {
  // Slack refuses with a word of its own; everything else may come from what stands before it.
  return status >= 400 && status < 500 && isWord(body)
    ? refusedWith(body, doing)
    : down(`answers ${status}`, doing);
}

function refusedWith(word: string, doing: SlackDoing): ApplicationFailure {
  // Something else than Slack, a proxy's page for instance.
  if (!isWord(word)) return down('does not answer as Slack does', doing);
  if (PASSING.has(word)) return down(`says ${word}`, doing);
  const hint = Object.hasOwn(HINTS, word) ? `: ${HINTS[word]}` : '';
  return refuse('SLACK_REFUSED', `Slack refuses ${doing.what} (${word})${hint}`);
}

const isWord = (text: unknown): text is string => typeof text === 'string' && /^[a-z0-9_]{1,60}$/.test(text);

const down = (why: string, { what, write }: SlackDoing): ApplicationFailure =>
  later('SLACK_DOWN', `Slack ${why}; ${what} is tried again`, write ? SETTLE_MS : undefined);
