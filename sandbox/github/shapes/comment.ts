/** Comments of pull requests, and statuses of commits. */
import type { Comment, CommitStatus } from '../records.js';
import { accountBody } from './account.js';
import { apiOf, htmlOf, nodeId, type Place } from './place.js';

export function commentBody(comment: Comment, place: Place) {
  const { id, number, author, body } = comment;
  const { state, url } = place;
  return {
    id,
    node_id: nodeId('IssueComment', id),
    url: `${apiOf(place)}/issues/comments/${id}`,
    html_url: `${htmlOf(place)}/pull/${number}#issuecomment-${id}`,
    issue_url: `${apiOf(place)}/issues/${number}`,
    body,
    user: accountBody(author, state, url),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: state.user(author)?.inOrg ? 'MEMBER' : 'NONE',
    performed_via_github_app: null,
  };
}

export function commitStatusBody(status: CommitStatus, place: Place) {
  const creator = accountBody(status.creator, place.state, place.url);
  return {
    url: `${apiOf(place)}/statuses/${status.sha}`,
    avatar_url: creator.avatar_url,
    id: status.id,
    node_id: nodeId('StatusContext', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator,
  };
}
