/** What stands behind GitHub's links: enough to see where one came to, and to merge by hand. */
import type { Run } from '../actions/run.js';
import { BEHAVIOURS } from '../../sample/files.js';
import type { FileChange } from '../diff.js';
import type { Commit } from '../git.js';
import type { Pull, Release } from '../records.js';
import { escaped, page } from './page.js';
import { htmlOf, type Place } from './place.js';

const link = (href: string, text: string): string => `<a href="${escaped(href)}">${escaped(text)}</a>`;
const line = (text: string): string => `<p>${escaped(text)}</p>`;
const block = (text: string): string => `<pre>${escaped(text)}</pre>`;
const list = (items: string[]): string => `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
const options = (values: readonly string[]): string =>
  values.map((value) => `<option>${escaped(value)}</option>`).join('');

const stateOf = (pull: Pull): string =>
  pull.mergedAt ? `merged by ${pull.mergedBy} at ${pull.mergedAt}` : pull.state;

const form = (fields: string, button: string): string =>
  `<form method="post" action="/_sandbox/site/merges">${fields}<button>${escaped(button)}</button></form>`;

/** @param people who may merge, and `apps` what they may change */
export function frontPage(of: { people: string[]; apps: readonly string[] }, place: Place): string {
  const { owner, name, pulls } = place.repository;
  const choices = [
    `<p><label>Who <select name="author">${options(of.people)}</select></label>`,
    `<label>changes <select name="app">${options(of.apps)}</select></label>`,
    `<label>which is then <select name="behaviour">${options(BEHAVIOURS)}</select></label></p>`,
  ];
  const known = pulls
    .toReversed()
    .map(
      (pull) => `${link(pullUrl(pull, place), `#${pull.number} ${pull.title}`)}, ${escaped(stateOf(pull))}`,
    );
  return page(
    `${owner}/${name}, played`,
    `${line('This plays GitHub for the sandbox.')}${form(choices.join('\n'), 'Merge a pull request')}${list(known)}`,
  );
}

const pullUrl = ({ number }: Pull, place: Place): string => `${htmlOf(place)}/pull/${number}`;

export function pullPage(pull: Pull, place: Place): string {
  const comments = place.repository.comments
    .filter(({ number }) => number === pull.number)
    .map(({ author, body }) => `<article>${line(`${author} says`)}${block(body)}</article>`);
  const merge = form(`<input type="hidden" name="number" value="${pull.number}">`, 'Merge');
  return page(
    `#${pull.number} ${pull.title}`,
    line(`by ${pull.author}, ${stateOf(pull)}`) +
      block(pull.body ?? '') +
      comments.join('') +
      (pull.state === 'open' ? merge : ''),
  );
}

export function runPage(run: Run, place: Place): string {
  const inputs = Object.entries(run.inputs).map(([name, value]) => escaped(`${name}: ${value}`));
  const what = `${run.status}${run.conclusion ? `: ${run.conclusion}` : ''}, attempt ${run.attempt}, by ${run.actor}`;
  return page(run.title, line(what) + list(inputs) + link(`${htmlOf(place)}/commit/${run.sha}`, run.sha));
}

export const commitPage = (commit: Commit, changes: FileChange[]): string =>
  page(
    commit.message.split('\n')[0] ?? commit.sha,
    line(`${commit.sha} by ${commit.author.name}, ${commit.author.date}`) +
      block(commit.message) +
      list(changes.map(({ status, path }) => escaped(`${status} ${path}`))),
  );

export const releasePage = (release: Release): string =>
  page(release.name ?? release.tag, line(`${release.tag} by ${release.author}`) + block(release.body ?? ''));
