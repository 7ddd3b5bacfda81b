/** What the message of a commit tells of a merge, where GitHub is not asked or does not know. */
import { oneLine } from '../one-line.js';
import type { Merge } from '../promotion/promotion.js';

/** `Mend the search (#12)`: GitHub's squash and rebase merges. */
const SQUASHED = /^(.*\S)\s+\(#(\d{1,9})\)$/;
/** GitHub's merge commits; the pull request's title is the first line below. */
const MERGED = /^Merge pull request #(\d{1,9}) from \S/;

/** @param message `subject`: one line; `body`: what follows it */
export function mergeText(message: { subject: string; body: string }): Pick<Merge, 'title' | 'pullRequest'> {
  const subject = message.subject.trim();
  const merged = MERGED.exec(subject)?.[1];
  if (merged !== undefined) {
    const below = message.body.split('\n').find((line) => line.trim() !== '');
    return { title: oneLine(below ?? subject), pullRequest: Number(merged) };
  }
  const [, title, number] = SQUASHED.exec(subject) ?? [];
  if (title === undefined || number === undefined) return { title: oneLine(subject) };
  return { title: oneLine(title), pullRequest: Number(number) };
}
