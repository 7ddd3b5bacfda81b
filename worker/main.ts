/** The process `npm run worker`; with `--builds` it takes builds, and nothing else. */
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { dockerProblem } from '../activities/docker/daemon.js';
import { removeLeftovers } from '../activities/docker/leftovers.js';
import { createActivities, createBuilds } from '../activities/index.js';
import { createAws } from '../clients/aws.js';
import { ConfigError, loadConfig } from '../clients/config.js';
import { createCredentials } from '../clients/github-credentials.js';
import { identitiesOf } from '../clients/identities-of.js';
import { ensureReconcileSchedule } from '../clients/reconcile-schedule.js';
import { registerSearchAttributes } from '../clients/search-attributes.js';
import { readSecretFiles } from '../clients/secret-files.js';
import { createTemporal } from '../clients/temporal.js';
import type { Temporal } from '../clients/temporal.js';
import { workflowBundle } from './bundle.js';
import { createLog, installRuntime } from './logging.js';
import { createWorkerMetrics } from './metrics.js';
import { versioningOf } from './versioning.js';
import { buildWorkers, mainWorkers } from './workers.js';

const RETRY_MS = 2_000;

async function main(): Promise<void> {
  const builds = process.argv.includes('--builds');
  const log = createLog(builds ? 'build-worker' : 'worker');
  readSecretFiles(process.env);
  const config = loadConfig();
  startRuntime(log, process.env['WORKER_METRICS_ADDRESS']);
  const metrics = createWorkerMetrics(Runtime.instance().metricMeter, builds ? {} : config.apps);
  const aws = createAws(config, metrics.onAwsCall);
  const credentials = createCredentials(process.env, config);
  const temporal = createTemporal();
  const { namespace } = temporal;
  const connection = await connect(log);
  let workers: Worker[];
  if (builds) {
    await prepareBuilds(log);
    workers = await buildWorkers(
      { connection, namespace, log, metrics },
      createBuilds({ config, aws, credentials }),
    );
  } else {
    await prepareTemporal(temporal, log);
    const { client } = temporal;
    const identities = identitiesOf(process.env, config, credentials);
    const versioning = versioningOf(process.env);
    const activities = createActivities({ config, aws, client, identities, credentials, log });
    workers = await mainWorkers(
      { connection, namespace, log, metrics, ...(versioning ? { versioning } : {}) },
      await workflowBundle(),
      activities,
    );
  }
  log.info({ namespace }, builds ? 'takes builds' : 'takes workflows, activities and watches');
  // SIGTERM and SIGINT: the SDK hands over what runs, then these return.
  await Promise.all(workers.map((worker) => worker.run()));
  await Promise.all([temporal.close(), connection.close()]);
  aws.destroy();
}

/** Without the attributes nothing runs; without the schedule all but what nobody tells us of. */
async function prepareTemporal(temporal: Temporal, log: Logger): Promise<void> {
  const added = await registerSearchAttributes(temporal);
  if (added.length > 0) log.info({ added }, 'search attributes registered');
  try {
    const schedule = await ensureReconcileSchedule(temporal);
    if (schedule !== 'unchanged') log.info({ schedule }, 'schedule of reconcile');
  } catch (error) {
    log.warn(
      `The schedule of reconcile could not be made (${(error as Error).message}): run sluice setup with who may`,
    );
  }
}

function startRuntime(log: Logger, metricsAddress: string | undefined): void {
  try {
    installRuntime(log, metricsAddress || undefined);
  } catch (error) {
    if (!metricsAddress) throw error;
    throw new ConfigError(
      `WORKER_METRICS_ADDRESS is ${JSON.stringify(metricsAddress)}: it must be host:port, free on this machine ` +
        `(${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

/** Without Docker it starts all the same: what it is given waits, and says why. */
async function prepareBuilds(log: Logger): Promise<void> {
  const [problem, removed] = await Promise.all([dockerProblem(), removeLeftovers()]);
  if (problem) log.warn(problem);
  if (removed > 0) log.info({ removed }, 'leftovers of killed builds removed');
}

/** Any number of processes, started in any order: Temporal may come later. */
async function connect(log: Logger): Promise<NativeConnection> {
  const { connectionOptions } = loadClientConnectConfig();
  for (;;) {
    try {
      return await NativeConnection.connect(connectionOptions);
    } catch (error) {
      const { address = 'localhost:7233' } = connectionOptions;
      log.warn(
        `Temporal does not answer at ${address} (TEMPORAL_ADDRESS): ${(error as Error).message}; trying again`,
      );
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

main().catch((error: unknown) => {
  const text =
    error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
  // Temporal's runtime would keep the process alive.
  process.exit(1);
});
