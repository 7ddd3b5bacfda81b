/** What releases and promotions do at GitHub, and what plans ask there. */
import type { Credentials } from '../../clients/github-credentials.js';
import type { GitHubDeps } from './ask.js';
import { createOpenChangelog } from './changelog.js';
import { createComment } from './comments.js';
import { createDescribeMerges } from './pulls.js';
import { createCompareCommits } from './commits.js';
import { createPublishRelease } from './release.js';
import { createDispatchTests } from './workflow-dispatch.js';
import { createWorkflowRuns } from './workflow-runs.js';

export const createGitHubActivities = (deps: GitHubDeps) => ({
  ...createPublishRelease(deps),
  ...createOpenChangelog(deps),
  ...createCompareCommits(deps),
});

export const createPromotionsAtGitHub = (deps: GitHubDeps & { credentials: Pick<Credentials, 'token'> }) => ({
  ...createDescribeMerges(deps),
  ...createDispatchTests(deps),
  ...createWorkflowRuns(deps),
  ...createComment(deps),
});
