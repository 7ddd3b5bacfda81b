/**
 * Release notes and the changelog file, in Openverse's form. Titles and logins are data: whatever they hold,
 * they stay text in their line.
 */
import type { ReleaseNotesConfig } from '../config/config.js';

export interface MergedPullRequest {
  number: number;
  title: string;
  /** GitHub login; absent where the account was deleted. */
  author?: string;
  labels: readonly string[];
  /** ISO 8601. */
  mergedAt: string;
}

export interface ReleaseNotesInput {
  app: string;
  pullRequests: readonly MergedPullRequest[];
  config: ReleaseNotesConfig;
  /** `https://github.com/{owner}/{name}` */
  repositoryUrl: string;
  /** Git tag of the release before. */
  previous?: string;
}

/** GitHub takes 125,000 characters; the history of a workflow should not hold that many. */
const LONGEST = 60_000;
const LONGEST_TITLE = 300;
const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_-])?(?:\[bot\])?$/;

/** A configured label or title: `{app}` is the app's name with spaces for its underscores. */
export const labelFor = (template: string, app: string): string =>
  template.replaceAll('{app}', app.replaceAll('_', ' '));

export const changelogPathFor = (template: string, { app, date }: { app: string; date: string }): string =>
  template.replaceAll('{app}', app).replaceAll('{date}', date);

/** Those of the app, newest merge first, each once. */
export function ofApp(
  pullRequests: readonly MergedPullRequest[],
  { app, config }: Pick<ReleaseNotesInput, 'app' | 'config'>,
): MergedPullRequest[] {
  const wanted = labelFor(config.label, app);
  const unique = [...new Map(pullRequests.map((each) => [each.number, each])).values()];
  return unique
    .filter(({ labels }) => has(labels, wanted) && !config.exclude.some((label) => has(labels, label)))
    .sort((a, b) => b.mergedAt.localeCompare(a.mergedAt) || b.number - a.number);
}

/**
 * Markdown. A pull request stands once, in the first section that has one of its labels; those of no section
 * come first, without a heading (as release-drafter has it), so that none is lost.
 */
export function releaseNotes(input: ReleaseNotesInput): string {
  const { app, config, previous } = input;
  const mine = ofApp(input.pullRequests, input);
  if (mine.length === 0) {
    const since = previous === undefined ? '' : ` since ${plainText(previous)}`;
    return `No merged pull request carries the label “${plainText(labelFor(config.label, app))}”${since}.`;
  }
  const groups: { title?: string; lines: string[] }[] = [
    { lines: [] },
    ...config.sections.map(({ title }) => ({ title: labelFor(title, app), lines: [] })),
  ];
  let length = 0;
  let left = 0;
  for (const each of mine) {
    const line = lineOf(each, input.repositoryUrl);
    length += line.length + 1;
    if (length > LONGEST) {
      left += 1;
      continue;
    }
    const section = config.sections.findIndex(({ labels }) =>
      labels.some((label) => has(each.labels, label)),
    );
    groups[section + 1]?.lines.push(line);
  }
  const blocks = groups
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => [...(title ? [`## ${plainText(title)}`, ''] : []), ...lines].join('\n'));
  return [...blocks, ...(left > 0 ? [`… and ${left} more.`] : [])].join('\n\n');
}

/** Blank line, `# {date}`, blank line, body. */
export const changelogFile = ({ date, body }: { date: string; body: string }): string =>
  `\n# ${date}\n\n${body.trimEnd()}\n`;

/** `@login`, which tells the person; anything that is no login is text. */
export const mention = (login: string): string => (LOGIN.test(login) ? `@${login}` : plainText(login));

function lineOf({ title, number, author = 'ghost' }: MergedPullRequest, repositoryUrl: string): string {
  const text = plainText(cut(title)) || 'no title';
  const by = mention(author).replace('[bot]', '\\[bot\\]');
  return `- ${text} ([#${number}](${repositoryUrl}/pull/${number})) by ${by}`;
}

/** GitHub's labels are the same whatever the case of their letters. */
const has = (labels: readonly string[], wanted: string): boolean =>
  labels.some((label) => label.toLowerCase() === wanted.toLowerCase());

const cut = (text: string): string => {
  const characters = [...text];
  return characters.length > LONGEST_TITLE ? `${characters.slice(0, LONGEST_TITLE - 1).join('')}…` : text;
};

/** Turn the order of what follows around, on the whole page: nothing that a title needs. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const BREAKING = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu;
const HALF_A_CHARACTER = /\p{Cs}/gu;
/** What begins code, emphasis, a link, HTML, an entity, a table cell, struck-out text, mathematics, a substitution. */
const ACTIVE = /[\\`*_{}[\]<>&|~$]/g;
/** What begins a heading, a list, a ruler, a quotation or an underline where it comes first. */
const FIRST = /^(?:[#+\-=:]|\d{1,9}(?=[.)]))/;

/** Markdown that shows `text` as it is, in one line, and tells nobody. */
export function plainText(text: string): string {
  return (
    text
      .replace(HALF_A_CHARACTER, '\ufffd')
      .replace(BIDI, '')
      .replace(BREAKING, ' ')
      .trim()
      .replace(ACTIVE, '\\$&')
      .replace(FIRST, (first) => (/\d/.test(first) ? `${first}\\` : `\\${first}`))
      // An escaped `@` still mentions; an empty comment between it and the name does not.
      .replaceAll('@', '@<!---->')
  );
}
