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
  /** In the order of their numbers. @param present without what has ended */
  entries(after: number, present?: boolean): Iterable<Entry>;
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

export function createFeed(of: {
  sources: Source[];
  onError: (error: unknown) => void;
  forgottenAfterMs?: number;
}): Feed {
  const { sources } = of;
  const kept = new Map<string, Kept>();
  const listeners = new Set<Listener>();
  const loops = new Map<Source, { read: boolean; health: Health }>();
  let [epoch, seq, floor, generation, isClosed] = [newEpoch(), 0, 0, 0, false];
  let leftAt: number | undefined;

  const tell = (): void => {
    for (const listener of [...listeners]) listener.changed();
  };

  const put = (source: Source, item: Item): void => {
    const id = `${source.event} ${item.key}`;
    const json = JSON.stringify(item.value);
    const before = kept.get(id);
    if (before?.json === json && before.over === (item.over ?? false)) return;
    kept.delete(id);
    seq += 1;
    kept.set(id, { seq, json, over: item.over ?? false, text: textOf(source, item) });
    floor = dropEnded(kept) ?? floor;
    tell();
  };

  const run = async (source: Source, mine: number): Promise<void> => {
    const state = { read: false, health: { ok: true } as Health };
    loops.set(source, state);
    while (mine === generation) {
      const [before, wasRead] = [state.health.ok, state.read];
      try {
        await source.read((item) => void (mine === generation && put(source, item)));
        state.read = true;
        state.health = { ok: true };
      } catch (error) {
        state.health = healthOf(error);
        if (!(error instanceof ApiError)) of.onError(error);
      }
      if (mine !== generation) return;
      if (before !== state.health.ok || wasRead !== state.read) tell();
      await new Promise((resolve) => setTimeout(resolve, source.everyMs).unref());
    }
  };

  const start = (): void => {
    if (leftAt !== undefined && Date.now() - leftAt > (of.forgottenAfterMs ?? FORGOTTEN_AFTER_MS)) {
      kept.clear();
      [epoch, seq, floor] = [newEpoch(), 0, 0];
      for (const source of sources) source.forget?.();
    }
    generation += 1;
    loops.clear();
    for (const source of sources) void run(source, generation);
  };

  const stop = (): void => {
    generation += 1;
    leftAt = Date.now();
    for (const source of sources) source.stop?.();
  };

  return {
    get epoch() {
      return epoch;
    },
    get floor() {
      return floor;
    },
    get seq() {
      return seq;
    },
    get isWhole() {
      return [...loops.values()].every(({ read }) => read);
    },
    get health() {
      return [...loops.values()].find(({ health }) => !health.ok)?.health ?? { ok: true };
    },
    *entries(after, present = false) {
      for (const entry of kept.values()) if (entry.seq > after && !(present && entry.over)) yield entry;
    },
    listen(listener) {
      if (isClosed) {
        listener.closed();
        return () => undefined;
      }
      listeners.add(listener);
      if (listeners.size === 1) start();
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
    close() {
      isClosed = true;
      if (listeners.size > 0) stop();
      const all = [...listeners];
      listeners.clear();
      for (const listener of all) listener.closed();
    },
    get sizes() {
      return { listeners: listeners.size, entries: kept.size };
    },
  };
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
