/**
 * `GET /search/issues` for pull requests: words of the title, `repo:`, `is:`, `type:pr`, `state:`, `label:`,
 * `author:`, `base:`, `head:`, `merged:`, `closed:` and `created:` with `>`, `>=`, `<`, `<=` or `a..b`, each
 * with `-` before it too. Anything else is refused, so that nobody believes that it was understood.
 */
import { invalid, type Answer } from '../answers.js';
import { paged } from '../pages.js';
import { isWithin } from '../ranges.js';
import type { Pull } from '../records.js';
import type { Route, RouteRequest } from '../router.js';
import { foundBody } from '../shapes/pull.js';

interface Term {
  isNot: boolean;
  /** Empty: a word. */
  key: string;
  value: string;
}

const termsOf = (query: string): Term[] =>
  [...query.matchAll(/(-?)(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)].map(([, not, key = '', quoted, plain]) => ({
    isNot: not === '-',
    key,
    value: quoted ?? plain ?? '',
  }));

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const IS: Record<string, (pull: Pull) => boolean> = {
  pr: () => true,
  'pull-request': () => true,
  issue: () => false,
  open: ({ state }) => state === 'open',
  closed: ({ state }) => state === 'closed',
  merged: ({ mergedAt }) => mergedAt !== null,
  unmerged: ({ mergedAt }) => mergedAt === null,
  draft: ({ draft }) => draft,
  public: () => true,
};

const KEYS: Record<string, (pull: Pull, value: string, fullName: string) => boolean> = {
  '': ({ title }, value) => title.toLowerCase().includes(value.toLowerCase()),
  repo: (_pull, value, fullName) => same(value, fullName),
  is: (pull, value) => IS[value.toLowerCase()]?.(pull) ?? false,
  type: (pull, value) => IS[value.toLowerCase()]?.(pull) ?? false,
  state: (pull, value) => pull.state === value,
  label: ({ labels }, value) => labels.some(({ name }) => same(name, value)),
  author: ({ author }, value) => same(author, value),
  base: ({ base }, value) => base === value,
  head: ({ head }, value) => head === value,
  merged: ({ mergedAt }, value) => isWithin(mergedAt, value),
  closed: ({ closedAt }, value) => isWithin(closedAt, value),
  created: ({ createdAt }, value) => isWithin(createdAt, value),
};

const LONGEST = 256;

async function search(request: RouteRequest): Promise<Answer> {
  const { query, repository, state, url } = request;
  const asked = query.get('q') ?? '';
  const terms = termsOf(asked);
  const wrong = (code: 'missing' | 'invalid', message: string) =>
    invalid({ resource: 'Search', field: 'q', code, message });
  if (!terms.length) return wrong('missing', 'The search has no query');
  if (asked.length > LONGEST) return wrong('invalid', `The search is longer than ${LONGEST} characters.`);
  const strange = terms.find(
    ({ key, value }) => !KEYS[key] || ((key === 'is' || key === 'type') && !IS[value]),
  );
  if (strange) return wrong('invalid', `This stand-in does not know ${strange.key}:${strange.value}`);
  if (!repository) return { status: 200, body: { total_count: 0, incomplete_results: false, items: [] } };
  const fullName = `${repository.owner}/${repository.name}`;
  const found = repository.pulls.filter((pull) =>
    terms.every(({ key, value, isNot }) => (KEYS[key]?.(pull, value, fullName) ?? false) !== isNot),
  );
  const key = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  const rising = found.toSorted((a, b) => a[key].localeCompare(b[key]) || a.number - b.number);
  const ordered = query.get('order') === 'asc' ? rising : rising.reverse();
  const page = await paged(request, ordered, (pull) => foundBody(pull, { repository, state, url }));
  const body = {
    total_count: found.length,
    incomplete_results: false,
    items: page.body,
    search_type: 'lexical',
  };
  return { ...page, body };
}

export const searches: Route[] = [{ method: 'GET', path: '/search/issues', handle: search }];
