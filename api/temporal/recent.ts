/** What is under way, and what has ended lately, by visibility: which lags, so ask a while further back. */
import type { Temporal } from '../../clients/temporal.js';
import type { BuildView } from '../../domain/messages.js';
import { MEMO, WORKFLOW } from '../../domain/messages.js';
import type { Release } from '../../domain/release/release.js';
import type { DeploymentView } from '../../domain/view.js';
import type { Execution } from './list.js';
import { deploymentsOf, list, memoOf, OF_DEPLOYMENTS, releasesOf } from './list.js';

const PAGE = 100;

export const deploymentsSince = async (t: Temporal, since: Date): Promise<DeploymentView[]> =>
  (await all(t, OF_DEPLOYMENTS, since)).flatMap(deploymentsOf);

export const releasesSince = async (t: Temporal, since: Date): Promise<Release[]> =>
  (await all(t, `WorkflowType='${WORKFLOW.release}'`, since)).flatMap(releasesOf);

export const buildsSince = async (t: Temporal, since: Date): Promise<BuildView[]> =>
  (await all(t, `WorkflowType='${WORKFLOW.build}'`, since)).flatMap((execution) => {
    const view = memoOf<BuildView>(execution, MEMO.build);
    return view ? [view] : [];
  });

async function all(t: Temporal, of: string, since: Date): Promise<Execution[]> {
  const query = `${of} AND (ExecutionStatus='Running' OR CloseTime >= '${since.toISOString()}')`;
  const found: Execution[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(t, query, { limit: PAGE, ...(cursor ? { cursor } : {}) });
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
