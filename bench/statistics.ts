/** Quantiles of what was measured, and the fullest of all windows. */

/** The smallest of the values that at least `share` of them do not exceed. NaN: there is none, or one is missing. */
export function quantile(values: readonly number[], share: number): number {
  if (values.some(Number.isNaN)) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const p95 = (values: readonly number[]): number => quantile(values, 0.95);
export const p99 = (values: readonly number[]): number => quantile(values, 0.99);
export const largest = (values: readonly number[]): number => quantile(values, 1);

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** As many of the times as fall into the fullest window of this length, wherever it begins: `[t, t + length)`. */
export function fullestWindow(times: readonly number[], lengthMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let first = 0;
  let fullest = 0;
  for (const [at, time] of sorted.entries()) {
    while ((sorted[first] ?? time) <= time - lengthMs) first += 1;
    fullest = Math.max(fullest, at - first + 1);
  }
  return fullest;
}
