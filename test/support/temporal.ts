/** Temporal for a test file: a namespace of its own on the run's dev server, or a server that skips time. */
import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { inject } from 'vitest';
import { SEARCH_ATTRIBUTE } from '../../domain/messages.js';
import { testServer } from '../../sandbox/temporal/binaries.js';
import { workflowBundle } from '../../worker/bundle.js';
import './temporal-server.js';

/** `INDEXED_VALUE_TYPE_KEYWORD` */
const KEYWORD = 2;
const KEYWORDS = Object.fromEntries(Object.values(SEARCH_ATTRIBUTE).map((name) => [name, KEYWORD]));

export interface TestTemporal {
  address: string;
  namespace: string;
  client: Client;
  /** For `Worker.create`. */
  nativeConnection: NativeConnection;
  /**
   * A worker of this namespace; with the project's workflows unless `activities` is all that is given and
   * `workflows` is false. Not running yet: `worker.runUntil(…)`, or `worker.run()` and `worker.shutdown()`.
   */
  createWorker(options: TestWorkerOptions): Promise<Worker>;
  /** Closes the connections. Workers must have ended before. */
  close(): Promise<void>;
}

export type TestWorkerOptions = Omit<WorkerOptions, 'connection' | 'namespace'> & { workflows?: boolean };

/**
 * Connects to the run's dev server, in a fresh namespace with Sluice's search attributes: workflow ids and
 * task queues are fixed in this project, so files would meet otherwise. Costs about 10 ms.
 */
export async function connect(): Promise<TestTemporal> {
  quiet();
  const address = inject('temporalAddress');
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: KEYWORDS });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    address,
    namespace,
    client: new Client({ connection, namespace }),
    nativeConnection,
    async createWorker({ workflows = true, ...options }) {
      const code = workflows && !options.workflowsPath ? { workflowBundle: await workflowBundle() } : {};
      return Worker.create({ ...code, ...options, connection: nativeConnection, namespace });
    },
    async close() {
      await nativeConnection.close();
      await connection.close();
    },
  };
}

/**
 * A server on which waiting costs no time: timer logic only. It has no lists, no UI, and time is global to
 * it, so one test at a time. End it with `teardown()`.
 */
export async function timeSkipping(): Promise<TestWorkflowEnvironment> {
  quiet();
  const path = await testServer();
  const executable = path
    ? ({ type: 'existing-path', path } as const)
    : ({ type: 'cached-download' } as const);
  const environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: KEYWORDS,
  });
  return environment;
}

let installed = false;

/** The SDK logs each worker's life at INFO; a failing test is easier to read without. */
function quiet(): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger(process.env['SLUICE_TEST_LOG'] === 'debug' ? 'DEBUG' : 'ERROR'),
  });
}
