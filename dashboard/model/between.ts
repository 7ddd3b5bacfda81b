/** What one of staging and production has and the other lacks, as far as the page knows it. */
import type { Merge, PromotionQueueView } from '../../domain/promotion/promotion.js';
import { isCommit } from '../../domain/tags.js';
import type { Road } from './road.js';

export interface Between {
  /** Which of them has what the other lacks. */
  ahead: 'staging' | 'production';
  /** Newest first. */
  merges: Merge[];
  /** Whether these are all: what came before Sluice, or past it, is not in the queue's book. */
  isComplete: boolean;
  /** For GitHub to compare, from what lacks them to what has them; absent where one of them is no commit. */
  range?: string;
}

/** @returns undefined where both run the same, or it is not known what they run */
export function betweenOf({ queue, staging, production }: Road): Between | undefined {
  const upper = staging?.release ?? (queue && stagedBy(queue));
  const lower = production?.release;
  if (upper === undefined || lower === undefined || upper === lower) return undefined;
  const book = queue ? bookOf(queue) : new Map<string, Merge>();
  const [at, live] = [book.get(upper)?.position, book.get(lower)?.position];
  const isBehind = at !== undefined && live !== undefined && at < live;
  const [older, newer] = isBehind ? [upper, lower] : [lower, upper];
  return {
    ahead: isBehind ? 'production' : 'staging',
    ...(at !== undefined && live !== undefined
      ? { merges: within(book, Math.min(at, live), Math.max(at, live)), isComplete: true }
      : { merges: broughtBy(queue, upper), isComplete: false }),
    ...(isCommit(older) && isCommit(newer) ? { range: `${older}...${newer}` } : {}),
  };
}

/** What the promotion under way has put on staging, where staging itself does not say. */
const stagedBy = ({ current }: PromotionQueueView): string | undefined =>
  current && ['testing', 'awaiting-approval', 'production'].includes(current.stage)
    ? current.release
    : undefined;

/** Every merge that the queue remembers, by commit. */
const bookOf = ({ current, waiting, recent }: PromotionQueueView): Map<string, Merge> =>
  new Map(
    [...(current ? [current] : []), ...waiting, ...recent]
      .flatMap(({ merges }) => merges)
      .map((one) => [one.sha, one]),
  );

/** After the one and up to the other, in the order of the branch. */
const within = (book: Map<string, Merge>, after: number, upTo: number): Merge[] =>
  [...book.values()]
    .filter(({ position }) => position > after && position <= upTo)
    .sort((a, b) => b.position - a.position);

function broughtBy(queue: PromotionQueueView | undefined, release: string): Merge[] {
  const all = queue ? [...(queue.current ? [queue.current] : []), ...queue.recent] : [];
  return [...(all.find((one) => one.release === release)?.merges ?? [])].reverse();
}
