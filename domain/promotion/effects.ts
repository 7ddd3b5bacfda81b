/** What goes into and comes out of the activities of promotions. Names, digests and addresses only (rule 7). */
import type { Merge, TestState } from './promotion.js';

/** Merges between two heads of the branch. */
export interface FindMergesInput {
  /** Head before; absent, all zeros, or not in the history of `after`: their merge base, else only `after` itself. */
  before?: string;
  /** Head after; absent: the branch's head now. */
  after?: string;
}

export interface MergesFound {
  /** Head of the branch now: 40 hex. */
  head: string;
  /** App → its merges, in the order of the branch; apps that are not touched are absent. Only commits that are on the branch now. */
  apps: Record<string, Merge[]>;
}

export interface RelateInput {
  /** Anything that an environment may report; what is no commit on the branch is related to nothing. */
  releases: string[];
}

/** How releases stand to each other on the branch as it is now. */
export interface Relations {
  /** Head of the branch. */
  head: string;
  /** Release → position of the first first-parent commit that contains it; absent: not on the branch. */
  positions: Record<string, number>;
  /** Release → those of the asked ones that it contains, itself among them. */
  contains: Record<string, string[]>;
}

/** Which of GitHub's workflow runs: found by id. */
export interface TestRunRef {
  id: number;
  url: string;
}

export interface DispatchTestsInput {
  app: string;
  release: string;
  /** File name or id of the workflow. */
  workflow: string;
  /** Names → values with `{staging.url}`, `{release}`, `{marker}`, `{app}` still in them. */
  inputs: Record<string, string>;
  /** Unique to this attempt: in `run-name` it lets a run be found whose id was lost. */
  marker: string;
  /** ISO 8601: nothing before it can be the run. */
  since: string;
}

/** `conclusion` null while it runs. `attempt`: GitHub's own count of re-runs. */
export interface TestRun extends TestRunRef {
  attempt: number;
  status: string;
  conclusion: string | null;
}

/** Followed until it ends or `until` has passed; then `timedOut`. */
export interface FollowTestsInput {
  app: string;
  run: TestRunRef;
  /** ISO 8601, absolute. */
  until: string;
}

export interface TestsEnded {
  /** `passed` for `success`, `failed` for `failure`; everything else is inconclusive. */
  state: Exclude<TestState, 'running'>;
  url?: string;
  /** One line. */
  detail: string;
}

export interface TestCommandInput {
  app: string;
  /** 40 hex: checked out. */
  release: string;
  command: string[];
  /** ISO 8601, absolute: the process group is killed then, and it is inconclusive. */
  until: string;
}

/** Comment of a pull request, found again by its marker and edited in place. */
export interface CommentInput {
  pullRequest: number;
  /** Stands in the comment, invisibly. */
  marker: string;
  /** Markdown. */
  body: string;
}
