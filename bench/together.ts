/** Many at once, but no more than so many. */

/** @returns how long each took, in milliseconds, in the order in which they ended */
export async function together<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      const began = performance.now();
      await work(item);
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: most }, worker));
  return took;
}
