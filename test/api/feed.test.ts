import type { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../api/errors.js';
import type { Feed, Item, Put, Source } from '../../api/feed.js';
import { createFeed } from '../../api/feed.js';
import { polled } from '../../api/feed-sources.js';
import { follow } from '../../api/routes/everything.js';
import { eventually } from '../support/scripted.js';

const MAINTAINER = { login: 'alice', maintainer: true };
const VISITOR = { login: 'eve', maintainer: false };

interface Told {
  id?: string;
  event: string;
  data: { n?: number; ok?: boolean; code?: string; secret?: boolean };
}

/** What a stream told so far. */
function parse(text: string): Told[] {
  return text
    .split('\n\n')
    .filter((block) => block.includes('event: '))
    .map((block) => {
      const fields = new Map(
        block.split('\n').map((line): [string, string] => {
          const [name = '', ...rest] = line.split(': ');
          return [name, rest.join(': ')];
        }),
      );
      const id = fields.get('id');
      return {
        ...(id === undefined ? {} : { id }),
        event: fields.get('event') ?? '',
        data: JSON.parse(fields.get('data') ?? '{}') as Told['data'],
      };
    });
}

function reader(feed: Feed, options: { lastId?: string; person?: typeof VISITOR; lastsMs?: number } = {}) {
  const stream = follow({ feed, person: options.person ?? MAINTAINER, lastId: '', ...options });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { stream, told: () => parse(text), close: () => stream.destroy() };
}

const names = (told: Told[]) => told.map(({ event }) => event).filter((name) => name !== 'health');
const lastId = (told: Told[]) => told.findLast(({ id }) => id)?.id ?? '';

let feeds: Feed[] = [];
afterEach(() => {
  for (const feed of feeds) feed.close();
  feeds = [];
});

/** A feed of one source that gives what `items` holds, and counts its reads. */
function world(more: Partial<Source> = {}, options: { forgottenAfterMs?: number } = {}) {
  const state: { items: Item[]; reads: number; error?: Error } = { items: [], reads: 0 };
  const source: Source = {
    ...polled('thing', 5, async () => {
      state.reads += 1;
      if (state.error) throw state.error;
      return state.items;
    }),
    ...more,
  };
  const errors: unknown[] = [];
  const feed = createFeed({ sources: [source], onError: (error) => errors.push(error), ...options });
  feeds.push(feed);
  return { state, feed, errors };
}

/** Whose source is told by the test what there is. */
function given() {
  let put: Put = () => undefined;
  const { feed } = world({ read: async (into) => void (put = into) });
  return { feed, give: (item: Item): void => put(item) };
}

const thing = (key: string, n: number, over = false): Item => ({
  key,
  value: { n },
  ...(over ? { over } : {}),
});

describe('the stream of everything', () => {
  it('sends the whole state, then each change once', async () => {
    const { state, feed } = world();
    state.items = [thing('a', 1), thing('b', 1)];
    const one = reader(feed);
    await eventually(async () => expect(names(one.told())).toEqual(['reset', 'thing', 'thing', 'ready']));
    state.items = [thing('a', 2), thing('b', 1)];
    await eventually(async () => expect(one.told().at(-1)).toMatchObject({ event: 'thing', data: { n: 2 } }));
    const { reads } = state;
    await eventually(async () => expect(state.reads).toBeGreaterThan(reads + 3));
    expect(names(one.told())).toEqual(['reset', 'thing', 'thing', 'ready', 'thing']);
  });

  it('goes on from the id of what was seen last, what has ended in between included', async () => {
    const { state, feed } = world();
    state.items = [thing('a', 1), thing('b', 1), thing('c', 1)];
    const other = reader(feed);
    const one = reader(feed);
    await eventually(async () => expect(names(one.told())).toContain('ready'));
    const seen = lastId(one.told());
    one.close();
    state.items = [thing('a', 2), thing('b', 2, true), thing('c', 1)];
    await eventually(async () => expect(names(other.told()).length).toBe(7));
    const again = reader(feed, { lastId: seen });
    await turn();
    expect(again.told().map(({ event, data }) => [event, data.n ?? data.ok])).toEqual([
      ['health', true],
      ['thing', 2],
      ['thing', 2],
    ]);
    // Who comes for the first time is not told of what is over.
    const fresh = reader(feed);
    await turn();
    expect(names(fresh.told())).toEqual(['reset', 'thing', 'thing', 'ready']);
    const nothing = reader(feed, { lastId: lastId(fresh.told()) });
    await turn();
    expect(names(nothing.told())).toEqual([]);
  });

  it.each(['', 'nonsense', 'abc.1', '.', '1.2.3'])('sends everything to who comes with %j', async (id) => {
    const { state, feed } = world();
    state.items = [thing('a', 1)];
    const one = reader(feed, { lastId: id });
    await eventually(async () => expect(names(one.told())).toEqual(['reset', 'thing', 'ready']));
  });

  it('does not go on from a number of its own that it never gave', async () => {
    const { state, feed } = world();
    state.items = [thing('a', 1)];
    const one = reader(feed);
    await eventually(async () => expect(names(one.told())).toContain('ready'));
    const another = reader(feed, { lastId: `${feed.epoch}.99` });
    await turn();
    expect(names(another.told())).toEqual(['reset', 'thing', 'ready']);
  });

  it('reads once for all, and not at all while nobody listens', async () => {
    let stopped = 0;
    const { state, feed } = world({ stop: () => void (stopped += 1) });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(state.reads).toBe(0);
    const many = Array.from({ length: 50 }, () => reader(feed));
    await eventually(async () => {
      for (const one of many) expect(names(one.told())).toContain('ready');
    });
    const [reads, began] = [state.reads, Date.now()];
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(state.reads - reads).toBeLessThanOrEqual((Date.now() - began) / 5 + 1);
    for (const one of many) one.close();
    await eventually(async () => expect(feed.sizes.listeners).toBe(0));
    expect(stopped).toBe(1);
    const after = state.reads;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(state.reads).toBeLessThanOrEqual(after + 1);
  });

  it('after a long time without anybody it begins anew; after a short one it goes on', async () => {
    const { state, feed } = world({}, { forgottenAfterMs: 200 });
    state.items = [thing('a', 1)];
    const one = reader(feed);
    await eventually(async () => expect(names(one.told())).toContain('ready'));
    const seen = lastId(one.told());
    one.close();
    await eventually(async () => expect(feed.sizes.listeners).toBe(0));
    state.items = [thing('a', 2)];
    const soon = reader(feed, { lastId: seen });
    await eventually(async () => expect(names(soon.told())).toEqual(['thing']));
    soon.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const late = reader(feed, { lastId: seen });
    await eventually(async () => expect(names(late.told())).toEqual(['reset', 'thing', 'ready']));
  });

  it('keeps what is there and a bounded number of what has ended, however long it lasts', async () => {
    const { feed, give } = given();
    const one = reader(feed);
    await eventually(async () => expect(names(one.told())).toContain('ready'));
    give(thing('a', 1));
    const early = `${feed.epoch}.${feed.seq}`;
    for (let n = 0; n < 5_000; n += 1) {
      give(thing(`d${n}`, 1));
      give(thing(`d${n}`, 2, true));
      give(thing('a', n));
    }
    expect(feed.sizes).toEqual({ listeners: 1, entries: 201 });
    const recent = `${feed.epoch}.${feed.seq - 30}`;
    const [gone, known] = [reader(feed, { lastId: early }), reader(feed, { lastId: recent })];
    await turn();
    // Ends were dropped that it has not seen: it begins anew.
    expect(names(gone.told())).toEqual(['reset', 'thing', 'ready']);
    expect(names(known.told())).toEqual(Array.from({ length: 11 }, () => 'thing'));
  });

  it('keeps nothing for who reads slowly, and sends them the newest of each', async () => {
    const { feed, give } = given();
    const stream: PassThrough = follow({ feed, person: MAINTAINER, lastId: '' });
    await eventually(async () => expect(feed.isWhole).toBe(true));
    for (let n = 1; n <= 2_000; n += 1) {
      for (const key of ['a', 'b', 'c']) give({ key, value: { n, filler: 'x'.repeat(1_000) } });
    }
    expect(stream.readableLength + stream.writableLength).toBeLessThan(300_000);
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await eventually(async () => {
      const ends = parse(text).slice(-3);
      expect(ends.map(({ data }) => data.n)).toEqual([2_000, 2_000, 2_000]);
    });
    const ids = parse(text).flatMap(({ id }) => (id ? [Number(id.split('.')[1])] : []));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    stream.destroy();
  });

  it('tells who reads slowly the end of what it sent them as under way, also before they have all', async () => {
    const { feed, give } = given();
    const other = reader(feed);
    await eventually(async () => expect(names(other.told())).toContain('ready'));
    give({ ...thing('long ago', 1, true) });
    const filler = 'x'.repeat(5_000);
    for (let n = 0; n < 50; n += 1) give({ key: `d${n}`, value: { n, filler } });
    const stream: PassThrough = follow({ feed, person: MAINTAINER, lastId: '' });
    expect(stream.writableNeedDrain).toBe(true);
    give({ key: 'd0', value: { n: 1_000 }, over: true });
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await eventually(async () => expect(names(parse(text))).toContain('ready'));
    const told = parse(text).flatMap(({ event, data }) => (event === 'thing' ? [data.n] : []));
    expect(told).toEqual([...Array.from({ length: 50 }, (_, n) => n), 1_000]);
    stream.destroy();
  });

  it('begins anew for who reads so slowly that ends were dropped which they have not seen', async () => {
    const { feed, give } = given();
    const stream: PassThrough = follow({ feed, person: MAINTAINER, lastId: '' });
    await eventually(async () => expect(feed.isWhole).toBe(true));
    give({ key: 'a', value: { n: 1, filler: 'x'.repeat(100_000) } });
    expect(stream.writableNeedDrain).toBe(true);
    give(thing('a', 2, true));
    for (let n = 0; n < 300; n += 1) give(thing(`d${n}`, 1, true));
    give(thing('b', 3));
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await eventually(async () => expect(parse(text).at(-1)).toMatchObject({ event: 'ready' }));
    expect(names(parse(text))).toEqual(['reset', 'ready', 'thing', 'reset', 'thing', 'ready']);
    stream.destroy();
  });

  it('shows each person what they may see', async () => {
    const { state, feed } = world({
      shown: (value, person) => ({ ...value, ...(person.maintainer ? { secret: true } : {}) }),
    });
    state.items = [thing('a', 1)];
    const [one, two] = [reader(feed), reader(feed, { person: VISITOR })];
    await eventually(async () => {
      expect(one.told().find(({ event }) => event === 'thing')?.data).toEqual({ n: 1, secret: true });
      expect(two.told().find(({ event }) => event === 'thing')?.data).toEqual({ n: 1 });
    });
  });

  it('says that nothing can be read, and sends the state once it can', async () => {
    const { state, feed, errors } = world();
    state.error = new ApiError('TEMPORAL_DOWN', 'Temporal does not answer');
    state.items = [thing('a', 1)];
    const one = reader(feed);
    await eventually(async () =>
      expect(one.told()).toEqual([
        { event: 'health', data: { ok: false, code: 'TEMPORAL_DOWN', message: 'Temporal does not answer' } },
      ]),
    );
    delete state.error;
    await eventually(async () =>
      expect(one.told().map(({ event }) => event)).toEqual(['health', 'health', 'reset', 'thing', 'ready']),
    );
    expect(one.told()[1]?.data).toEqual({ ok: true });
    state.error = new Error('secret words of a bug');
    await eventually(async () => expect(one.told().at(-1)?.data).toMatchObject({ code: 'INTERNAL' }));
    expect(JSON.stringify(one.told())).not.toContain('secret words');
    expect(errors).not.toEqual([]);
  });

  it('ends after a while, so that who listens is asked anew who they are; and with the process', async () => {
    const { feed } = world();
    const one = reader(feed, { lastsMs: 50 });
    await eventually(async () => expect(one.stream.readableEnded).toBe(true));
    await eventually(async () => expect(feed.sizes.listeners).toBe(0));
    const two = reader(feed);
    feed.close();
    await eventually(async () => expect(two.stream.readableEnded).toBe(true));
    const late = reader(feed);
    await eventually(async () => expect(late.stream.readableEnded).toBe(true));
  });
});
