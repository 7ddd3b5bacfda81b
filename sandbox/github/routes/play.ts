/** `/_sandbox/`: what people do at this GitHub, for whoever has no other hand in it than HTTP. */
import { CONCLUSIONS } from '../actions/run.js';
import { failed, type Answer } from '../answers.js';
import { isRecord, type Fields } from '../fields.js';
import { mergePullRequest, openPullRequest, type MergePullRequest, type OpenPullRequest } from '../people.js';
import { push, type Push } from '../pushes.js';
import type { Repository } from '../repository.js';
import type { Route, RouteRequest } from '../router.js';
import { WEBHOOK_FAULTS, type WebhookFault } from '../webhooks/faults.js';

interface Playing extends RouteRequest {
  repository: Repository;
  fields: Fields;
}

type Work = (request: Playing) => unknown;

/** What goes wrong is said as it is: only people read it. */
function play(method: Route['method'], path: string, work: Work): Route {
  return {
    method,
    path: `/_sandbox/${path}`,
    open: true,
    async handle(request): Promise<Answer> {
      const { repository, body } = request;
      if (!repository) return failed(404, 'This GitHub has no repository');
      try {
        const made = await work({ ...request, repository, fields: isRecord(body) ? body : {} });
        return made === undefined ? { status: 204 } : { status: 200, body: made };
      } catch (error) {
        return failed(422, error instanceof Error ? error.message : String(error));
      }
    },
  };
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw new Error(`${name} is missing`);
  return value;
}

/** Who and what is needed; the rest is looked at where it is used. */
function opening(fields: Fields): OpenPullRequest {
  const title = typeof fields['title'] === 'string' ? fields['title'] : 'A change';
  return { ...fields, title, author: text(fields, 'author') };
}

function merging(fields: Fields): MergePullRequest {
  const number = Number(fields['number']);
  return fields['number'] === undefined ? opening(fields) : { ...fields, number };
}

const idOf = ({ params }: Playing): number => Number(params['id']);

function oneOf<One extends string>(list: readonly One[], value: unknown, name: string): One {
  const found = list.find((one) => one === value);
  if (found === undefined) throw new Error(`${name} is one of ${list.join(', ')}`);
  return found;
}

export const plays: Route[] = [
  play('POST', 'pulls', ({ repository, state, fields }) =>
    repository.exclusive(() => openPullRequest(repository, state, opening(fields))),
  ),
  play('POST', 'merges', ({ repository, state, fields }) =>
    repository.exclusive(() => mergePullRequest(repository, state, merging(fields))),
  ),
  play('POST', 'pushes', ({ repository, state, fields }) => {
    const by = state.contributor(text(fields, 'by')).login;
    return repository.exclusive(() => push(repository, { ...(fields as Omit<Push, 'by'>), by }));
  }),
  play('GET', 'deliveries', ({ repository }) => ({ items: repository.hooks.deliveries })),
  play('POST', 'deliveries/{id}/attempts', async (request) => {
    const made = await request.repository.hooks.redeliver(idOf(request));
    if (!made) throw new Error(`There is no delivery ${idOf(request)} here`);
    return made;
  }),
  play('POST', 'webhook-faults', ({ repository, fields }) => {
    const kind = oneOf(WEBHOOK_FAULTS, fields['kind'], 'kind');
    repository.hooks.faults.add({ ...(fields as Omit<WebhookFault, 'kind'>), kind });
  }),
  play('DELETE', 'webhook-faults', ({ repository }) => repository.hooks.faults.clear()),
  play('GET', 'runs', ({ repository }) => ({ items: repository.actions.runs })),
  play('PUT', 'workflows/{file}', ({ repository, params, fields }) => {
    if (fields['conclusion'] !== undefined) oneOf(CONCLUSIONS, fields['conclusion'], 'conclusion');
    repository.actions.behave(params['file'] ?? '', fields);
  }),
  play('POST', 'runs/{id}/end', (request) => {
    const { repository, fields } = request;
    const run = repository.actions.run(idOf(request));
    if (!run) throw new Error(`There is no run ${idOf(request)} here`);
    repository.actions.finish(run, oneOf(CONCLUSIONS, fields['conclusion'] ?? 'success', 'conclusion'));
  }),
];
