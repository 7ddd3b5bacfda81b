import type { Merge } from '../../domain/promotion/promotion.js';

/** A merge of the branch: `n` is its place there, and stands in its commit. */
export const mergeOf = (n: number, more: Partial<Merge> = {}): Merge => ({
  sha: n.toString(16).padStart(8, '0').padEnd(40, 'a'),
  title: `change ${n}`,
  author: 'alice',
  pullRequest: n,
  position: n,
  ...more,
});
