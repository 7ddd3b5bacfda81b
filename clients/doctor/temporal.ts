/** Temporal, as workers and API need it. */
import proto from '@temporalio/proto';
import type { Finding } from '../../domain/findings.js';
import { QUEUE } from '../../domain/messages.js';
import { readSchedule } from '../reconcile-schedule.js';
import { retentionDays } from '../retention.js';
import { missingSearchAttributes } from '../search-attributes.js';
import type { Temporal } from '../temporal.js';
import { Report, shortly } from './report.js';

const WITHIN_MS = 15_000;
const REACHED_MS = 5_000;
const SETUP = 'run sluice setup with who may';
/** Idempotency keys are kept for a day, and people look back further. */
const FEW_DAYS = 7;
/** A poll lasts up to a minute: who polled longer ago is gone. */
const POLLER_GONE_MS = 70_000;

const { TASK_QUEUE_TYPE_WORKFLOW: WORKFLOWS, TASK_QUEUE_TYPE_ACTIVITY: ACTIVITIES } =
  proto.temporal.api.enums.v1.TaskQueueType;

const POLLED = [
  { queue: QUEUE.main, type: WORKFLOWS, needs: 'a worker: npm run worker' },
  { queue: QUEUE.main, type: ACTIVITIES, needs: 'a worker: npm run worker' },
  { queue: QUEUE.watches, type: ACTIVITIES, needs: 'a worker: npm run worker' },
  { queue: QUEUE.builds, type: ACTIVITIES, needs: 'a build worker: npm run worker -- --builds' },
];

/** @param address for words only */
export async function checkTemporal(
  temporal: Temporal,
  address: string,
  builds: boolean,
): Promise<Finding[]> {
  const report = new Report('Temporal');
  const { connection, namespace } = temporal;
  await connection.withDeadline(Date.now() + WITHIN_MS, async () => {
    if (!(await reach(temporal, address, report))) return;
    try {
      await connection.workflowService.describeNamespace({ namespace });
      report.ok('namespace', namespace);
    } catch (error) {
      const hint = `temporal operator namespace create --namespace ${namespace} --retention 30d; or set TEMPORAL_NAMESPACE, TEMPORAL_API_KEY`;
      report.broken('namespace', `${namespace} cannot be read (${shortly(error)})`, hint);
      return;
    }
    await one(report, 'search attributes', () => attributes(temporal, report));
    await one(report, 'retention', () => retention(temporal, report));
    await one(report, 'schedule of reconcile', () => schedule(temporal, report));
    for (const queue of POLLED) {
      if (queue.queue === QUEUE.builds && !builds) continue;
      await one(report, `queue ${queue.queue}`, () => pollers(temporal, queue, report));
    }
  });
  return report.findings;
}

async function reach({ connection }: Temporal, address: string, report: Report): Promise<boolean> {
  try {
    const ask = () => connection.workflowService.getSystemInfo({});
    const { serverVersion } = await connection.withDeadline(Date.now() + REACHED_MS, ask);
    report.ok('server', `${address}${serverVersion ? `, version ${serverVersion}` : ''}`);
    return true;
  } catch (error) {
    const hint = 'start Temporal, or set TEMPORAL_ADDRESS, TEMPORAL_TLS and TEMPORAL_API_KEY as it needs';
    // One that cannot be connected to says no more than Error.
    const why = shortly(error);
    report.broken('server', `does not answer at ${address}${why === 'Error' ? '' : ` (${why})`}`, hint);
    return false;
  }
}

async function one(report: Report, what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    report.warn(what, `could not be read (${shortly(error)})`, 'give this identity the right to read it');
  }
}

async function attributes(temporal: Temporal, report: Report): Promise<void> {
  const missing = await missingSearchAttributes(temporal);
  if (missing.length === 0) report.ok('search attributes', 'all there');
  else
    report.broken('search attributes', `${missing.join(', ')} missing: workflows would stand still`, SETUP);
}

async function retention(temporal: Temporal, report: Report): Promise<void> {
  const days = await retentionDays(temporal);
  if (days >= FEW_DAYS) report.ok('retention', `${days} days`);
  else report.warn('retention', `only ${days} days: histories and dossiers are gone after that`, SETUP);
}

async function schedule(temporal: Temporal, report: Report): Promise<void> {
  const what = 'schedule of reconcile';
  const found = await readSchedule(temporal);
  if (!found) report.broken(what, 'missing: lost webhooks and drift would stay unseen', SETUP);
  else if (found.paused)
    report.warn(what, 'paused', 'temporal schedule toggle --schedule-id reconcile --unpause --reason …');
  else if (!found.asWanted) report.warn(what, 'is not as Sluice makes it', SETUP);
  else report.ok(what, 'every 3 minutes');
}

async function pollers(
  { connection, namespace }: Temporal,
  { queue, type, needs }: (typeof POLLED)[number],
  report: Report,
): Promise<void> {
  const { pollers: found } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: type,
  });
  const last = (seconds: unknown): number => Date.now() - Number(seconds ?? 0) * 1_000;
  const alive = (found ?? []).filter(({ lastAccessTime }) => last(lastAccessTime?.seconds) < POLLER_GONE_MS);
  const what = `queue ${queue}, ${type === WORKFLOWS ? 'workflows' : 'activities'}`;
  if (alive.length > 0) report.ok(what, `${alive.length} polling`);
  else if (queue === QUEUE.builds) report.warn(what, 'nobody polls: builds would wait', `start ${needs}`);
  else report.broken(what, 'nobody polls', `start ${needs}`);
}
