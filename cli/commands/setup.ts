/** `sluice setup`: what Sluice needs at Temporal, made where it may be made. Safe to run twice. */
import { loadConfig } from '../../clients/config.js';
import { ensureReconcileSchedule } from '../../clients/reconcile-schedule.js';
import { raiseRetention } from '../../clients/retention.js';
import { registerSearchAttributes } from '../../clients/search-attributes.js';
import { readSecretFiles } from '../../clients/secret-files.js';
import type { Temporal } from '../../clients/temporal.js';
import { createTemporal } from '../../clients/temporal.js';
import type { Finding } from '../../domain/findings.js';
import { isBroken } from '../../domain/findings.js';
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

async function setUp(temporal: Temporal, days: number): Promise<Finding[]> {
  const { connection, namespace } = temporal;
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    return [unreachable(namespace, error)];
  }
  return [
    { area: AREA, what: 'namespace', state: 'ok', detail: namespace },
    await step('search attributes', 'broken', async () => {
      const added = await registerSearchAttributes(temporal);
      return added.length > 0 ? `added ${added.join(', ')}` : 'were there already';
    }),
    await step('retention', 'warning', async () => {
      const { before, now } = await raiseRetention(temporal, days);
      return before === now ? `${now} days already` : `raised from ${before} to ${now} days`;
    }),
    await step('schedule of reconcile', 'broken', async () => {
      const state = await ensureReconcileSchedule(temporal);
      return state === 'unchanged' ? 'was there already' : state;
    }),
  ];
}

function unreachable(namespace: string, error: unknown): Finding {
  return {
    ...{ area: AREA, what: 'namespace', state: 'broken' },
    detail: `${namespace} cannot be read (${messageOf(error)})`,
    hint:
      'check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TEMPORAL_API_KEY; to make it: ' +
      `temporal operator namespace create --namespace ${namespace} --retention 30d`,
  };
}

async function step(what: string, without: Finding['state'], work: () => Promise<string>): Promise<Finding> {
  try {
    return { area: AREA, what, state: 'ok', detail: await work() };
  } catch (error) {
    return { area: AREA, what, state: without, detail: messageOf(error) };
  }
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
