/** Pull requests, as a list shows them, alone, and as a search finds them. */
import type { FileChange } from '../diff.js';
import type { Label, Pull } from '../records.js';
import { accountBody } from './account.js';
import { apiOf, htmlOf, nodeId, type Place } from './place.js';
import { repositoryBody } from './repository.js';

export const labelBody = ({ id, name, color, description }: Label, place: Place) => ({
  id,
  node_id: nodeId('Label', id),
  url: `${apiOf(place)}/labels/${encodeURIComponent(name)}`,
  name,
  color,
  default: false,
  description,
});

function common(pull: Pull, place: Place) {
  const { state, url } = place;
  return {
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    number: pull.number,
    title: pull.title,
    body: pull.body,
    state: pull.state,
    locked: false,
    user: accountBody(pull.author, state, url),
    labels: pull.labels.map((label) => labelBody(label, place)),
    assignee: null,
    assignees: [],
    milestone: null,
    author_association: state.user(pull.author)?.inOrg ? 'MEMBER' : 'CONTRIBUTOR',
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    draft: pull.draft,
    active_lock_reason: null,
  };
}

const commentsOf = ({ number }: Pull, { repository }: Place): number =>
  repository.comments.filter((comment) => comment.number === number).length;

function linksOf(pull: Pull, place: Place) {
  const self = `${apiOf(place)}/pulls/${pull.number}`;
  const issue = `${apiOf(place)}/issues/${pull.number}`;
  return {
    url: self,
    html_url: `${htmlOf(place)}/pull/${pull.number}`,
    diff_url: `${htmlOf(place)}/pull/${pull.number}.diff`,
    patch_url: `${htmlOf(place)}/pull/${pull.number}.patch`,
    issue_url: issue,
    commits_url: `${self}/commits`,
    review_comments_url: `${self}/comments`,
    review_comment_url: `${apiOf(place)}/pulls/comments{/number}`,
    comments_url: `${issue}/comments`,
    statuses_url: `${apiOf(place)}/statuses/${pull.headSha}`,
  };
}

export function pullBody(pull: Pull, place: Place) {
  const { repository, state, url } = place;
  const links = linksOf(pull, place);
  const side = (ref: string, sha: string) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: accountBody(repository.owner, state, url),
    repo: repositoryBody(place),
  });
  return {
    ...common(pull, place),
    ...links,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
    requested_reviewers: [],
    requested_teams: [],
    head: side(pull.head, pull.headSha),
    base: side(pull.base, pull.baseSha),
    auto_merge: null,
    _links: {
      self: { href: links.url },
      html: { href: links.html_url },
      issue: { href: links.issue_url },
      comments: { href: links.comments_url },
      review_comments: { href: links.review_comments_url },
      review_comment: { href: links.review_comment_url },
      commits: { href: links.commits_url },
      statuses: { href: links.statuses_url },
    },
  };
}

export function fullPullBody(pull: Pull, counted: { commits: number; files: FileChange[] }, place: Place) {
  const { state, url } = place;
  const sum = (key: 'additions' | 'deletions') => counted.files.reduce((all, file) => all + file[key], 0);
  const isOpen = pull.state === 'open';
  const mergeable = isOpen ? pull.mergeCommit !== null : null;
  return {
    ...pullBody(pull, place),
    merged: pull.mergedAt !== null,
    mergeable,
    rebaseable: mergeable,
    mergeable_state: isOpen ? (mergeable ? 'clean' : 'dirty') : 'unknown',
    merged_by: pull.mergedBy === null ? null : accountBody(pull.mergedBy, state, url),
    comments: commentsOf(pull, place),
    review_comments: 0,
    maintainer_can_modify: false,
    commits: counted.commits,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: counted.files.length,
  };
}

export function foundBody(pull: Pull, place: Place) {
  const { url, html_url, diff_url, patch_url, issue_url, comments_url } = linksOf(pull, place);
  return {
    ...common(pull, place),
    body: pull.body ?? '',
    url: issue_url,
    html_url,
    repository_url: apiOf(place),
    comments_url,
    labels_url: `${issue_url}/labels{/name}`,
    events_url: `${issue_url}/events`,
    comments: commentsOf(pull, place),
    pull_request: { url, html_url, diff_url, patch_url, merged_at: pull.mergedAt },
    score: 1,
  };
}
