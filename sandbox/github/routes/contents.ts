import { failed, notFound, type Answer } from '../answers.js';
import { badRequest, isRecord, required, text } from '../fields.js';
import type { Entry, Person } from '../git.js';
import { CONTENTS, onRepository, type RepositoryRequest } from '../on-repository.js';
import { moveRef } from '../pushes.js';
import type { Route } from '../router.js';
import { noreply } from '../signing.js';
import { gitCommitBody, parentsOf } from '../shapes/commit.js';
import { apiOf, htmlOf, inUrl, nodeId, type Place } from '../shapes/place.js';

const DOCS = 'https://docs.github.com/rest/repos/contents';

const TYPES: Record<Entry['type'], string> = { blob: 'file', tree: 'dir', commit: 'submodule' };

function entryBody({ path, sha, size, type }: Entry, ref: string, place: Place) {
  const kind = type === 'tree' ? 'tree' : 'blob';
  const self = `${apiOf(place)}/contents/${inUrl(path)}?ref=${encodeURIComponent(ref)}`;
  const git = `${apiOf(place)}/git/${kind}s/${sha}`;
  const html = `${htmlOf(place)}/${kind}/${inUrl(ref)}/${inUrl(path)}`;
  return {
    name: path.split('/').at(-1) ?? path,
    path,
    sha,
    size,
    url: self,
    html_url: html,
    git_url: git,
    download_url: type === 'blob' ? `${htmlOf(place)}/raw/${inUrl(ref)}/${inUrl(path)}` : null,
    type: TYPES[type],
    _links: { self, git, html },
  };
}

async function read({ params, query, repository, place }: RepositoryRequest): Promise<Answer> {
  const { git, defaultBranch } = repository;
  const ref = query.get('ref') ?? defaultBranch;
  const commit = await git.resolve(ref);
  if (!commit) return failed(404, `No commit found for the ref ${ref}`, DOCS);
  const path = (params['path'] ?? '').replace(/\/+$/, '');
  const entries = await git.entries(commit, path);
  const [first] = entries;
  if (!first) return notFound(DOCS);
  if (first.path !== path || first.type !== 'blob')
    return { status: 200, body: entries.map((entry) => entryBody(entry, ref, place)) };
  const content = (await git.blob(first.sha)).toString('base64').replaceAll(/.{1,60}/g, '$&\n');
  return { status: 200, body: { ...entryBody(first, ref, place), content, encoding: 'base64' } };
}

function contentOf(fields: Record<string, unknown>): Buffer {
  const content = required(fields, 'content').replaceAll('\n', '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(content) || content.length % 4)
    throw badRequest('content is not valid Base64');
  return Buffer.from(content, 'base64');
}

function authorOf(fields: Record<string, unknown>, otherwise: Person): Person {
  const given = fields['committer'] ?? fields['author'];
  if (!isRecord(given)) return otherwise;
  return { name: required(given, 'name'), email: required(given, 'email') };
}

const isPath = (path: string): boolean =>
  path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git');

async function write(request: RepositoryRequest): Promise<Answer> {
  const { params, fields, repository, place, by, state } = request;
  const { git, defaultBranch, effects } = repository;
  const path = params['path'] ?? '';
  const [message, content] = [required(fields, 'message'), contentOf(fields)];
  const branch = text(fields, 'branch') ?? defaultBranch;
  const known = text(fields, 'sha');
  if (!isPath(path)) return failed(422, 'path contains a malformed path component', DOCS);
  const head = await git.ref(`refs/heads/${branch}`);
  if (!head) return failed(404, `Branch ${branch} not found`, DOCS);
  const before = (await git.entries(head.sha, path)).find((entry) => entry.path === path);
  if (before && known === undefined) throw badRequest('"sha" wasn\'t supplied.');
  if (known !== undefined && before?.sha !== known)
    return failed(409, `${path} does not match ${known}`, DOCS);

  const tree = await git.treeWith(head.sha, { [path]: content });
  const signer = authorOf(fields, noreply(by, state));
  const sha = await git.makeCommit({ tree, parents: [head.sha], message, by: signer });
  await moveRef(repository, { ref: head.ref, before: head.sha, after: sha, by });
  effects.add({ kind: 'commit', by, what: path, detail: sha });
  const [entry] = await git.entries(sha, path);
  const commit = await git.commit(sha);
  const body = {
    content: entry && entryBody(entry, branch, place),
    commit: {
      sha,
      node_id: nodeId('Commit', sha),
      ...gitCommitBody(commit, place),
      html_url: `${htmlOf(place)}/commit/${sha}`,
      parents: parentsOf(commit, place),
    },
  };
  return { status: before ? 200 : 201, body };
}

export const contents: Route[] = [
  onRepository({ method: 'GET', path: '/contents', handle: read }),
  onRepository({ method: 'GET', path: '/contents/{path*}', handle: read }),
  onRepository({ method: 'PUT', path: '/contents/{path*}', need: CONTENTS, handle: write }),
];
