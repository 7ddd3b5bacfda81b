/** How long Temporal keeps what has ended: as long can histories, dossiers and releases be looked at. */
import type { Temporal } from './temporal.js';

const DAY_S = 86_400;

type Where = Pick<Temporal, 'connection' | 'namespace'>;

/** @returns days; 0 where Temporal does not say */
export async function retentionDays({ connection, namespace }: Where): Promise<number> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return Math.floor(Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / DAY_S);
}

/**
 * Raises it, never lowers it.
 * @returns days before and now
 * @throws Error that says what to run, where it may not be set
 */
export async function raiseRetention(where: Where, days: number): Promise<{ before: number; now: number }> {
  const before = await retentionDays(where);
  if (before >= days) return { before, now: before };
  const { connection, namespace } = where;
  try {
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: { seconds: days * DAY_S } as never },
    });
  } catch (error) {
    throw new Error(
      `Temporal does not let us set it (${(error as Error).message}). Run: ` +
        `temporal operator namespace update --namespace ${namespace} --retention ${days}d; in Temporal Cloud set it on the namespace’s page`,
      { cause: error },
    );
  }
  return { before, now: days };
}
