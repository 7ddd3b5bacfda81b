/**
 * The workers of one process. Watches have their own queue: a hundred of them hold a hundred slots for
 * minutes, and short activities beside them must not wait. Builds run where Docker and disk are.
 */
import type { Context, Info } from '@temporalio/activity';
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { BuildActivities, MainActivities, WatchActivities } from '../activities/index.js';
import { QUEUE } from '../domain/messages.js';
import { createFailuresInterceptor } from './failures.js';
import type { WorkerMetrics } from './metrics.js';
import type { Versioning } from './versioning.js';

interface Place {
  connection: NativeConnection;
  namespace: string;
  log: Logger;
  metrics: WorkerMetrics;
  versioning?: Versioning;
}

/** Heartbeats carry what people see: with the SDK's default of 30 s one in 7.5 s arrives. */
const HEARTBEATS = { maxHeartbeatThrottleInterval: '1s', defaultHeartbeatThrottleInterval: '1s' } as const;

/** Time for what runs to end by itself; then it is handed over to another worker. */
const GRACE = '5s';

/** The first is the outermost: what leaves the process has passed the border of errors. */
const interceptorsOf = ({ log, metrics }: Place) => ({
  activity: [
    ({ info }: Context) => ({ inbound: createFailuresInterceptor(log.child(whose(info))) }),
    () => ({ inbound: metrics.inbound }),
  ],
});

/** In the log a deployment is found by its workflow: `deployment/{environment}/{app}/{unique}`. */
const whose = ({ workflowExecution, activityType, attempt }: Info) => ({
  workflowId: workflowExecution?.workflowId,
  activity: activityType,
  attempt,
});

export function mainWorkers(
  place: Place,
  bundle: { codePath: string },
  activities: { main: MainActivities; watches: WatchActivities },
): Promise<Worker[]> {
  const { connection, namespace, versioning } = place;
  const interceptors = interceptorsOf(place);
  const shared = {
    ...{ connection, namespace, interceptors, shutdownGraceTime: GRACE, ...HEARTBEATS },
    ...(versioning ? { workerDeploymentOptions: versioning } : {}),
  };
  return Promise.all([
    Worker.create({
      ...shared,
      taskQueue: QUEUE.main,
      workflowBundle: bundle,
      activities: activities.main,
      maxConcurrentActivityTaskExecutions: 50,
      maxCachedWorkflows: 500,
    }),
    Worker.create({
      ...shared,
      taskQueue: QUEUE.watches,
      activities: activities.watches,
      maxConcurrentActivityTaskExecutions: 300,
    }),
  ]);
}

/** Of no version: a build is one activity, and whoever has Docker takes it. */
export async function buildWorkers(place: Place, activities: BuildActivities): Promise<Worker[]> {
  const { connection, namespace } = place;
  const worker = await Worker.create({
    connection,
    namespace,
    interceptors: interceptorsOf(place),
    shutdownGraceTime: GRACE,
    ...HEARTBEATS,
    taskQueue: QUEUE.builds,
    activities,
    maxConcurrentActivityTaskExecutions: 2,
  });
  return [worker];
}
