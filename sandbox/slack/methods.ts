/** The methods of the Web API that are played; `ok: false` comes with HTTP 200, as Slack has it. */
import { contentOf, type Fields } from './content.js';
import { BOT_ID, BOT_USER, TEAM_ID, type Channel, type Message, type SlackState } from './state.js';

export type Result =
  { ok: true; [key: string]: unknown } | { ok: false; error: string; [key: string]: unknown };

interface Asked {
  state: SlackState;
  fields: Fields;
}

export interface Method {
  scope?: string;
  run(asked: Asked): Result;
}

const no = (error: string, more: Fields = {}): Result => ({ ok: false, error, ...more });

const textOf = (fields: Fields, key: string): string => {
  const value = fields[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};

export const messageBody = (message: Message, withMetadata = true) => ({
  type: 'message',
  // A webhook's messages are its app's too.
  ...(message.via === 'api' ? { user: BOT_USER } : { subtype: 'bot_message' }),
  bot_id: BOT_ID,
  app_id: 'A0SANDBOX',
  team: TEAM_ID,
  ts: message.ts,
  text: message.text,
  ...(message.blocks ? { blocks: message.blocks } : {}),
  ...(message.attachments ? { attachments: message.attachments } : {}),
  ...(withMetadata && message.metadata ? { metadata: message.metadata } : {}),
  ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
  ...(message.edits.length ? { edited: { user: BOT_USER, ts: message.ts } } : {}),
});

/** Where the bot may write. */
function writable(channel: Channel | undefined): Channel | Result {
  if (!channel) return no('channel_not_found');
  if (channel.isArchived) return no('is_archived');
  return channel.isMember ? channel : no('not_in_channel');
}

const postMessage: Method = {
  scope: 'chat:write',
  run({ state, fields }) {
    const channel = writable(state.channel(textOf(fields, 'channel'), { byName: true }));
    if ('ok' in channel) return channel;
    const content = contentOf(fields);
    if (typeof content === 'string') return no(content);
    const threadTs = textOf(fields, 'thread_ts');
    if (threadTs && !state.message(channel.id, threadTs)) return no('thread_not_found');
    const message = state.post({
      ...content,
      channel: channel.id,
      via: 'api',
      ...(threadTs ? { threadTs } : {}),
    });
    return { ok: true, channel: channel.id, ts: message.ts, message: messageBody(message) };
  },
};

const update: Method = {
  scope: 'chat:write',
  run({ state, fields }) {
    // Other than a post, an edit takes the channel's id only.
    const channel = writable(state.channel(textOf(fields, 'channel')));
    if ('ok' in channel) return channel;
    const message = state.message(channel.id, textOf(fields, 'ts'));
    if (!message) return no('message_not_found');
    if (message.via === 'webhook') return no('cant_update_message');
    const content = contentOf(fields);
    if (typeof content === 'string') return no(content);
    const { text, blocks, attachments, metadata } = message;
    message.edits.push({ text, blocks, attachments, metadata, at: new Date().toISOString() });
    // Text alone takes blocks away; metadata stays until it is replaced.
    Object.assign(message, { blocks: undefined, attachments: undefined }, content);
    return {
      ok: true,
      channel: channel.id,
      ts: message.ts,
      text: message.text,
      message: messageBody(message),
    };
  },
};

const remove: Method = {
  scope: 'chat:write',
  run({ state, fields }) {
    const channel = state.channel(textOf(fields, 'channel'));
    if (!channel) return no('channel_not_found');
    const message = state.message(channel.id, textOf(fields, 'ts'));
    if (!message) return no('message_not_found');
    state.messages.splice(state.messages.indexOf(message), 1);
    return { ok: true, channel: channel.id, ts: message.ts };
  },
};

const authTest: Method = {
  run: () => ({
    ok: true,
    url: 'https://sandbox.slack.com/',
    team: 'Sandbox',
    user: 'sluice',
    team_id: TEAM_ID,
    user_id: BOT_USER,
    bot_id: BOT_ID,
    is_enterprise_install: false,
  }),
};

const channelBody = ({ id, name, isMember, isArchived }: Channel) => ({
  id,
  name,
  name_normalized: name,
  is_channel: true,
  is_private: false,
  is_archived: isArchived,
  is_member: isMember,
});

const info: Method = {
  scope: 'channels:read',
  run({ state, fields }) {
    const channel = state.channel(textOf(fields, 'channel'));
    return channel ? { ok: true, channel: channelBody(channel) } : no('channel_not_found');
  },
};

const DEFAULT_PAGE = 100;

function pageOf<Item>(items: Item[], fields: Fields): { page: Item[]; more: boolean; next: string } {
  const limit = Number(fields['limit'] ?? DEFAULT_PAGE) || DEFAULT_PAGE;
  const from =
    Number(Buffer.from(textOf(fields, 'cursor'), 'base64').toString('utf8').replace('next:', '')) || 0;
  const more = items.length > from + limit;
  const next = more ? Buffer.from(`next:${from + limit}`).toString('base64') : '';
  return { page: items.slice(from, from + limit), more, next };
}

const list: Method = {
  scope: 'channels:read',
  run({ state, fields }) {
    const { page, next } = pageOf(state.channels, fields);
    return { ok: true, channels: page.map(channelBody), response_metadata: { next_cursor: next } };
  },
};

/** Newest first, without answers in threads. */
const history: Method = {
  scope: 'channels:history',
  run({ state, fields }) {
    const channel = state.channel(textOf(fields, 'channel'));
    if (!channel) return no('channel_not_found');
    if (!channel.isMember) return no('not_in_channel');
    const [oldest, latest] = [Number(fields['oldest'] ?? 0), Number(fields['latest'] ?? Infinity)];
    const isInclusive = String(fields['inclusive']) === 'true';
    const isWithin = (ts: number): boolean =>
      (ts > oldest && ts < latest) || (isInclusive && (ts === oldest || ts === latest));
    const found = state.messages.filter(
      (one) => one.channel === channel.id && !one.threadTs && isWithin(Number(one.ts)),
    );
    const { page, more, next } = pageOf(found.reverse(), fields);
    const withMetadata = String(fields['include_all_metadata']) === 'true';
    const messages = page.map((one) => messageBody(one, withMetadata));
    return {
      ok: true,
      messages,
      has_more: more,
      pin_count: 0,
      ...(more ? { response_metadata: { next_cursor: next } } : {}),
    };
  },
};

const permalink: Method = {
  run({ state, fields }) {
    const channel = state.channel(textOf(fields, 'channel'));
    if (!channel) return no('channel_not_found');
    const ts = textOf(fields, 'message_ts');
    if (!state.message(channel.id, ts)) return no('message_not_found');
    const link = `https://sandbox.slack.com/archives/${channel.id}/p${ts.replace('.', '')}`;
    return { ok: true, channel: channel.id, permalink: link };
  },
};

export const METHODS: Record<string, Method> = {
  'auth.test': authTest,
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.getPermalink': permalink,
  'conversations.info': info,
  'conversations.list': list,
  'conversations.history': history,
};
