/** News for the deployment that has the turn at a service. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Temporal } from '../../clients/temporal.js';
import type { Target } from '../../domain/deployment.js';
import { deploymentWorkflowId } from '../../domain/ids.js';
import { SIGNAL } from '../../domain/messages.js';
import { read } from './call.js';
import { readLane } from './reads.js';

/** @returns id of the deployment whose watch looks at once; undefined where none runs there */
export async function wakeWatch(t: Temporal, target: Target): Promise<string | undefined> {
  const id = (await readLane(t, target))?.running?.id;
  if (id === undefined) return undefined;
  const handle = t.client.workflow.getHandle(deploymentWorkflowId(id));
  try {
    await read(t, () => handle.signal(SIGNAL.ecsNews));
    return id;
  } catch (error) {
    // It ended, and its lane has yet to hear of it.
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
