import type { Need } from '../access.js';
import { failed, invalid, notFound, type Answer } from '../answers.js';
import { required, text } from '../fields.js';
import { onRepository, type RepositoryRequest } from '../on-repository.js';
import { paged } from '../pages.js';
import { now, type CommitStatus } from '../records.js';
import type { Route } from '../router.js';
import { commitStatusBody } from '../shapes/comment.js';
import { apiOf } from '../shapes/place.js';
import { repositoryBody } from '../shapes/repository.js';

const DOCS = 'commits/statuses';
const NEED: Need = { permissions: ['statuses'], scopes: ['repo', 'repo:status', 'public_repo'] };
const STATES = ['error', 'failure', 'pending', 'success'] as const;
const LONGEST = 140;

async function create({ params, fields, repository, by, place }: RepositoryRequest): Promise<Answer> {
  const state = STATES.find((one) => one === fields['state']);
  const description = text(fields, 'description') ?? null;
  const wrong = (field: string, message: string) =>
    invalid({ resource: 'Status', code: 'custom', field, message });
  const sha = params['sha'] ?? '';
  if ((await repository.git.resolve(sha)) !== sha) return failed(422, `No commit found for SHA: ${sha}`);
  if (!state) return wrong('state', `${required(fields, 'state')} is not included in the list`);
  if (description && [...description].length > LONGEST)
    return wrong('description', `description is too long (maximum is ${LONGEST} characters)`);
  const status: CommitStatus = {
    id: repository.nextId(),
    sha,
    state,
    context: text(fields, 'context') ?? 'default',
    description,
    targetUrl: text(fields, 'target_url') ?? null,
    creator: by,
    createdAt: now(),
  };
  repository.commitStatuses.push(status);
  repository.effects.add({ kind: 'commit-status', by, what: sha, detail: `${status.context}: ${state}` });
  return { status: 201, body: commitStatusBody(status, place) };
}

/** Newest first; undefined where there is no such commit. */
async function statusesOf({ params, repository }: RepositoryRequest): Promise<CommitStatus[] | undefined> {
  const sha = await repository.git.resolve(params['ref'] ?? '');
  return sha === undefined ? undefined : repository.commitStatuses.filter((one) => one.sha === sha).reverse();
}

async function list(request: RepositoryRequest): Promise<Answer> {
  const found = await statusesOf(request);
  return found ? paged(request, found, (one) => commitStatusBody(one, request.place)) : notFound();
}

/** The newest of each context count; nothing at all is pending. */
async function combined(request: RepositoryRequest): Promise<Answer> {
  const { params, repository, place } = request;
  const found = await statusesOf(request);
  const sha = await repository.git.resolve(params['ref'] ?? '');
  if (!found || sha === undefined) return notFound();
  const newest = found.filter(
    (one, at) => found.findIndex(({ context }) => same(context, one.context)) === at,
  );
  const states = newest.map(({ state }) => (state === 'error' ? 'failure' : state));
  const worst = (['failure', 'pending'] as const).find((state) => states.includes(state));
  const body = {
    state: worst ?? (states.length ? 'success' : 'pending'),
    statuses: newest.map((one) => commitStatusBody(one, place)),
    sha,
    total_count: newest.length,
    repository: repositoryBody(place),
    commit_url: `${apiOf(place)}/commits/${sha}`,
    url: `${apiOf(place)}/commits/${sha}/status`,
  };
  return { status: 200, body };
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export const statuses: Route[] = [
  onRepository({ method: 'POST', path: '/statuses/{sha}', need: NEED, docs: DOCS, handle: create }),
  onRepository({ method: 'GET', path: '/commits/{ref}/statuses', docs: DOCS, handle: list }),
  onRepository({ method: 'GET', path: '/commits/{ref}/status', docs: DOCS, handle: combined }),
];
