/** What people do on GitHub while Sluice runs: they open pull requests and merge them. */
import { BEHAVIOURS, APPS, appFiles, type Behaviour, type SampleApp } from '../sample/files.js';
import { mergePull, type MergeInput } from './merges.js';
import { addPull } from './pulls.js';
import { moveRef, NOTHING } from './pushes.js';
import { now, type Pull } from './records.js';
import type { Repository } from './repository.js';
import { noreply } from './signing.js';
import type { GitHubState } from './state.js';

export interface OpenPullRequest {
  title: string;
  /** Login; somebody new writes from outside the organisation. */
  author: string;
  labels?: string[];
  /** Changes a sample app; not beside `files`. */
  app?: SampleApp;
  /** Of the app after it: `good`. */
  behaviour?: Behaviour;
  /** Path → text. Without these and an app: a note of its own. */
  files?: Record<string, string>;
  body?: string;
  draft?: boolean;
  /** ISO 8601; absent: now. */
  at?: string;
}

export type MergePullRequest = ({ number: number } | OpenPullRequest) & {
  /** Who merges; absent: its author. */
  by?: string;
  method?: MergeInput['method'];
  at?: string;
};

export interface OpenedPullRequest {
  number: number;
  branch: string;
  /** 40 hex: the head of its branch. */
  sha: string;
}

export interface MergedPullRequest {
  number: number;
  /** 40 hex: the merge on the default branch. */
  sha: string;
}

/** A branch with one commit, from the default branch's head, and a pull request from it. */
export async function openPullRequest(
  repository: Repository,
  state: GitHubState,
  input: OpenPullRequest,
): Promise<OpenedPullRequest> {
  const { git, defaultBranch, pulls, effects } = repository;
  const { title, labels, body, draft } = input;
  const { login: author } = state.contributor(input.author);
  const at = input.at ?? now();
  const number = pulls.length + 1;
  const branch = `${author}/change-${number}`;
  const base = (await git.resolve(`refs/heads/${defaultBranch}`)) ?? '';
  const tree = await git.treeWith(base, await filesOf(repository, input, { number, base }));
  const by = noreply(author, state);
  const seconds = Math.floor(Date.parse(at) / 1_000);
  const sha = await git.makeCommit({ tree, parents: [base], message: title, by, at: seconds });
  await moveRef(repository, { ref: `refs/heads/${branch}`, before: NOTHING, after: sha, by: author });
  const pull = await addPull(repository, {
    title,
    body,
    author,
    head: branch,
    base: defaultBranch,
    draft,
    labels,
    at,
  });
  effects.add({ kind: 'pull', by: author, what: String(pull.number), detail: branch });
  return { number: pull.number, branch, sha };
}

async function filesOf(
  { git }: Repository,
  { app, behaviour = 'good', files, title }: OpenPullRequest,
  { number, base }: { number: number; base: string },
): Promise<Record<string, string>> {
  if (files) return files;
  if (!app) return { [`notes/${number}.md`]: `${title}\n` };
  if (!APPS.includes(app) || !BEHAVIOURS.includes(behaviour))
    throw new Error(`app is one of ${APPS.join(', ')}; behaviour one of ${BEHAVIOURS.join(', ')}`);
  const hasBusybox = (await git.entries(base, `${app}/busybox`)).length > 0;
  return appFiles({ app, behaviour, title: `${title} (#${number})`, hasBusybox });
}

/** Opens it first where it is not given by its number. */
export async function mergePullRequest(
  repository: Repository,
  state: GitHubState,
  input: MergePullRequest,
): Promise<MergedPullRequest> {
  const number = 'number' in input ? input.number : (await openPullRequest(repository, state, input)).number;
  const pull: Pull | undefined = repository.pull(number);
  if (!pull) throw new Error(`There is no pull request #${number} here`);
  const { login: by } = state.contributor(input.by ?? pull.author);
  const sha = await mergePull(repository, state, pull, { by, method: input.method, at: input.at });
  return { number, sha };
}
