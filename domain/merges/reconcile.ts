/** From where on the branch is looked at for merges whose webhook never came. */
import type { Merge } from '../promotion/promotion.js';
import type { MergesNews } from '../messages.js';

/** What is known of where an app stands. */
export interface KnownHead {
  app: string;
  /** Up to which merges were looked for. */
  head?: string;
  /** What staging runs, for a queue that never ran: it counts from there where that is on the branch. */
  baseline?: string;
}

export interface KnownHeads {
  /** Apps with a promotion queue. */
  queues: KnownHead[];
  /** Apps whose merges go elsewhere. */
  others: string[];
}

/** Apps that are looked at together. Without `before` they begin with the head as it is now: nothing to find. */
export interface Range {
  before?: string;
  apps: string[];
}

export interface RangesInput {
  known: KnownHeads;
  /** App → head, of the others, as the last pass left them. */
  last: Record<string, string>;
  /** Those baselines that are commits on the branch. */
  onBranch: ReadonlySet<string>;
}

/** @returns most apps first; at most `most`: what is left over comes next time */
export function rangesOf({ known, last, onBranch }: RangesInput, most: number): Range[] {
  const byHead = new Map<string | undefined, string[]>();
  const add = (app: string, before: string | undefined): void =>
    void byHead.set(before, [...(byHead.get(before) ?? []), app]);
  for (const { app, head, baseline } of known.queues) {
    add(app, head ?? (baseline !== undefined && onBranch.has(baseline) ? baseline : undefined));
  }
  for (const app of known.others) add(app, Object.hasOwn(last, app) ? last[app] : undefined);
  return [...byHead]
    .map(([before, apps]) => ({ ...(before === undefined ? {} : { before }), apps: apps.sort() }))
    .sort((a, b) => b.apps.length - a.apps.length || (a.apps[0] ?? '').localeCompare(b.apps[0] ?? ''))
    .slice(0, most);
}

/** Distinct releases that `relate` has to be asked for. */
export const baselinesOf = ({ queues }: KnownHeads): string[] => [
  ...new Set(
    queues.flatMap(({ head, baseline }) => (head === undefined && baseline !== undefined ? [baseline] : [])),
  ),
];

/** What each queue is told: nothing, where it knows all of it already. */
export function newsFor(of: {
  known: KnownHeads;
  /** App → head up to which was looked. */
  heads: Record<string, string>;
  apps: Record<string, Merge[]>;
}): { app: string; news: MergesNews }[] {
  return of.known.queues.flatMap(({ app, head: before }) => {
    const head = of.heads[app];
    const merges = of.apps[app] ?? [];
    return head === undefined || (head === before && merges.length === 0)
      ? []
      : [{ app, news: { head, merges } }];
  });
}
