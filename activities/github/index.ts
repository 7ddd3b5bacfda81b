/** What releases do at GitHub, and what plans ask there. */
import type { GitHubDeps } from './ask.js';
import { createOpenChangelog } from './changelog.js';
import { createCompareCommits } from './commits.js';
import { createPublishRelease } from './release.js';

export const createGitHubActivities = (deps: GitHubDeps) => ({
  ...createPublishRelease(deps),
  ...createOpenChangelog(deps),
  ...createCompareCommits(deps),
});
