/** A pull request becomes part of its base: a real commit, told to webhooks. */
import { noreply } from './signing.js';
import { moveRef, NOTHING } from './pushes.js';
import { now, type Pull } from './records.js';
import type { Repository } from './repository.js';
import type { GitHubState } from './state.js';

export interface MergeInput {
  /** Login. */
  by: string;
  /** `merge`: a commit with two parents; `squash`: one on the base. */
  method?: 'merge' | 'squash';
  /** First line; absent: as GitHub words it. */
  title?: string;
  /** After the first line. */
  message?: string;
  /** ISO 8601; absent: now. */
  at?: string;
}

export class NotMergeable extends Error {}

function messageOf({ owner }: Repository, pull: Pull, { method, title, message }: MergeInput): string {
  const isSquash = method === 'squash';
  const merge = `Merge pull request #${pull.number} from ${owner}/${pull.head}`;
  const first = title ?? (isSquash ? `${pull.title} (#${pull.number})` : merge);
  const rest = message ?? (isSquash ? '' : pull.title);
  return rest === '' ? first : `${first}\n\n${rest}`;
}

/**
 * The pull request's branch is deleted then, as at a repository that is set so, which Openverse's is.
 * @returns 40 hex: the merge
 * @throws NotMergeable where it is not open or conflicts
 */
export async function mergePull(
  repository: Repository,
  state: GitHubState,
  pull: Pull,
  input: MergeInput,
): Promise<string> {
  const { git, effects, events } = repository;
  const { by, method = 'merge', at = now() } = input;
  const ref = `refs/heads/${pull.base}`;
  const base = (await git.ref(ref))?.sha ?? '';
  const tree = await git.mergedTree(base, pull.headSha);
  if (pull.state !== 'open' || !tree)
    throw new NotMergeable(`#${pull.number} cannot be merged: it is closed or conflicts`);
  const isSquash = method === 'squash';
  const after = await git.makeCommit({
    tree,
    parents: isSquash ? [base] : [base, pull.headSha],
    message: messageOf(repository, pull, input),
    by: noreply(isSquash ? pull.author : by, state),
    at: Math.floor(Date.parse(at) / 1_000),
  });
  // Closed first: a moved base would otherwise be tried anew for a pull request that is in it.
  Object.assign(pull, {
    state: 'closed',
    closedAt: at,
    updatedAt: at,
    mergedAt: at,
    mergedBy: by,
    mergeCommit: after,
    baseSha: base,
  } satisfies Partial<Pull>);
  await moveRef(repository, { ref, before: base, after, by });
  events.tell({ event: 'pull_request', action: 'closed', pull, by });
  effects.add({ kind: 'merge', by, what: String(pull.number), detail: after });
  const head = await git.ref(`refs/heads/${pull.head}`);
  if (head) await moveRef(repository, { ref: head.ref, before: head.sha, after: NOTHING, by });
  return after;
}
