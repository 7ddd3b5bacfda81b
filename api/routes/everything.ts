/** Server-sent events of everything: one connection keeps a whole page live, and goes on after a break. */
import { PassThrough } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Person } from '../auth.js';
import type { Context } from '../context.js';
import { createFeed } from '../feed.js';
import type { Feed } from '../feed.js';
import { sourcesOf } from '../feed-sources.js';
import { errors, sentAs } from '../schemas/common.js';

/** Proxies close what is silent for a minute, some after half of one. */
const COMMENT_EVERY_MS = 10_000;
/** Who listens comes back with the last id, and is asked anew who they are: nobody listens on for a day. */
const LASTS_MS = 15 * 60_000;

const DESCRIPTION = `Server-sent events, each the whole object: \`deployment\` (each unfinished one at each change, \
and its end), \`app\` (an item of GET /api/apps), \`promotion\` (the queue of one app, as GET /api/promotions/{app}), \
\`release\` (each unfinished one at each change, and its end).
\`reset\` comes first, then everything there is, then \`ready\`: what did not come in between is over.
With a \`Last-Event-ID\` that this process knows, only what has changed since comes, without \`reset\` and \`ready\`.
\`health\` (\`{ ok, code?, message? }\`) tells whether Sluice can look at all. The connection ends now and then: come back.`;

export const everythingRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const feed = createFeed({
      sources: sourcesOf(context),
      onError: (err) => app.log.error({ err }, 'the stream of everything could not be read'),
    });
    app.addHook('preClose', async () => feed.close());

    app.get(
      '/api/stream',
      {
        exposeHeadRoute: false,
        onRequest: context.guards.read,
        schema: {
          ...{ operationId: 'streamEverything', summary: 'Everything, live', tags: ['apps'] },
          description: DESCRIPTION,
          headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 100 })) }),
          response: { 200: sentAs('text/event-stream', 'Events, without an end'), ...errors },
        },
      },
      async ({ headers, person }, reply) => {
        const stream = follow({ feed, person, lastId: headers['last-event-id'] ?? '' });
        void reply.header('content-type', 'text/event-stream').header('x-accel-buffering', 'no');
        // A stream is sent as it is; the schema's type stands for its text.
        return reply.send(stream as unknown as string);
      },
    );
  };

export function follow(of: { feed: Feed; person: Person; lastId: string; lastsMs?: number }): PassThrough {
  const stream = new PassThrough();
  const reader = new Reader(stream, of.feed, of.person, of.lastId);
  const send = (): void => reader.send();
  const end = (): void => void stream.end();
  stream.write('retry: 1000\n\n');
  const comments = setInterval(() => {
    if (!stream.writableNeedDrain) stream.write(': still here\n\n');
  }, COMMENT_EVERY_MS);
  const life = setTimeout(end, of.lastsMs ?? LASTS_MS);
  const unlisten = of.feed.listen({ changed: send, closed: end });
  stream.on('drain', send);
  stream.on('close', () => {
    clearInterval(comments);
    clearTimeout(life);
    unlisten();
  });
  send();
  return stream;
}

/** All that is kept for one who reads is the number of what they were sent last. */
class Reader {
  #sent: number | undefined;
  /**
   * While the present state is sent: the newest number as that began. What ends later, while they take it in, may
   * have been sent as under way, and its end is sent as well.
   */
  #began: number | undefined;
  #health = '';

  constructor(
    readonly stream: PassThrough,
    readonly feed: Feed,
    readonly person: Person,
    readonly lastId: string,
  ) {}

  /** As much as they take now. */
  send(): void {
    const { stream, feed } = this;
    if (stream.writableEnded || stream.writableNeedDrain) return;
    this.#tellHealth();
    if (!feed.isWhole) return;
    this.#sent ??= knownFrom(feed, this.lastId) ?? this.#beginAnew();
    // So slow that ends were dropped which they have not seen.
    if (feed.floor > (this.#began ?? this.#sent)) this.#sent = this.#beginAnew();
    for (const entry of feed.entries(this.#sent, this.#began)) {
      if (stream.writableNeedDrain) return;
      // Before `ready` there is nothing to go on from: who leaves before it begins anew.
      stream.write(`${this.#began === undefined ? this.#id(entry.seq) : ''}${entry.text(this.person)}`);
      this.#sent = entry.seq;
    }
    if (this.#began === undefined) return;
    this.#began = undefined;
    this.#sent = feed.seq;
    stream.write(`${this.#id(feed.seq)}event: ready\ndata: {}\n\n`);
  }

  #beginAnew(): number {
    this.#began = this.feed.seq;
    this.stream.write('id\nevent: reset\ndata: {}\n\n');
    return 0;
  }

  #tellHealth(): void {
    const { health, isWhole } = this.feed;
    const text = JSON.stringify(health);
    if (text === this.#health || (health.ok && !isWhole)) return;
    this.#health = text;
    this.stream.write(`event: health\ndata: ${text}\n\n`);
  }

  #id(seq: number): string {
    return `id: ${this.feed.epoch}.${seq}\n`;
  }
}

/** @returns the number to go on from; undefined where everything is to be sent */
function knownFrom(feed: Feed, lastId: string): number | undefined {
  const [epoch, number, ...rest] = lastId.split('.');
  const seq = Number(number);
  const isNumber = rest.length === 0 && /^\d{1,15}$/.test(number ?? '');
  return epoch === feed.epoch && isNumber && seq >= feed.floor && seq <= feed.seq ? seq : undefined;
}
