/** What the message of a commit tells of a merge, where GitHub is not asked or does not know. */
import type { Merge } from './promotion.js';

/** Subjects are foreign text and stand in histories and tables. */
const LONGEST = 200;
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
    return { title: titleOf(below ?? subject), pullRequest: Number(merged) };
  }
  const [, title, number] = SQUASHED.exec(subject) ?? [];
  if (title === undefined || number === undefined) return { title: titleOf(subject) };
  return { title: titleOf(title), pullRequest: Number(number) };
}

/** One line, bounded. */
export const titleOf = (text: string): string => {
  const characters = [...text.trim().replace(/\s+/g, ' ')];
  return characters.length <= LONGEST ? characters.join('') : `${characters.slice(0, LONGEST - 1).join('')}…`;
};
