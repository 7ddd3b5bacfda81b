/** `sluice setup`: what Sluice needs at Temporal, made where it may be made. Safe to run twice. */
import { loadConfig } from '../../clients/config.js';
import { ensureReconcileSchedule, reconcileScheduleCommand } from '../../clients/reconcile-schedule.js';
import { raiseRetention } from '../../clients/retention.js';
import { registerSearchAttributes, searchAttributesCommand } from '../../clients/search-attributes.js';
import { readSecretFiles } from '../../clients/secret-files.js';
import type { Temporal } from '../../clients/temporal.js';
import { createTemporal } from '../../clients/temporal.js';
import type { Finding } from '../../domain/findings.js';
import { isBroken } from '../../domain/findings.js';
import { SEARCH_ATTRIBUTE } from '../../domain/messages.js';
import type { CliContext } from '../context.js';
import { EXIT, UsageError } from '../context.js';
import { findingLines } from '../render-findings.js';

const WITHIN_MS = 15_000;
const AREA = 'Temporal';

export interface SetupOptions {
  /** Days, as typed. */
  retention: string;
  json?: boolean;
}

export async function setup({ io, env }: CliContext, { retention, json }: SetupOptions): Promise<number> {
  const days = Number(retention);
  if (!Number.isInteger(days) || days < 1 || days > 3_650) {
    throw new UsageError(`--retention is ${JSON.stringify(retention)}: it must be a number of days`);
  }
  readSecretFiles(env);
  loadConfig();
  const temporal = createTemporal();
  try {
    const done = await withinTime(temporal, () => setUp(temporal, days));
    if (json) io.out(JSON.stringify({ namespace: temporal.namespace, done }));
    else for (const line of findingLines(done)) io.out(line);
    if (done.some(isBroken)) return EXIT.failure;
    if (!json) io.out('\nsluice doctor checks the rest');
    return EXIT.success;
  } finally {
    await temporal.close();
  }
}

const withinTime = <T>({ connection }: Temporal, work: () => Promise<T>): Promise<T> =>
  connection.withDeadline(Date.now() + WITHIN_MS, work);

/** @returns what was done; each step that could not be, with what to do by hand */
export async function setUp(temporal: Temporal, days: number): Promise<Finding[]> {
  const { connection, namespace } = temporal;
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    return [unreachable(namespace, error)];
  }
  return [
    { area: AREA, what: 'namespace', state: 'ok', detail: namespace },
    await step(
      { what: 'search attributes', state: 'broken', hint: attributesByHand(namespace) },
      async () => {
        const added = await registerSearchAttributes(temporal);
        return added.length > 0 ? `added ${added.join(', ')}` : 'were there already';
      },
    ),
    await step({ what: 'retention', state: 'warning', hint: retentionByHand(namespace, days) }, async () => {
      const { before, now } = await raiseRetention(temporal, days);
      return before === now ? `${now} days already` : `raised from ${before} to ${now} days`;
    }),
    await step(
      { what: 'schedule of reconcile', state: 'broken', hint: scheduleByHand(namespace) },
      async () => {
        const state = await ensureReconcileSchedule(temporal);
        return state === 'unchanged' ? 'was there already' : state;
      },
    ),
  ];
}

const attributesByHand = (namespace: string): string =>
  `with who may: ${searchAttributesCommand(namespace, Object.values(SEARCH_ATTRIBUTE))}; ` +
  'in Temporal Cloud on the namespace’s page';
const retentionByHand = (namespace: string, days: number): string =>
  `with who may: temporal operator namespace update --namespace ${namespace} --retention ${days}d; ` +
  'in Temporal Cloud on the namespace’s page';
const scheduleByHand = (namespace: string): string =>
  `let who runs this, or a worker, make schedules; or with who may: ${reconcileScheduleCommand(namespace)}`;

function unreachable(namespace: string, error: unknown): Finding {
  return {
    ...{ area: AREA, what: 'namespace', state: 'broken' },
    detail: `${namespace} cannot be read (${messageOf(error)})`,
    hint:
      'check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TEMPORAL_API_KEY; to make it: ' +
      `temporal operator namespace create --namespace ${namespace} --retention 30d`,
  };
}

/** @param without what it is where it cannot be done, and what to do then */
async function step(
  without: Pick<Finding, 'what' | 'state' | 'hint'>,
  work: () => Promise<string>,
): Promise<Finding> {
  try {
    return { area: AREA, what: without.what, state: 'ok', detail: await work() };
  } catch (error) {
    // Temporal's own words; what stands around them the hint says better.
    const { cause } = error as { cause?: unknown };
    return { area: AREA, ...without, detail: messageOf(cause instanceof Error ? cause : error) };
  }
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
