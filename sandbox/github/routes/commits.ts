import { failed, notFound, type Answer } from '../answers.js';
import { changesBetween } from '../diff.js';
import { onRepository, type RepositoryRequest } from '../on-repository.js';
import { linkOf, paged, pageOf } from '../pages.js';
import type { Route } from '../router.js';
import { commitBody, fileBody } from '../shapes/commit.js';
import { apiOf, htmlOf } from '../shapes/place.js';
import { pullBody } from '../shapes/pull.js';
import { pullsOf } from '../pulls.js';

const MOST_FILES = 300;
const SHA_ONLY = 'application/vnd.github.sha';

const DOCS = 'commits/commits';

/** @returns undefined where no commit has this name */
const commitAt = async ({ repository }: RepositoryRequest, name: string) => {
  const sha = await repository.git.resolve(name);
  return sha === undefined ? undefined : repository.git.commit(sha);
};

async function one(request: RepositoryRequest): Promise<Answer> {
  const { params, place, repository, headers } = request;
  const ref = params['ref'] ?? '';
  const commit = await commitAt(request, ref);
  if (!commit) return failed(422, `No commit found for SHA: ${ref}`, `https://docs.github.com/rest/${DOCS}`);
  if (headers.accept?.includes(SHA_ONLY))
    return { status: 200, text: commit.sha, headers: { 'content-type': `${SHA_ONLY}; charset=utf-8` } };
  const changes = await changesBetween(repository.git, commit.parents[0], commit.sha);
  const sum = (key: 'additions' | 'deletions') => changes.reduce((all, file) => all + file[key], 0);
  const [additions, deletions] = [sum('additions'), sum('deletions')];
  const files = changes.slice(0, MOST_FILES).map((change) => fileBody(change, commit.sha, place));
  const stats = { total: additions + deletions, additions, deletions };
  return { status: 200, body: { ...commitBody(commit, place), stats, files } };
}

async function list(request: RepositoryRequest): Promise<Answer> {
  const { query, repository, place } = request;
  const tip = await repository.git.resolve(query.get('sha') ?? repository.defaultBranch);
  if (tip === undefined) return notFound();
  const path = query.get('path');
  const { page, perPage } = pageOf(query);
  const limits = ['since', 'until', 'author'].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [`--${name}=${value}`];
  });
  const paths = path ? [path] : [];
  const all = await repository.git.log([...limits, tip], paths);
  const body = all.slice((page - 1) * perPage, page * perPage).map((commit) => commitBody(commit, place));
  return { status: 200, body, headers: linkOf(request, all.length) };
}

const COMPARED = 250;

/** Without pages GitHub shows the first 250 commits, and files on the first page only. */
async function compare(request: RepositoryRequest): Promise<Answer> {
  const { params, place, query, repository } = request;
  const { git, owner } = repository;
  const [from = '', to = '', ...more] = (params['basehead'] ?? '').split('...');
  const own = (name: string): string => (name.startsWith(`${owner}:`) ? name.slice(owner.length + 1) : name);
  const [base, head] = await Promise.all([git.resolve(own(from)), git.resolve(own(to))]);
  if (!base || !head || more.length) return notFound();
  const fork = await git.mergeBase(base, head);
  if (!fork) return failed(404, `No common ancestor between ${from} and ${to}.`);
  const [commits, behind, changes] = await Promise.all([
    git.log(['--reverse', '--topo-order', `${fork}..${head}`]),
    git.count(`${fork}..${base}`),
    changesBetween(git, fork, head),
  ]);
  const { page, perPage } = pageOf(query, COMPARED, COMPARED);
  const ahead = commits.length;
  const html = `${htmlOf(place)}/compare/${from}...${to}`;
  const body = {
    url: `${apiOf(place)}/compare/${encodeURIComponent(from)}...${encodeURIComponent(to)}`,
    html_url: html,
    permalink_url: `${htmlOf(place)}/compare/${base}...${head}`,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: commitBody(await git.commit(base), place),
    merge_base_commit: commitBody(await git.commit(fork), place),
    status: ahead ? (behind ? 'diverged' : 'ahead') : behind ? 'behind' : 'identical',
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    commits: commits.slice((page - 1) * perPage, page * perPage).map((commit) => commitBody(commit, place)),
    files: page === 1 ? changes.slice(0, MOST_FILES).map((change) => fileBody(change, head, place)) : [],
  };
  return { status: 200, body, headers: linkOf(request, ahead, COMPARED, COMPARED) };
}

async function pulls(request: RepositoryRequest): Promise<Answer> {
  const { params, repository, place } = request;
  const sha = params['sha'] ?? '';
  const found = await repository.git.resolve(sha);
  if (!found) return failed(422, `No commit found for SHA: ${sha}`);
  return paged(request, await pullsOf(repository, found), (pull) => pullBody(pull, place));
}

export const commits: Route[] = [
  onRepository({ method: 'GET', path: '/commits', docs: `${DOCS}#list-commits`, handle: list }),
  onRepository({ method: 'GET', path: '/commits/{sha}/pulls', docs: DOCS, handle: pulls }),
  onRepository({ method: 'GET', path: '/commits/{ref*}', docs: `${DOCS}#get-a-commit`, handle: one }),
  onRepository({ method: 'GET', path: '/compare/{basehead*}', docs: DOCS, handle: compare }),
];
