import { loginOf, refusal, type Need } from '../access.js';
import { invalid, notFound, type Answer } from '../answers.js';
import { required } from '../fields.js';
import { onRepository, type RepositoryRequest } from '../on-repository.js';
import { paged } from '../pages.js';
import { now, type Comment } from '../records.js';
import type { Route } from '../router.js';
import { commentBody } from '../shapes/comment.js';

const DOCS = 'issues/comments';
/** Whoever reads may comment. */
const NEED: Need = { permissions: ['issues', 'pull_requests'], push: false };
const LONGEST = 65_536;

function bodyTrouble(body: string): Answer | undefined {
  const wrong = (code: 'missing_field' | 'custom', message?: string): Answer =>
    invalid({ resource: 'IssueComment', code, field: 'body', ...(message ? { message } : {}) });
  if (body.trim() === '') return wrong('missing_field');
  if ([...body].length > LONGEST)
    return wrong('custom', `body is too long (maximum is ${LONGEST} characters)`);
  return undefined;
}

function create({ params, fields, repository, by, place }: RepositoryRequest): Answer {
  const pull = repository.pull(Number(params['number']));
  if (!pull) return notFound();
  const body = required(fields, 'body');
  const trouble = bodyTrouble(body);
  if (trouble) return trouble;
  const at = now();
  const { number } = pull;
  const comment: Comment = {
    id: repository.nextId(),
    number,
    author: by,
    body,
    createdAt: at,
    updatedAt: at,
  };
  repository.comments.push(comment);
  pull.updatedAt = at;
  repository.effects.add({ kind: 'comment', by, what: String(comment.id), detail: `#${number}` });
  return { status: 201, body: commentBody(comment, place) };
}

const commentAt = ({ params, repository }: RepositoryRequest): Comment | undefined =>
  repository.comments.find(({ id }) => String(id) === params['id']);

/** Another's is changed by those only who may push. */
const othersTrouble = (comment: Comment, { caller, state }: RepositoryRequest): Answer | undefined =>
  comment.author === loginOf(caller) ? undefined : refusal(caller, { ...NEED, push: true }, state);

function update(request: RepositoryRequest): Answer {
  const comment = commentAt(request);
  if (!comment) return notFound();
  const body = required(request.fields, 'body');
  const trouble = othersTrouble(comment, request) ?? bodyTrouble(body);
  if (trouble) return trouble;
  Object.assign(comment, { body, updatedAt: now() });
  const { repository, by, place } = request;
  const detail = `#${comment.number}`;
  repository.effects.add({ kind: 'comment-edit', by, what: String(comment.id), detail });
  return { status: 200, body: commentBody(comment, place) };
}

function one(request: RepositoryRequest): Answer {
  const comment = commentAt(request);
  return comment ? { status: 200, body: commentBody(comment, request.place) } : notFound();
}

/** Oldest first. */
function list(request: RepositoryRequest): Answer | Promise<Answer> {
  const { params, query, repository, place } = request;
  const number = Number(params['number']);
  if (!repository.pull(number)) return notFound();
  const since = query.get('since');
  const found = repository.comments.filter(
    (comment) => comment.number === number && (since === null || comment.updatedAt >= since),
  );
  return paged(request, found, (comment) => commentBody(comment, place));
}

const OF_ISSUE = '/issues/{number}/comments';
const ONE = '/issues/comments/{id}';

export const comments: Route[] = [
  onRepository({ method: 'GET', path: ONE, docs: DOCS, handle: one }),
  onRepository({ method: 'PATCH', path: ONE, need: NEED, docs: DOCS, handle: update }),
  onRepository({ method: 'GET', path: OF_ISSUE, docs: DOCS, handle: list }),
  onRepository({ method: 'POST', path: OF_ISSUE, need: NEED, docs: DOCS, handle: create }),
];
