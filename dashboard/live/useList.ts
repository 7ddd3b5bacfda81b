/** A list of the API, page by page, kept up to date by what the stream tells of its items. */
import { useEffect, useState } from 'preact/hooks';
import { ask, asProblem, type Problem } from './api.js';

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

/** A page left open must not grow without end: who wants older ones narrows the filter. */
const MOST = 500;

/** @param path with its query, without a cursor */
export function useList<T extends { id: string }>(path: string): List<T> {
  const [pages, setPages] = useState<{
    path: string;
    items: T[];
    cursor?: string;
    problem?: Problem;
    isLoading: boolean;
  }>({
    path,
    items: [],
    isLoading: true,
  });
  const [wanted, setWanted] = useState<{ path: string; cursor?: string }>({ path });
  useEffect(() => setWanted({ path }), [path]);
  useEffect(() => {
    const leaving = new AbortController();
    const { cursor } = wanted;
    setPages((before) => ({ ...(cursor ? before : { path: wanted.path, items: [] }), isLoading: true }));
    const full = cursor ? `${wanted.path}&cursor=${encodeURIComponent(cursor)}` : wanted.path;
    ask<Page<T>>(full, { signal: leaving.signal }).then(
      (page) =>
        setPages((before) => ({
          path: wanted.path,
          items: distinct([...(cursor ? before.items : []), ...page.items]),
          isLoading: false,
          ...(page.cursor ? { cursor: page.cursor } : {}),
        })),
      (error: unknown) =>
        leaving.signal.aborted ||
        setPages((before) => ({ ...before, isLoading: false, problem: asProblem(error) })),
    );
    return () => leaving.abort();
  }, [wanted]);
  const { items, cursor, problem, isLoading } = pages;
  const canMore = cursor !== undefined && !isLoading && items.length < MOST;
  return {
    items: pages.path === path ? items : [],
    isLoading: isLoading || pages.path !== path,
    ...(problem ? { problem } : {}),
    ...(canMore ? { more: () => setWanted({ path, cursor }) } : {}),
  };
}

const distinct = <T extends { id: string }>(items: T[]): T[] => [
  ...new Map(items.map((one) => [one.id, one])).values(),
];
