/** What GitHub knows of a merge: its pull request, who wrote it, who merged it. */
import { Context } from '@temporalio/activity';
import type { Credentials } from '../../clients/github-credentials.js';
import { oneLine } from '../../domain/one-line.js';
import type { Merge } from '../../domain/promotion/promotion.js';
import { mapLimited } from '../docker/limited.js';
import { GitHub, type GitHubDeps } from './ask.js';

const NEEDS = 'Pull requests: read';
/** GitHub asks for few requests at a time. */
const AT_ONCE = 4;

export interface DescribeMergesInput {
  /** As git tells them. */
  merges: Merge[];
}

export function createDescribeMerges(deps: GitHubDeps & { credentials: Pick<Credentials, 'token'> }) {
  const github = new GitHub(deps);
  const { branch } = deps.config.repository;
  return {
    /**
     * Fills in title, author, pull request and who merged it; what GitHub does not know, or cannot be asked for
     * without credentials, stays as git tells it. Up to three calls a merge, mostly one.
     * @throws ApplicationFailure retryable `GITHUB_DOWN`, `GITHUB_REFUSED`; `GITHUB_FAILED`
     */
    describeMerges: async ({ merges }: DescribeMergesInput): Promise<Merge[]> => {
      // One that cannot be had now is asked for again, by the first question.
      const isAnybody = await deps.credentials.token().then(
        (token) => token !== undefined,
        () => true,
      );
      if (!isAnybody) return merges;
      const signal = Context.current().cancellationSignal;
      return await mapLimited({ items: merges, limit: AT_ONCE, signal }, async (merge, _, ends) => {
        ends.throwIfAborted();
        return described(merge, await pullOf(github, branch, merge));
      });
    },
  };
}

type Pull = NonNullable<Awaited<ReturnType<typeof readPull>>>;

const readPull = async (github: GitHub, number: number) =>
  await github.find({ what: `reading pull request ${number}`, needs: NEEDS }, (rest) =>
    rest.pulls.get({ ...github.repo, pull_number: number }),
  );

function described(merge: Merge, pull: Pull | undefined): Merge {
  if (!pull) return merge;
  const author = (pull.user as { login: string } | null)?.login;
  return {
    ...merge,
    title: oneLine(pull.title),
    pullRequest: pull.number,
    ...(author === undefined ? {} : { author }),
    ...(pull.merged_by ? { mergedBy: pull.merged_by.login } : {}),
  };
}

/** The number in a commit's message is anybody's word: it counts where GitHub says the same. */
async function pullOf(
  github: GitHub,
  branch: string,
  { sha, pullRequest }: Merge,
): Promise<Pull | undefined> {
  const guessed = pullRequest === undefined ? undefined : await readPull(github, pullRequest);
  if (guessed?.merged && guessed.merge_commit_sha === sha) return guessed;
  const question = { what: `listing the pull requests of ${sha}`, needs: NEEDS };
  // 422: GitHub does not have the commit.
  const listed = await github.find(
    question,
    (rest) =>
      rest.repos.listPullRequestsAssociatedWithCommit({ ...github.repo, commit_sha: sha, per_page: 100 }),
    [422],
  );
  const merged = (listed ?? []).filter(({ merged_at: at, base }) => at !== null && base.ref === branch);
  // Of those that were rebased the last commit alone is the merge's.
  const found = merged.find(({ merge_commit_sha: own }) => own === sha) ?? merged[0];
  return found && (await readPull(github, found.number));
}
