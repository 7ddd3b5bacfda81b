import type { Need } from '../access.js';
import { failed, invalid, notFound, type Answer } from '../answers.js';
import { flag, isRecord, text, texts, type Fields } from '../fields.js';
import { onRepository, type RepositoryRequest, type RepositoryRoute } from '../on-repository.js';
import { paged } from '../pages.js';
import { now } from '../records.js';
import type { Route } from '../router.js';
import { deliveryBody, fullDeliveryBody, hookBody } from '../shapes/hook.js';
import { pingPayload } from '../shapes/payload.js';
import type { Delivery, Hook } from '../webhooks/hooks.js';

const DOCS = 'repos/webhooks';
const NEED: Need = { permissions: ['repository_hooks'], scopes: ['repo', 'admin:repo_hook'] };

const hookOf = ({ params, repository }: RepositoryRequest): Hook | undefined =>
  repository.hooks.hook(Number(params['hook']));

/** @param work only where the hook is there */
const onHook = (work: (hook: Hook, request: RepositoryRequest) => Answer | Promise<Answer>) =>
  function handle(request: RepositoryRequest): Answer | Promise<Answer> {
    const hook = hookOf(request);
    return hook ? work(hook, request) : notFound();
  };

const configOf = (fields: Fields): Fields => {
  const config = fields['config'];
  return isRecord(config) ? config : {};
};

function ping(hook: Hook, { repository, by, place }: RepositoryRequest): void {
  repository.hooks.announce({ event: 'ping', payload: pingPayload(hook, by, place), hookId: hook.id });
}

const badUrl = (): Answer =>
  invalid({ resource: 'Hook', code: 'custom', field: 'url', message: 'url is missing a scheme' });

function create(request: RepositoryRequest): Answer {
  const { fields, repository, place } = request;
  const config = configOf(fields);
  const url = text(config, 'url') ?? '';
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return badUrl();
  if (repository.hooks.hooks.some((hook) => hook.url === url))
    return invalid({ resource: 'Hook', code: 'custom', message: 'Hook already exists on this repository' });
  const hook = repository.hooks.add({
    url,
    secret: text(config, 'secret'),
    events: texts(fields, 'events') ?? ['push'],
    active: flag(fields, 'active', true),
  });
  ping(hook, request);
  return { status: 201, body: hookBody(hook, place) };
}

function update(hook: Hook, { fields, place }: RepositoryRequest): Answer {
  const config = configOf(fields);
  const url = text(config, 'url') ?? hook.url;
  if (!URL.canParse(url)) return badUrl();
  hook.url = url;
  hook.secret = text(config, 'secret') ?? hook.secret;
  hook.events = texts(fields, 'events') ?? hook.events;
  hook.active = flag(fields, 'active', hook.active);
  hook.updatedAt = now();
  return { status: 200, body: hookBody(hook, place) };
}

function remove(hook: Hook, { repository }: RepositoryRequest): Answer {
  const { hooks } = repository.hooks;
  hooks.splice(hooks.indexOf(hook), 1);
  return { status: 204 };
}

const isGood = ({ answer }: Delivery): boolean => answer !== undefined && answer.statusCode < 300;

/** Newest first; GitHub pages by a cursor here. */
function deliveries(hook: Hook, { query, repository, url, path }: RepositoryRequest): Answer {
  const perPage = Math.min(Math.max(Number(query.get('per_page') ?? 30) || 30, 1), 100);
  const status = query.get('status');
  const before = Number(query.get('cursor') ?? Infinity);
  const found = repository.hooks.deliveries
    .filter((one) => one.hookId === hook.id && one.id < before)
    .filter((one) => status === null || (status === 'success') === isGood(one))
    .reverse();
  const page = found.slice(0, perPage);
  const next = new URLSearchParams(query);
  next.set('cursor', String(page.at(-1)?.id));
  const link = `<${url}${path}?${next.toString()}>; rel="next"`;
  return {
    status: 200,
    body: page.map((one) => deliveryBody(one, repository.hooks.repositoryId)),
    headers: found.length > perPage ? { link } : {},
  };
}

const deliveryOf = (hook: Hook, { params, repository }: RepositoryRequest): Delivery | undefined =>
  repository.hooks.deliveries.find(
    ({ id, hookId }) => hookId === hook.id && String(id) === params['delivery'],
  );

function delivery(hook: Hook, request: RepositoryRequest): Answer {
  const found = deliveryOf(hook, request);
  if (!found) return notFound();
  return { status: 200, body: fullDeliveryBody(found, request.repository.hooks.repositoryId) };
}

function attempt(hook: Hook, request: RepositoryRequest): Answer {
  const found = deliveryOf(hook, request);
  if (!found) return failed(422, 'This delivery cannot be redelivered');
  // Under way when it is answered, as at GitHub.
  void request.repository.hooks.redeliver(found.id);
  return { status: 202, body: {} };
}

const route = (method: Route['method'], path: string, handle: RepositoryRoute['handle']): Route =>
  onRepository({ method, path: `/hooks${path}`, need: NEED, docs: DOCS, bodyless: true, handle });

export const hooks: Route[] = [
  route('GET', '', (request) =>
    paged(request, request.repository.hooks.hooks, (hook) => hookBody(hook, request.place)),
  ),
  route('POST', '', create),
  route(
    'GET',
    '/{hook}',
    onHook((hook, { place }) => ({ status: 200, body: hookBody(hook, place) })),
  ),
  route('PATCH', '/{hook}', onHook(update)),
  route('DELETE', '/{hook}', onHook(remove)),
  route(
    'POST',
    '/{hook}/pings',
    onHook((hook, request) => {
      ping(hook, request);
      return { status: 204 };
    }),
  ),
  route('GET', '/{hook}/deliveries', onHook(deliveries)),
  route('GET', '/{hook}/deliveries/{delivery}', onHook(delivery)),
  route('POST', '/{hook}/deliveries/{delivery}/attempts', onHook(attempt)),
];
