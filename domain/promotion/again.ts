/** Looks that the queue takes by itself, less and less often. */
import type { Draft } from './state.js';

const AGAIN_MS = 2_000;
const AGAIN_AT_MOST_MS = 5 * 60_000;

export function later({ q, now }: Draft, atMostMs: number = AGAIN_AT_MOST_MS): void {
  const times = (q.again?.times ?? 0) + 1;
  const pause = Math.min(AGAIN_MS * 2 ** (times - 1), atMostMs);
  q.again = { at: new Date(Date.parse(now) + pause).toISOString(), times };
}
