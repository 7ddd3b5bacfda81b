import type { Need } from '../access.js';
import { invalid, notFound, type Answer, type FieldError } from '../answers.js';
import { flag, required, text } from '../fields.js';
import { onRepository, type RepositoryRequest } from '../on-repository.js';
import { paged } from '../pages.js';
import { addPull, closePull, countsOf } from '../pulls.js';
import { now, type Pull } from '../records.js';
import type { Route } from '../router.js';
import { fileBody } from '../shapes/commit.js';
import { fullPullBody, pullBody } from '../shapes/pull.js';

const DOCS = 'pulls/pulls';
/** Whoever reads may ask for a pull. */
const NEED: Need = { permissions: ['pull_requests'], push: false };
const LONGEST = { title: 256, body: 65_536 };

const wrong = (error: Omit<FieldError, 'resource'>): Answer => invalid({ resource: 'PullRequest', ...error });

/** `{owner}:{branch}` or the branch. */
const branchOf = ({ repository }: RepositoryRequest, head: string): string | undefined => {
  const [owner, branch] = head.includes(':') ? head.split(':', 2) : [repository.owner, head];
  return owner?.toLowerCase() === repository.owner.toLowerCase() ? branch : undefined;
};

function lengthTrouble(fields: Record<string, unknown>): Answer | undefined {
  for (const [field, most] of Object.entries(LONGEST)) {
    if ([...(text(fields, field) ?? '')].length > most)
      return wrong({
        code: 'custom',
        field,
        message: `${field} is too long (maximum is ${most} characters)`,
      });
  }
  return undefined;
}

async function create(request: RepositoryRequest): Promise<Answer> {
  const { fields, repository, by, place } = request;
  const { git, owner, pulls, effects } = repository;
  const [given, base] = [required(fields, 'head'), required(fields, 'base')];
  const title = text(fields, 'title');
  if (!title) return wrong({ code: 'missing_field', field: 'title' });
  const tooLong = lengthTrouble(fields);
  if (tooLong) return tooLong;
  const head = branchOf(request, given);
  const tips = await Promise.all([head, base].map((name) => git.ref(`refs/heads/${name}`)));
  if (head === undefined || !tips[0]) return wrong({ field: 'head', code: 'invalid' });
  if (!tips[1]) return wrong({ field: 'base', code: 'invalid' });
  if (pulls.some((pull) => pull.state === 'open' && pull.head === head && pull.base === base))
    return wrong({ code: 'custom', message: `A pull request already exists for ${owner}:${head}.` });
  if ((await git.count(`${tips[1].sha}..${tips[0].sha}`)) === 0)
    return wrong({ code: 'custom', message: `No commits between ${base} and ${head}` });
  const rest = { body: text(fields, 'body'), draft: flag(fields, 'draft', false) };
  const pull = await addPull(repository, { title, author: by, head, base, ...rest });
  effects.add({ kind: 'pull', by, what: String(pull.number), detail: head });
  return { status: 201, body: fullPullBody(pull, await countsOf(repository, pull), place) };
}

function sorted(pulls: Pull[], query: URLSearchParams): Pull[] {
  const sort = query.get('sort') ?? 'created';
  const direction = query.get('direction') ?? (sort === 'created' ? 'desc' : 'asc');
  const key = ({ updatedAt, createdAt }: Pull): string => (sort === 'updated' ? updatedAt : createdAt);
  const rising = pulls.toSorted((a, b) => key(a).localeCompare(key(b)) || a.number - b.number);
  return direction === 'desc' ? rising.reverse() : rising;
}

function list(request: RepositoryRequest): Answer | Promise<Answer> {
  const { query, repository, place } = request;
  const state = query.get('state') ?? 'open';
  if (!['open', 'closed', 'all'].includes(state)) return wrong({ field: 'state', code: 'invalid' });
  const [head, base] = [query.get('head'), query.get('base')];
  // Without an owner GitHub does not filter by head.
  const branch = head?.includes(':') ? (branchOf(request, head) ?? '') : undefined;
  const found = repository.pulls.filter(
    (pull) =>
      (state === 'all' || pull.state === state) &&
      (branch === undefined || pull.head === branch) &&
      (base === null || pull.base === base),
  );
  return paged(request, sorted(found, query), (pull) => pullBody(pull, place));
}

const pullAt = ({ params, repository }: RepositoryRequest): Pull | undefined =>
  repository.pull(Number(params['number']));

async function one(request: RepositoryRequest): Promise<Answer> {
  const pull = pullAt(request);
  if (!pull) return notFound();
  return { status: 200, body: fullPullBody(pull, await countsOf(request.repository, pull), request.place) };
}

async function update(request: RepositoryRequest): Promise<Answer> {
  const pull = pullAt(request);
  if (!pull) return notFound();
  const { fields } = request;
  const tooLong = lengthTrouble(fields);
  if (tooLong) return tooLong;
  const state = text(fields, 'state');
  if (state !== undefined && state !== 'open' && state !== 'closed')
    return wrong({ field: 'state', code: 'invalid' });
  if (state === 'open' && pull.mergedAt)
    return wrong({
      field: 'state',
      code: 'invalid',
      message: 'state cannot be changed. The pull request is merged.',
    });
  pull.title = text(fields, 'title') ?? pull.title;
  pull.body = text(fields, 'body') ?? pull.body;
  pull.updatedAt = now();
  const { repository, by } = request;
  if (state === 'closed' && pull.state === 'open') closePull(repository, pull, by);
  if (state === 'open' && pull.state === 'closed') {
    Object.assign(pull, { state, closedAt: null });
    repository.events.tell({ event: 'pull_request', action: 'reopened', pull, by });
  }
  return one(request);
}

async function files(request: RepositoryRequest): Promise<Answer> {
  const pull = pullAt(request);
  if (!pull) return notFound();
  const { files: changes } = await countsOf(request.repository, pull);
  return paged(request, changes, (change) => fileBody(change, pull.headSha, request.place));
}

export const pulls: Route[] = [
  onRepository({ method: 'POST', path: '/pulls', need: NEED, docs: DOCS, handle: create }),
  onRepository({ method: 'GET', path: '/pulls', docs: DOCS, handle: list }),
  onRepository({ method: 'GET', path: '/pulls/{number}', docs: DOCS, handle: one }),
  onRepository({ method: 'PATCH', path: '/pulls/{number}', need: NEED, docs: DOCS, handle: update }),
  onRepository({ method: 'GET', path: '/pulls/{number}/files', docs: DOCS, handle: files }),
];
