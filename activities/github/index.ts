/** What releases do at GitHub. */
import type { GitHubDeps } from './ask.js';
import { createOpenChangelog } from './changelog.js';
import { createPublishRelease } from './release.js';

export const createGitHubActivities = (deps: GitHubDeps) => ({
  ...createPublishRelease(deps),
  ...createOpenChangelog(deps),
});
