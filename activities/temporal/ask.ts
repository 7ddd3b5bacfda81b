/** What an activity asks of an entity: an update that answers within the activity's attempt. */
import type { Client } from '@temporalio/client';
import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Entity, EntityUpdate } from '../../clients/entities.js';
import { updateEntity } from '../../clients/entities.js';
import { isCode } from '../../domain/codes.js';
import { later, refuse } from '../failure.js';

/** Shorter than the attempt that it is part of: nothing is left hanging behind it. */
const ANSWER_MS = 8_000;

/**
 * The same update id is the same wish, however often it is asked for.
 * @throws ApplicationFailure with the entity's own code where it refuses; `NO_WORKER`, to be tried again
 */
export async function askEntity<T>(client: Client, entity: Entity, asked: EntityUpdate): Promise<T> {
  const send = (): Promise<T> => updateEntity(client, entity, asked);
  try {
    return await client.connection.withDeadline(Date.now() + ANSWER_MS, send);
  } catch (error) {
    throw refusalOf(error, entity) ?? error;
  }
}

function refusalOf(error: unknown, { workflowId }: Entity): ApplicationFailure | undefined {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return later('NO_WORKER', `${workflowId} does not answer`);
  }
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure) || !isCode(cause.type)) return undefined;
  return refuse(cause.type, cause.message, cause.details?.[0] as Record<string, unknown> | undefined);
}
