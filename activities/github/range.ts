/** What a release brings: the pull requests that were merged between the app's release before it and its commit. */
import type { MergedPullRequest } from '../../domain/release/notes.js';
import type { GitHub } from './ask.js';

export interface Range {
  /** Git tag of the app's newest release before this one that the commit contains. */
  previous?: string;
  pullRequests: MergedPullRequest[];
  /** More than is looked at: so many commits or pull requests are in it. */
  truncated: boolean;
}

export interface RangeInput {
  app: string;
  gitTag: string;
  /** Commit. */
  release: string;
}

const PAGE = 100;
/** Pages of commits and of pull requests: bounds of calls, far beyond what one release brings. */
const PAGES = 30;
/** The first release of an app has no beginning: so many pages of commits count. */
const FIRST_PAGES = 5;
/** Releases before this one that are tried as its beginning; those of commits it does not contain are none. */
const CANDIDATES = 50;
/** Committers' clocks differ from GitHub's. */
const SLACK_MS = 3_600_000;

const DATE = /^\d{4}(?:\.\d{2}){5}$/;
const NEEDS = 'Contents: read';

interface Commits {
  shas: Set<string>;
  /** Epoch milliseconds of the oldest one's commit. */
  since: number;
  truncated: boolean;
}

/** @throws ApplicationFailure as `githubFailure` */
export async function rangeOf(github: GitHub, input: RangeInput): Promise<Range> {
  const previous = await previousTag(github, input);
  const commits =
    previous === undefined
      ? await firstCommits(github, input)
      : await commitsBetween(github, previous, input.release);
  const merged = await mergedIn(github, commits);
  return {
    ...(previous === undefined ? {} : { previous }),
    pullRequests: merged.pullRequests,
    truncated: commits.truncated || merged.truncated,
  };
}

async function previousTag(
  github: GitHub,
  { app, gitTag, release }: RangeInput,
): Promise<string | undefined> {
  const what = `listing the git tags of ${app}`;
  const refs = await github.ask({ what, needs: NEEDS }, (rest) =>
    rest.git.listMatchingRefs({ ...github.repo, ref: `tags/${app}-` }),
  );
  const prefix = `refs/tags/${app}-`;
  const before = refs
    // `api-` also begins the tags of an app `api-docs`.
    .filter(({ ref }) => ref.startsWith(prefix) && DATE.test(ref.slice(prefix.length)))
    .map(({ ref }) => ref.slice('refs/tags/'.length))
    .filter((tag) => tag < gitTag)
    .sort()
    .reverse();
  for (const tag of before.slice(0, CANDIDATES)) {
    const between = await compare(github, tag, release, { page: 1, per_page: 1 });
    if (between?.status === 'ahead' || between?.status === 'identical') return tag;
  }
  return undefined;
}

/** @returns undefined where the two have no history in common */
export const compare = async (
  github: GitHub,
  base: string,
  head: string,
  page: { page: number; per_page: number },
) =>
  await github.find({ what: `comparing ${base} with ${head}`, needs: NEEDS }, (rest) =>
    rest.repos.compareCommitsWithBasehead({ ...github.repo, basehead: `${base}...${head}`, ...page }),
  );

async function commitsBetween(github: GitHub, base: string, head: string): Promise<Commits> {
  const commits: Commit[] = [];
  for (let page = 1; page <= PAGES; page += 1) {
    const between = await compare(github, base, head, { page, per_page: PAGE });
    commits.push(...(between?.commits ?? []));
    const isLast = (between?.commits.length ?? 0) === 0 || commits.length >= (between?.total_commits ?? 0);
    if (isLast) return summary(commits, false);
  }
  return summary(commits, true);
}

async function firstCommits(github: GitHub, { release }: RangeInput): Promise<Commits> {
  const commits: Commit[] = [];
  for (let page = 1; page <= FIRST_PAGES; page += 1) {
    const listed = await github.ask({ what: `listing the commits of ${release}`, needs: NEEDS }, (rest) =>
      rest.repos.listCommits({ ...github.repo, sha: release, per_page: PAGE, page }),
    );
    commits.push(...listed);
    if (listed.length < PAGE) return summary(commits, false);
  }
  return summary(commits, true);
}

interface Commit {
  sha: string;
  commit: { committer: { date?: string } | null };
}

const summary = (commits: readonly Commit[], truncated: boolean): Commits => ({
  shas: new Set(commits.map(({ sha }) => sha)),
  since: commits.reduce((oldest, { commit }) => {
    const at = Date.parse(commit.committer?.date ?? '');
    return Number.isNaN(at) ? oldest : Math.min(oldest, at);
  }, Number.POSITIVE_INFINITY),
  truncated,
});

/**
 * By the commit that a merge made: one call for a hundred pull requests, not one for each commit. Newest update
 * first: what is changed meanwhile moves to the front, so that paging passes nothing over.
 */
async function mergedIn(
  github: GitHub,
  { shas, since }: Commits,
): Promise<Pick<Range, 'pullRequests' | 'truncated'>> {
  const pullRequests: MergedPullRequest[] = [];
  if (shas.size === 0) return { pullRequests, truncated: false };
  const query = { state: 'closed', sort: 'updated', direction: 'desc', per_page: PAGE } as const;
  for (let page = 1; page <= PAGES; page += 1) {
    const pulls = await github.ask(
      { what: 'listing merged pull requests', needs: 'Pull requests: read' },
      (rest) => rest.pulls.list({ ...github.repo, ...query, page }),
    );
    for (const { number, title, user, labels, merged_at: mergedAt, merge_commit_sha: sha } of pulls) {
      if (!mergedAt || !sha || !shas.has(sha)) continue;
      const names = labels.map(({ name }) => name);
      pullRequests.push({ number, title, labels: names, mergedAt, ...(user ? { author: user.login } : {}) });
    }
    const last = pulls.at(-1);
    if (pulls.length < PAGE || !last || Date.parse(last.updated_at) < since - SLACK_MS) {
      return { pullRequests, truncated: false };
    }
  }
  return { pullRequests, truncated: true };
}
