import type { Need } from '../access.js';
import { invalid, notFound, type Answer } from '../answers.js';
import { badRequest, isRecord, required, text } from '../fields.js';
import { onRepository, type RepositoryRequest } from '../on-repository.js';
import { paged } from '../pages.js';
import { now, type Label, type Pull } from '../records.js';
import type { Route } from '../router.js';
import { labelBody } from '../shapes/pull.js';

const DOCS = 'issues/labels';
const NEED: Need = { permissions: ['issues', 'pull_requests'] };
const LONGEST = 50;

/** `{ labels: [name | { name }] }`, or the list itself. */
function namesOf({ body }: RepositoryRequest): string[] {
  const given = isRecord(body) ? body['labels'] : body;
  if (!Array.isArray(given)) throw badRequest('"labels" wasn\'t supplied.');
  return given.map((one: unknown) => {
    if (typeof one === 'string') return one;
    return required(isRecord(one) ? one : {}, 'name');
  });
}

const badName = (names: string[]): Answer | undefined => {
  const value = names.find((name) => name === '' || [...name].length > LONGEST);
  return value === undefined
    ? undefined
    : invalid({ resource: 'Label', code: 'invalid', field: 'name', value });
};

/** Only pull requests are issues here. */
const pullOf = ({ params, repository }: RepositoryRequest): Pull | undefined =>
  repository.pull(Number(params['number']));

function change(request: RepositoryRequest, keep: boolean): Answer {
  const pull = pullOf(request);
  if (!pull) return notFound();
  const { repository, place, by } = request;
  const names = namesOf(request);
  const wrong = badName(names);
  if (wrong) return wrong;
  const labels = [...(keep ? pull.labels : []), ...names.map((name) => repository.label(name))];
  pull.labels = [...new Set(labels)];
  pull.updatedAt = now();
  repository.effects.add({ kind: 'labels', by, what: String(pull.number), detail: names.join(', ') });
  return { status: 200, body: pull.labels.map((label) => labelBody(label, place)) };
}

function remove(request: RepositoryRequest): Answer {
  const { params, place } = request;
  const pull = pullOf(request);
  const name = params['name']?.toLowerCase();
  const kept = pull?.labels.filter((label) => label.name.toLowerCase() !== name);
  if (!pull || !kept || kept.length === pull.labels.length) return notFound();
  pull.labels = kept;
  return { status: 200, body: kept.map((label) => labelBody(label, place)) };
}

function list(request: RepositoryRequest): Answer | Promise<Answer> {
  const pull = pullOf(request);
  return pull ? paged(request, pull.labels, (label) => labelBody(label, request.place)) : notFound();
}

function create({ fields, repository, place }: RepositoryRequest): Answer {
  const name = required(fields, 'name');
  const wrong = badName([name]);
  if (wrong) return wrong;
  if (repository.labels.some((label) => label.name.toLowerCase() === name.toLowerCase()))
    return invalid({ resource: 'Label', code: 'already_exists', field: 'name' });
  const label: Label = Object.assign(repository.label(name), {
    color: text(fields, 'color') ?? 'ededed',
    description: text(fields, 'description') ?? '',
  });
  return { status: 201, body: labelBody(label, place) };
}

const OF_ISSUE = '/issues/{number}/labels';

export const labels: Route[] = [
  onRepository({ method: 'GET', path: OF_ISSUE, docs: DOCS, handle: list }),
  onRepository({
    method: 'POST',
    path: OF_ISSUE,
    need: NEED,
    docs: DOCS,
    handle: (one) => change(one, true),
  }),
  onRepository({
    method: 'PUT',
    path: OF_ISSUE,
    need: NEED,
    docs: DOCS,
    handle: (one) => change(one, false),
  }),
  onRepository({ method: 'DELETE', path: `${OF_ISSUE}/{name}`, need: NEED, docs: DOCS, handle: remove }),
  onRepository({ method: 'POST', path: '/labels', need: NEED, docs: DOCS, handle: create }),
  onRepository({
    method: 'GET',
    path: '/labels',
    docs: DOCS,
    handle: (request) =>
      paged(request, request.repository.labels, (label) => labelBody(label, request.place)),
  }),
];
