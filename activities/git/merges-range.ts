/** Which first-parent commits of the branch a push brought. */
import type { FindMergesInput } from '../../domain/promotion/effects.js';
import { isCommit } from '../../domain/tags.js';
import type { History } from './mirror.js';

export interface Range {
  /** The newest one: on the branch's first-parent line. */
  newest: string;
  /** What was there before; absent: the range is `newest` alone. */
  before?: string;
}

/** @returns undefined where nothing that the push brought is on the branch now */
export async function rangeOf(history: History, input: FindMergesInput): Promise<Range | undefined> {
  const after = await afterOf(history, input);
  const newest = await newestIn(history, after);
  if (newest === undefined) return undefined;
  const before = await beforeOf(history, input, after);
  if (before !== undefined) return { newest, before };
  return newest === after ? { newest } : undefined;
}

/**
 * A head that was forced away and that nobody has any more cannot be compared: the branch as it is stands for it, which
 * holds all of its merges that are still there.
 */
async function afterOf(history: History, { after }: FindMergesInput): Promise<string> {
  if (after === undefined || after === history.head) return history.head;
  return isCommit(after) && (await history.obtain(after)) ? after : history.head;
}

/** @returns undefined where it has no history in common with `after`: what of it is new cannot be told */
async function beforeOf(
  history: History,
  { before }: FindMergesInput,
  after: string,
): Promise<string | undefined> {
  if (before === undefined || !isCommit(before) || /^0+$/.test(before)) return undefined;
  if (!(await history.obtain(before))) return undefined;
  const { code } = await history.git(['merge-base', before, after], { codes: [0, 1] });
  return code === 0 ? before : undefined;
}

/** The newest first-parent commit of the branch that `after` is or contains. */
async function newestIn(history: History, after: string): Promise<string | undefined> {
  const { head } = history;
  if (after === head) return head;
  const newer = await countOf(history, [head, `^${after}`]);
  const found = await history.git(['rev-parse', '--verify', '--quiet', `${head}~${newer}`], {
    codes: [0, 1, 128],
  });
  return found.code === 0 ? found.stdout.trim() : undefined;
}

/** @param range first-parent commits of it */
export async function countOf(history: History, range: string[]): Promise<number> {
  const { stdout } = await history.git(['rev-list', '--first-parent', '--count', ...range, '--']);
  return Number(stdout.trim());
}
