/** Vitest's global set-up: one Temporal dev server for all files of a run; see `connect()` in `temporal.ts`. */
import type { TestProject } from 'vitest/node';
import { startDevServer } from '../../sandbox/temporal/dev-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the run's dev server. */
    temporalAddress: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startDevServer({ headless: true });
  project.provide('temporalAddress', server.address);
  return server.close;
}
