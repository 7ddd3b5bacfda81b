/** One message a deployment or promotion: found again by its metadata, and edited in place. */
import { LogLevel, WebAPIPlatformError, WebClient, type Logger } from '@slack/web-api';
import type { SlackMessage } from '../../domain/notice.js';
import { slackFailure, type SlackDoing } from './slack-errors.js';

export interface SlackBot {
  token: string;
  /** Id. */
  channel: string;
  /** Absent: Slack's own. */
  apiUrl?: string;
}

/** Which change a message shows. */
export interface SlackPlace {
  change: string;
  /** ISO 8601. */
  at: string;
}

export interface SlackPost {
  /** `event_type` of the metadata: what it is about. */
  type: string;
  id: string;
  place: SlackPlace;
  /** ISO 8601: nothing was posted of it before. */
  since: string;
  message: SlackMessage;
  /** Answer below a message that is there already, since nobody is notified of an edit; at least once. */
  call?: string;
  /** Whether `place` is later than what a message shows. */
  isLater(than: SlackPlace): boolean;
}

/** All questions of an attempt end within the 30 s that it has. */
const TIMEOUT_MS = 5_000;
const PAGE = 200;
const PAGES = 3;
/** Slack's clock is not ours. */
const SKEW_S = 600;
/** The message is not ours to edit any more. */
const NOT_EDITABLE = new Set(['cant_update_message', 'edit_window_closed']);

interface Found extends SlackPlace {
  ts: string;
}

/** @throws ApplicationFailure `SLACK_REFUSED`, retryable `SLACK_DOWN` */
export function createSlackBot({ token, channel, apiUrl }: SlackBot) {
  const client = new WebClient(token, {
    ...(apiUrl ? { slackApiUrl: apiUrl.replace(/\/*$/, '/') } : {}),
    // Temporal is the retry layer; and the client's own log is not scrubbed.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: TIMEOUT_MS,
    logger: SILENT,
  });

  async function find({ type, id, since }: SlackPost): Promise<Found[]> {
    const oldest = String(Math.floor(Date.parse(since) / 1_000) - SKEW_S);
    const found: Found[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES; page += 1) {
      const answer = await ask({ what: 'reading the channel' }, () =>
        client.conversations.history({
          ...{ channel, oldest, limit: PAGE, include_all_metadata: true },
          ...(cursor ? { cursor } : {}),
        }),
      );
      for (const { ts, metadata } of answer.messages ?? []) {
        const place = metadata?.event_type === type ? placeIn(metadata.event_payload, id) : undefined;
        if (ts && place) found.push({ ts, ...place });
      }
      cursor = answer.response_metadata?.next_cursor;
      if (!cursor) break;
    }
    return found.sort((one, other) => Number(one.ts) - Number(other.ts));
  }

  async function post(message: SlackMessage, metadata?: ReturnType<typeof metadataOf>): Promise<void> {
    await ask({ what: 'posting a message', write: true }, () =>
      client.chat.postMessage({
        ...{ channel, ...message, unfurl_links: false, unfurl_media: false },
        ...(metadata ? { metadata } : {}),
      }),
    );
  }

  async function answer(ts: string, text: string): Promise<void> {
    await ask({ what: 'answering below its message', write: true }, () =>
      client.chat.postMessage({ channel, thread_ts: ts, text, unfurl_links: false, unfurl_media: false }),
    );
  }

  return async (one: SlackPost): Promise<void> => {
    const { message } = one;
    const metadata = metadataOf(one);
    const [ours, ...doubles] = await find(one);
    if (!ours) return await post(message, metadata);
    for (const { ts } of doubles) await remove(client, channel, ts);
    if (!one.isLater(ours)) return;
    if (one.call !== undefined) await answer(ours.ts, one.call);
    try {
      await client.chat.update({ channel, ts: ours.ts, ...message, metadata });
    } catch (error) {
      if (!isNotEditable(error)) throw slackFailure(error, { what: 'editing its message', write: true });
      await post(message);
    }
  };
}

/** It came of a post whose answer was lost and that took effect only after the next attempt had looked. */
async function remove(client: WebClient, channel: string, ts: string): Promise<void> {
  try {
    await client.chat.delete({ channel, ts });
  } catch (error) {
    if (error instanceof WebAPIPlatformError) return; // it is gone, or it stays: nothing is untrue for that
    throw slackFailure(error, { what: 'removing a double message' });
  }
}

async function ask<T>(doing: SlackDoing, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw slackFailure(error, doing);
  }
}

const isNotEditable = (error: unknown): boolean =>
  error instanceof WebAPIPlatformError && NOT_EDITABLE.has(error.data.error);

const metadataOf = ({ type, id, place: { change, at } }: SlackPost) => ({
  event_type: type,
  event_payload: { id, change, at },
});

function placeIn(payload: unknown, id: string): SlackPlace | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { id: theirs, change, at } = payload as Record<string, unknown>;
  return theirs === id && typeof change === 'string' && typeof at === 'string' ? { change, at } : undefined;
}

const nothing = (): void => undefined;

const SILENT: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  setName: nothing,
  getLevel: () => LogLevel.ERROR,
};
