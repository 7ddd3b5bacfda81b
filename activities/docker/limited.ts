/**
 * Works on several items at once, at most `limit` of them. The first failure ends the others, and is thrown once
 * they have ended: nothing goes on behind a failed activity.
 */
export async function mapLimited<T, R>(
  input: { items: readonly T[]; limit: number; signal: AbortSignal },
  work: (item: T, index: number, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([input.signal, stop.signal]);
  const results = new Map<number, R>();
  const queue = [...input.items.entries()];
  let failure: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next && !failure; next = queue.shift()) {
      const [index, item] = next;
      try {
        results.set(index, await work(item, index, signal));
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(input.limit, input.items.length) }, worker));
  if (failure) throw failure.error;
  return input.items.map((_, index) => results.get(index) as R);
}
