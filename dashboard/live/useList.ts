/** A list of the API, page by page, read again at each new beginning; the stream tells of its items meanwhile. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, asProblem, type Problem } from './api.js';
import { useStore } from './store.js';

interface Page<T> {
  items: T[];
  cursor?: string;
}

export interface List<T> {
  items: T[];
  isLoading: boolean;
  problem?: Problem;
  /** Absent: there is nothing more, or the page holds enough. */
  more?: () => void;
}

interface Held<T> extends Page<T> {
  path: string;
  problem?: Problem;
  isLoading: boolean;
}

/** A page left open must not grow without end: who wants older ones narrows the filter. */
const MOST = 500;

/** @param path with its query, without a cursor */
export function useList<T extends { id: string }>(path: string): List<T> {
  const beginnings = useStore((state) => state.beginnings);
  const [held, setHeld] = useState<Held<T>>({ path, items: [], isLoading: true });
  const reading = useRef<AbortController | undefined>(undefined);
  const isOfPath = held.path === path;

  const load = (cursor?: string): void => {
    reading.current?.abort();
    const { signal } = (reading.current = new AbortController());
    setHeld((before) => ({ ...(before.path === path ? before : { path, items: [] }), isLoading: true }));
    // What ended unheard may stand anywhere among those that are shown.
    const atLeast = cursor || !isOfPath ? 0 : held.items.length;
    read<T>(path, { cursor, atLeast }, signal).then(
      (page) =>
        setHeld((before) => ({
          ...{ path, isLoading: false, ...page },
          items: distinct([...(cursor ? before.items : []), ...page.items]),
        })),
      (error: unknown) =>
        signal.aborted || setHeld((before) => ({ ...before, isLoading: false, problem: asProblem(error) })),
    );
  };
  useEffect(() => {
    load();
    return () => reading.current?.abort();
  }, [path, beginnings]);

  const { cursor, problem } = held;
  const items = isOfPath ? held.items : [];
  const isLoading = held.isLoading || !isOfPath;
  const canMore = cursor !== undefined && !isLoading && items.length < MOST;
  return {
    items,
    isLoading,
    ...(problem ? { problem } : {}),
    ...(canMore ? { more: () => load(cursor) } : {}),
  };
}

/** Pages from the cursor on, or the first ones, until there are as many items as wanted. */
async function read<T>(
  path: string,
  { cursor, atLeast }: { cursor: string | undefined; atLeast: number },
  signal: AbortSignal,
): Promise<Page<T>> {
  const items: T[] = [];
  let next = cursor;
  do {
    const from: string = next ? `${path}&cursor=${encodeURIComponent(next)}` : path;
    const page: Page<T> = await ask<Page<T>>(from, { signal });
    items.push(...page.items);
    next = page.cursor;
  } while (next && items.length < atLeast);
  return { items, ...(next ? { cursor: next } : {}) };
}

const distinct = <T extends { id: string }>(items: T[]): T[] => [
  ...new Map(items.map((one) => [one.id, one])).values(),
];
