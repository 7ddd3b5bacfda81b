import { failed, notFound, type Answer } from '../answers.js';
import { badRequest, text } from '../fields.js';
import { mergePull, NotMergeable } from '../merges.js';
import { CONTENTS, onRepository, type RepositoryRequest } from '../on-repository.js';
import type { Route } from '../router.js';

const DOCS = 'pulls/pulls#merge-a-pull-request';
const link = `https://docs.github.com/rest/${DOCS}`;

async function merge(request: RepositoryRequest): Promise<Answer> {
  const { params, fields, repository, state, by } = request;
  const pull = repository.pull(Number(params['number']));
  if (!pull) return notFound(link);
  const method = text(fields, 'merge_method') ?? 'merge';
  if (method !== 'merge' && method !== 'squash' && method !== 'rebase')
    throw badRequest(`For 'properties/merge_method', ${method} is not a possible value.`);
  if (method === 'rebase') return failed(405, 'Rebase merges are not allowed on this repository.', link);
  const sha = text(fields, 'sha');
  if (pull.mergedAt || pull.state !== 'open' || pull.draft)
    return failed(405, 'Pull Request is not mergeable', link);
  if (sha !== undefined && sha !== pull.headSha)
    return failed(409, 'Head branch was modified. Review and try the merge again.', link);
  const words = { title: text(fields, 'commit_title'), message: text(fields, 'commit_message') };
  try {
    const merged = await mergePull(repository, state, pull, { by, method, ...words });
    const message = 'Pull Request successfully merged';
    return { status: 200, body: { sha: merged, merged: true, message } };
  } catch (error) {
    if (error instanceof NotMergeable) return failed(405, 'Pull Request is not mergeable', link);
    throw error;
  }
}

function merged({ params, repository }: RepositoryRequest): Answer {
  return repository.pull(Number(params['number']))?.mergedAt ? { status: 204 } : notFound(link);
}

const path = '/pulls/{number}/merge';

export const merges: Route[] = [
  onRepository({ method: 'PUT', path, need: CONTENTS, docs: DOCS, bodyless: true, handle: merge }),
  onRepository({ method: 'GET', path, docs: DOCS, handle: merged }),
];
