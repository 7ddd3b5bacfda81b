/**
 * Everything that changes, read once for all who watch: the newest state of each thing under a rising number.
 * Each event is a whole object, so who reads slowly, or comes back, is sent what is newer than the last number
 * they saw, and nothing is kept for them in between.
 */
import { randomBytes } from 'node:crypto';
import { ApiError } from './errors.js';
import type { Person } from './auth.js';

export interface Item {
  key: string;
  value: object;
  /** It has ended: sent once more, and no part of the present state any longer. */
  over?: boolean;
}

export type Put = (item: Item) => void;

/** One kind of thing. Another one is one more of these. */
export interface Source {
  /** The event's name. */
  event: string;
  everyMs: number;
  /** Puts what there is; what is as it was is not sent again. It may go on to put until `stop`. */
  read(put: Put): Promise<void>;
  /** Nobody listens any more, or the process ends. */
  stop?(): void;
  /** What was put before is forgotten: it begins anew. */
  forget?(): void;
  /** The thing as this person may see it; absent: as it is. */
  shown?(value: object, person: Person): object;
}

export interface Entry {
  seq: number;
  /** The event as text, without its id, as this person may see it. */
  text(person: Person): string;
}

export interface Health {
  ok: boolean;
  code?: string;
  message?: string;
}

export interface Listener {
  /** Something is new, or the feed has become whole. */
  changed(): void;
  closed(): void;
}

export interface Feed {
  /** Tells this process's numbers from another's, and from those before everything was forgotten. */
  readonly epoch: string;
  /** Numbers up to this one cannot be gone on from. */
  readonly floor: number;
  /** Every source has been read since somebody listens: before, the state would lack things. */
  readonly isWhole: boolean;
  readonly health: Health;
  /** In the order of their numbers. @param began without what had ended up to this number */
  entries(after: number, began?: number): Iterable<Entry>;
  /** The newest number. */
  readonly seq: number;
  /** @returns stops listening; reading ends with the last listener */
  listen(listener: Listener): () => void;
  close(): void;
  /** Listeners, and things that are remembered. */
  readonly sizes: { listeners: number; entries: number };
}

/** Ended things that who comes back may have missed. */
const ENDED_KEPT = 200;
/** Nobody listened for longer: what is remembered is forgotten, and whoever comes is sent everything. */
const FORGOTTEN_AFTER_MS = 300_000;

interface Kept extends Entry {
  json: string;
  over: boolean;
}

export interface FeedOptions {
  sources: Source[];
  onError: (error: unknown) => void;
  forgottenAfterMs?: number;
}

export const createFeed = (options: FeedOptions): Feed => new LiveFeed(options);

interface Loop {
  /** It was read to its end at least once. */
  read: boolean;
  health: Health;
}

class LiveFeed implements Feed {
  epoch = newEpoch();
  seq = 0;
  floor = 0;
  /** In the order of their numbers. */
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Set<Listener>();
  #loops: Loop[] = [];
  /** Loops and puts of an earlier one are void. */
  #generation = 0;
  #leftAt: number | undefined;
  #isClosed = false;

  constructor(readonly options: FeedOptions) {}

  get isWhole(): boolean {
    return this.#loops.every(({ read }) => read);
  }

  get health(): Health {
    return this.#loops.find(({ health }) => !health.ok)?.health ?? { ok: true };
  }

  get sizes(): Feed['sizes'] {
    return { listeners: this.#listeners.size, entries: this.#kept.size };
  }

  *entries(after: number, began = 0): Generator<Entry> {
    for (const entry of this.#kept.values()) {
      if (entry.seq > after && !(entry.over && entry.seq <= began)) yield entry;
    }
  }

  listen(listener: Listener): () => void {
    if (this.#isClosed) {
      listener.closed();
      return () => undefined;
    }
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#isClosed = true;
    if (this.#listeners.size > 0) this.#stop();
    const all = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of all) listener.closed();
  }

  #start(): void {
    const { sources, forgottenAfterMs = FORGOTTEN_AFTER_MS } = this.options;
    if (this.#leftAt !== undefined && Date.now() - this.#leftAt > forgottenAfterMs) this.#forget();
    this.#generation += 1;
    const begun = sources.map((source) => ({ source, loop: { read: false, health: { ok: true } } }));
    // All of them stand before the first one reads.
    this.#loops = begun.map(({ loop }) => loop);
    for (const { source, loop } of begun) void this.#run(source, loop);
  }

  #stop(): void {
    this.#generation += 1;
    this.#leftAt = Date.now();
    for (const source of this.options.sources) source.stop?.();
  }

  #forget(): void {
    this.#kept.clear();
    this.epoch = newEpoch();
    this.seq = 0;
    this.floor = 0;
    for (const source of this.options.sources) source.forget?.();
  }

  async #run(source: Source, loop: Loop): Promise<void> {
    const mine = this.#generation;
    const isMine = (): boolean => mine === this.#generation;
    while (isMine()) {
      const before = { ...loop };
      try {
        await source.read((item) => void (isMine() && this.#put(source, item)));
        Object.assign(loop, { read: true, health: { ok: true } });
      } catch (error) {
        loop.health = healthOf(error);
        if (!(error instanceof ApiError)) this.options.onError(error);
      }
      if (!isMine()) return;
      if (before.read !== loop.read || before.health.ok !== loop.health.ok) this.#tell();
      await new Promise((resolve) => setTimeout(resolve, source.everyMs).unref());
    }
  }

  #put(source: Source, item: Item): void {
    const id = `${source.event} ${item.key}`;
    const over = item.over ?? false;
    const json = JSON.stringify(item.value);
    const before = this.#kept.get(id);
    if (before?.json === json && before.over === over) return;
    this.seq += 1;
    // The newest stands last.
    this.#kept.delete(id);
    this.#kept.set(id, { seq: this.seq, json, over, text: textOf(source, item) });
    this.floor = dropEnded(this.#kept) ?? this.floor;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener.changed();
  }
}

const newEpoch = (): string => randomBytes(6).toString('hex');

/** People are of two kinds, so a hundred pages cost two texts. */
function textOf({ event, shown }: Source, { value }: Item): Entry['text'] {
  const texts = new Map<boolean, string>();
  return (person) => {
    const known = texts.get(person.maintainer);
    if (known !== undefined) return known;
    const text = `event: ${event}\ndata: ${JSON.stringify(shown ? shown(value, person) : value)}\n\n`;
    texts.set(person.maintainer, text);
    return text;
  };
}

/** @returns the number of the newest that was dropped */
function dropEnded(kept: Map<string, Kept>): number | undefined {
  let tooMany = [...kept.values()].filter(({ over }) => over).length - ENDED_KEPT;
  let dropped: number | undefined;
  for (const [id, { over, seq }] of kept) {
    if (tooMany <= 0) break;
    if (!over) continue;
    kept.delete(id);
    dropped = seq;
    tooMany -= 1;
  }
  return dropped;
}

const healthOf = (error: unknown): Health =>
  error instanceof ApiError
    ? { ok: false, code: error.code, message: error.message }
    : { ok: false, code: 'INTERNAL', message: 'An error inside Sluice; the log has it' };
