/** The queue's own deployment that is under way, as people read it: by its memo, its lane's, and what nobody takes. */
import type { Client } from '@temporalio/client';
import { pendingOf, pendingOfBuild } from '../../clients/pending.js';
import type { Deployment } from '../../domain/deployment.js';
import { deploymentWorkflowId } from '../../domain/ids.js';
import type { LaneView } from '../../domain/messages.js';
import { MEMO } from '../../domain/messages.js';
import type { OwnDeployment } from '../../domain/promotion/read.js';
import { overlay } from '../../domain/view.js';
import { describe } from '../temporal/missing.js';

/** @param lanes those that it may be in. @returns nothing of one that is not there yet, or has ended */
export async function readOwn(
  client: Client,
  id: string | undefined,
  lanes: readonly (LaneView | undefined)[],
): Promise<OwnDeployment> {
  const found = id === undefined ? undefined : await describe(client, deploymentWorkflowId(id));
  const deployment = found?.memo?.[MEMO.deployment] as Deployment | undefined;
  if (id === undefined || !found || !deployment || found.status.name !== 'RUNNING') return {};
  const lane = lanes.find((one) => one?.environment === deployment.environment);
  const { state, waitingFor } = overlay({
    ...{ deployment, status: found.status.name, now: new Date() },
    pending: [
      ...pendingOf(found.raw),
      ...(await pendingOfBuild(deployment, (build) => describe(client, build))),
    ],
    ...(lane ? { lane } : {}),
  });
  if (state === 'finished') return {};
  return { id, state, ...(waitingFor ? { waitingFor } : {}) };
}
