/** What a pull request is made of: where its branches stand, its commits, and whether it can be merged. */
import { changesBetween, type FileChange } from './diff.js';
import { now, type Pull } from './records.js';
import type { Repository } from './repository.js';

export interface PullInput {
  title: string;
  body?: string | null;
  /** Login. */
  author: string;
  head: string;
  base: string;
  draft?: boolean;
  labels?: string[];
  /** ISO 8601; absent: now. */
  at?: string;
}

/** Nothing is checked. */
export async function addPull(repository: Repository, input: PullInput): Promise<Pull> {
  const { git, pulls } = repository;
  const at = input.at ?? now();
  const pull: Pull = {
    id: repository.nextId(),
    number: pulls.length + 1,
    title: input.title,
    body: input.body ?? null,
    author: input.author,
    head: input.head,
    base: input.base,
    labels: (input.labels ?? []).map((name) => repository.label(name)),
    state: 'open',
    draft: input.draft ?? false,
    createdAt: at,
    updatedAt: at,
    closedAt: null,
    mergedAt: null,
    mergedBy: null,
    headSha: (await git.ref(`refs/heads/${input.head}`))?.sha ?? '',
    baseSha: (await git.ref(`refs/heads/${input.base}`))?.sha ?? '',
    mergeCommit: null,
  };
  pull.mergeCommit = await tryMerge(repository, pull);
  pulls.push(pull);
  repository.events.tell({ event: 'pull_request', action: 'opened', pull, by: pull.author });
  return pull;
}

/** The commit that GitHub makes to see whether it can; it belongs to no branch. */
async function tryMerge(
  { git }: Repository,
  { headSha, baseSha, number, head }: Pull,
): Promise<string | null> {
  const tree = await git.mergedTree(baseSha, headSha);
  if (!tree) return null;
  const by = { name: 'GitHub', email: 'noreply@github.com' };
  return git.makeCommit({ tree, parents: [baseSha, headSha], message: `Try #${number} of ${head}`, by });
}

/** A branch got new commits: open pull requests from it and to it stand elsewhere. */
export async function headMoved(repository: Repository, branch: string): Promise<void> {
  const { git, pulls } = repository;
  for (const pull of pulls) {
    if (pull.state !== 'open' || (pull.head !== branch && pull.base !== branch)) continue;
    pull.headSha = (await git.ref(`refs/heads/${pull.head}`))?.sha ?? pull.headSha;
    pull.baseSha = (await git.ref(`refs/heads/${pull.base}`))?.sha ?? pull.baseSha;
    pull.mergeCommit = await tryMerge(repository, pull);
    pull.updatedAt = now();
  }
}

/** As GitHub does when a branch is deleted. */
export function closePullsOf(repository: Repository, branch: string, by: string): void {
  for (const pull of repository.pulls)
    if (pull.state === 'open' && pull.head === branch) closePull(repository, pull, by);
}

export function closePull({ events }: Repository, pull: Pull, by: string): void {
  const at = now();
  Object.assign(pull, { state: 'closed', closedAt: at, updatedAt: at } satisfies Partial<Pull>);
  events.tell({ event: 'pull_request', action: 'closed', pull, by });
}

/** Pull requests that brought a commit, or would: the merge and what was merged. */
export async function pullsOf({ git, pulls }: Repository, sha: string): Promise<Pull[]> {
  const found: Pull[] = [];
  for (const pull of pulls) {
    const isMerge = pull.mergedAt !== null && pull.mergeCommit === sha;
    if (isMerge || (await git.run(['rev-list', `${pull.baseSha}..${pull.headSha}`])).includes(sha))
      found.push(pull);
  }
  return found;
}

export async function countsOf(
  { git }: Repository,
  pull: Pull,
): Promise<{ commits: number; files: FileChange[] }> {
  const fork = (await git.mergeBase(pull.baseSha, pull.headSha)) ?? pull.baseSha;
  return {
    commits: await git.count(`${fork}..${pull.headSha}`),
    files: await changesBetween(git, fork, pull.headSha),
  };
}
