/** Remembers answers for a moment, and lets those who ask at the same time share one question. */
export function cached<T>(ttlMs: number, load: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, { value: Promise<T>; until: number }>();
  return (key) => {
    const known = kept.get(key);
    if (known && known.until > Date.now()) return known.value;
    const entry = { value: load(key), until: Number.POSITIVE_INFINITY };
    kept.set(key, entry);
    const settled = (): void => void (entry.until = Date.now() + ttlMs);
    entry.value.then(settled, settled);
    return entry.value;
  };
}
