/** What the stand-in of Slack knows: one workspace, its bot, channels, what was posted. */

export interface ChannelOptions {
  /** Without `#`. */
  name: string;
  /** `C…`; absent: one is made. */
  id?: string;
  /** False: the bot was not invited. */
  isMember?: boolean;
  isArchived?: boolean;
}

export interface Channel {
  id: string;
  name: string;
  isMember: boolean;
  isArchived: boolean;
}

/** What a message holds, now or before an edit. */
export interface Content {
  text: string;
  blocks?: unknown[];
  attachments?: unknown[];
  metadata?: unknown;
}

export interface Message extends Content {
  /** Id. */
  channel: string;
  /** Seconds and six digits that make it unique in its channel. */
  ts: string;
  threadTs?: string;
  via: 'api' | 'webhook';
  /** What stood there before, oldest first. */
  edits: (Content & { at: string })[];
}

export interface AskedRequest {
  at: string;
  /** `chat.postMessage`, or `webhook`. */
  method: string;
  status: number;
  /** Slack's word where it refused. */
  error?: string;
}

export const TEAM_ID = 'T0SANDBOX';
export const BOT_ID = 'B0SANDBOX';
export const BOT_USER = 'U0SLUICE';

export class SlackState {
  readonly channels: Channel[] = [];
  /** Oldest first, of all channels. */
  readonly messages: Message[] = [];
  /** Newest last, at most 1000; without tokens. */
  readonly requests: AskedRequest[] = [];
  #lastTs = 0;

  constructor(channels: readonly ChannelOptions[]) {
    for (const channel of channels) this.addChannel(channel);
  }

  addChannel({ name, id, isMember = true, isArchived = false }: ChannelOptions): Channel {
    const channel = { id: id ?? `C0SANDBOX${this.channels.length + 1}`, name, isMember, isArchived };
    this.channels.push(channel);
    return channel;
  }

  /** By id, or by name where names are taken too. */
  channel(given: string, { byName = false } = {}): Channel | undefined {
    const name = given.replace(/^#/, '');
    return this.channels.find((one) => one.id === given || (byName && one.name === name));
  }

  post(message: Omit<Message, 'ts' | 'edits'>): Message {
    this.#lastTs = Math.max(this.#lastTs + 1, Date.now() * 1_000);
    const ts = `${Math.floor(this.#lastTs / 1e6)}.${String(this.#lastTs % 1e6).padStart(6, '0')}`;
    const made = { ...message, ts, edits: [] };
    this.messages.push(made);
    return made;
  }

  message(channel: string, ts: string): Message | undefined {
    return this.messages.find((one) => one.channel === channel && one.ts === ts);
  }

  record(request: AskedRequest): void {
    this.requests.push(request);
    if (this.requests.length > 1_000) this.requests.shift();
  }
}
