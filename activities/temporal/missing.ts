import { WorkflowNotFoundError } from '@temporalio/client';

/** A message to a workflow that is gone must not hurt. */
export async function ignoringMissing(sent: Promise<void>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
