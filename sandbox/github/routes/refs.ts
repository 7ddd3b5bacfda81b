import { failed, notFound, type Answer } from '../answers.js';
import { flag, required } from '../fields.js';
import { SHA } from '../git.js';
import { CONTENTS, onRepository, type RepositoryRequest } from '../on-repository.js';
import { moveRef, NOTHING } from '../pushes.js';
import type { Route } from '../router.js';
import { refBody } from '../shapes/commit.js';

const DOCS = 'git/refs';
const refused = (message: string): Answer => failed(422, message, `https://docs.github.com/rest/${DOCS}`);

const kindOf = (ref: string): 'tag' | 'branch' => (ref.startsWith('refs/tags/') ? 'tag' : 'branch');
const shortOf = (ref: string): string => ref.replace(/^refs\/(?:heads|tags)\//, '');

/** Why this SHA is none that a ref can have. */
async function shaTrouble({ repository }: RepositoryRequest, sha: string): Promise<Answer | undefined> {
  if (!SHA.test(sha))
    return refused('The sha parameter must be exactly 40 characters and contain only [0-9a-f].');
  return (await repository.git.resolve(sha)) === sha ? undefined : refused('Object does not exist');
}

async function create(request: RepositoryRequest): Promise<Answer> {
  const { fields, repository, place, by } = request;
  const { git, effects } = repository;
  const [ref, sha] = [required(fields, 'ref'), required(fields, 'sha')];
  if (!/^refs\/.+\/.+/.test(ref))
    return refused("Reference name must start with 'refs/' and have at least two slashes.");
  if (!(await git.isRefName(ref))) return refused(`"${ref}" is not a valid ref name.`);
  const trouble = await shaTrouble(request, sha);
  if (trouble) return trouble;
  if (await git.ref(ref)) return refused('Reference already exists');
  await moveRef(repository, { ref, before: NOTHING, after: sha, by });
  effects.add({ kind: kindOf(ref), by, what: shortOf(ref), detail: sha });
  return { status: 201, body: refBody({ ref, sha, type: 'commit' }, place) };
}

async function update(request: RepositoryRequest): Promise<Answer> {
  const { fields, params, repository, place, by } = request;
  const { git } = repository;
  const ref = `refs/${params['ref']}`;
  const sha = required(fields, 'sha');
  const force = flag(fields, 'force', false);
  const before = await git.ref(ref);
  if (!before) return refused('Reference does not exist');
  const trouble = await shaTrouble(request, sha);
  if (trouble) return trouble;
  if (!force && !(await git.isAncestor(before.sha, sha))) return refused('Update is not a fast forward');
  if (sha !== before.sha) await moveRef(repository, { ref, before: before.sha, after: sha, by });
  return { status: 200, body: refBody({ ref, sha, type: 'commit' }, place) };
}

async function remove({ params, repository, by }: RepositoryRequest): Promise<Answer> {
  const ref = `refs/${params['ref']}`;
  const before = await repository.git.ref(ref);
  if (!before) return refused('Reference does not exist');
  await moveRef(repository, { ref, before: before.sha, after: NOTHING, by });
  return { status: 204 };
}

async function one({ params, repository, place }: RepositoryRequest): Promise<Answer> {
  const found = await repository.git.ref(`refs/${params['ref']}`);
  return found
    ? { status: 200, body: refBody(found, place) }
    : notFound(`https://docs.github.com/rest/${DOCS}`);
}

async function matching({ params, repository, place }: RepositoryRequest): Promise<Answer> {
  const found = await repository.git.refs(`refs/${params['ref']}`);
  return { status: 200, body: found.map((ref) => refBody(ref, place)) };
}

export const refs: Route[] = [
  onRepository({ method: 'POST', path: '/git/refs', need: CONTENTS, docs: DOCS, handle: create }),
  onRepository({ method: 'PATCH', path: '/git/refs/{ref*}', need: CONTENTS, docs: DOCS, handle: update }),
  onRepository({ method: 'DELETE', path: '/git/refs/{ref*}', need: CONTENTS, docs: DOCS, handle: remove }),
  onRepository({ method: 'GET', path: '/git/ref/{ref*}', docs: DOCS, handle: one }),
  onRepository({ method: 'GET', path: '/git/matching-refs/{ref*}', docs: DOCS, handle: matching }),
];
