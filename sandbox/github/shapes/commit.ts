/** Commits, changed files and refs. */
import type { FileChange } from '../diff.js';
import type { Commit, Signed } from '../git.js';
import type { GitHubState } from '../state.js';
import { accountBody } from './account.js';
import { apiOf, htmlOf, inUrl, nodeId, type Place } from './place.js';

const UNSIGNED = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

/** GitHub knows people by their addresses. @returns undefined for whoever it does not know */
export function loginOf({ email }: Signed, state: GitHubState): string | undefined {
  const [, login = ''] = /^(?:\d+\+)?(.+)@users\.noreply\.github\.com$/.exec(email) ?? [];
  return login.endsWith('[bot]') ? login : state.user(login)?.login;
}

function personBody(signed: Signed, { state, url }: Place) {
  const login = loginOf(signed, state);
  return login === undefined ? null : accountBody(login, state, url);
}

/** Git's part of a commit. */
export function gitCommitBody(commit: Commit, place: Place) {
  const api = apiOf(place);
  const { sha, tree, author, committer, message } = commit;
  return {
    author,
    committer,
    message,
    tree: { sha: tree, url: `${api}/git/trees/${tree}` },
    url: `${api}/git/commits/${sha}`,
    comment_count: 0,
    verification: UNSIGNED,
  };
}

export function commitBody(commit: Commit, place: Place) {
  const { sha } = commit;
  const self = `${apiOf(place)}/commits/${sha}`;
  return {
    sha,
    node_id: nodeId('Commit', sha),
    commit: gitCommitBody(commit, place),
    url: self,
    html_url: `${htmlOf(place)}/commit/${sha}`,
    comments_url: `${self}/comments`,
    author: personBody(commit.author, place),
    committer: personBody(commit.committer, place),
    parents: parentsOf(commit, place),
  };
}

export const parentsOf = ({ parents }: Commit, place: Place) =>
  parents.map((sha) => ({
    sha,
    url: `${apiOf(place)}/commits/${sha}`,
    html_url: `${htmlOf(place)}/commit/${sha}`,
  }));

/** @param at the commit whose file it is */
export function fileBody(change: FileChange, at: string, place: Place) {
  const { path, previous, status, sha, additions, deletions } = change;
  return {
    sha,
    filename: path,
    status,
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: `${htmlOf(place)}/blob/${at}/${inUrl(path)}`,
    raw_url: `${htmlOf(place)}/raw/${at}/${inUrl(path)}`,
    contents_url: `${apiOf(place)}/contents/${inUrl(path)}?ref=${at}`,
    ...(previous === undefined ? {} : { previous_filename: previous }),
  };
}

export function refBody({ ref, sha, type }: { ref: string; sha: string; type: string }, place: Place) {
  const api = apiOf(place);
  return {
    ref,
    node_id: nodeId('Ref', ref),
    url: `${api}/git/${inUrl(ref)}`,
    object: { sha, type, url: `${api}/git/${type}s/${sha}` },
  };
}
