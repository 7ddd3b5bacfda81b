/**
 * The workers of one process. Watches have their own queue: a hundred of them hold a hundred slots for
 * minutes, and short activities beside them must not wait. Builds run where Docker and disk are.
 */
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { BuildActivities, MainActivities, WatchActivities } from '../activities/index.js';
import { QUEUE } from '../domain/messages.js';
import { createFailuresInterceptor } from './failures.js';

interface Place {
  connection: NativeConnection;
  namespace: string;
  log: Logger;
}

/** Heartbeats carry what people see: with the SDK's default of 30 s one in 7.5 s arrives. */
const HEARTBEATS = { maxHeartbeatThrottleInterval: '1s', defaultHeartbeatThrottleInterval: '1s' } as const;

/** Time for what runs to end by itself; then it is handed over to another worker. */
const GRACE = '5s';

const interceptorsOf = (log: Logger) => {
  const inbound = createFailuresInterceptor(log);
  return { activity: [() => ({ inbound })] };
};

export function mainWorkers(
  { connection, namespace, log }: Place,
  bundle: { codePath: string },
  activities: { main: MainActivities; watches: WatchActivities },
): Promise<Worker[]> {
  const interceptors = interceptorsOf(log);
  const shared = { connection, namespace, interceptors, shutdownGraceTime: GRACE, ...HEARTBEATS };
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

export async function buildWorkers(
  { connection, namespace, log }: Place,
  activities: BuildActivities,
): Promise<Worker[]> {
  const worker = await Worker.create({
    connection,
    namespace,
    interceptors: interceptorsOf(log),
    shutdownGraceTime: GRACE,
    ...HEARTBEATS,
    taskQueue: QUEUE.builds,
    activities,
    maxConcurrentActivityTaskExecutions: 2,
  });
  return [worker];
}
