/** One thing of the API by its address: read again at each new beginning, and as the stream tells of it meanwhile. */
import { useEffect, useState } from 'preact/hooks';
import { ask, asProblem, type Problem } from './api.js';
import { useStore } from './store.js';

interface One<T> {
  one?: T;
  problem?: Problem;
}

/** @param told what the stream told last, as long as the page's world holds it: what ended long ago it lets go of */
export function useOne<T extends { state: string }>(path: string, told: T | undefined): One<T> {
  const beginnings = useStore((state) => state.beginnings);
  const [held, setHeld] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  // An end is final: what was asked for before it may arrive after it.
  const take = (next: T): void =>
    setHeld((before) => (before?.state === 'finished' && next.state !== 'finished' ? before : next));
  useEffect(() => {
    if (told) take(told);
  }, [told]);
  useEffect(() => {
    const leaving = new AbortController();
    ask<T>(path, { signal: leaving.signal }).then(
      (one) => {
        take(one);
        setProblem(undefined);
      },
      (error: unknown) => leaving.signal.aborted || setProblem(asProblem(error)),
    );
    return () => leaving.abort();
  }, [path, beginnings]);
  const one = held?.state === 'finished' ? held : (told ?? held);
  return { ...(one ? { one } : {}), ...(problem ? { problem } : {}) };
}
