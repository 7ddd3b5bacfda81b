/** A Temporal that can be killed and comes back at its address, with what it had written to its disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../sandbox/ports.js';
import type { DevServer } from '../../sandbox/temporal/dev-server.js';
import { startDevServer } from '../../sandbox/temporal/dev-server.js';

export interface TemporalAgain {
  /** For `openSite`. */
  startTemporal(): Promise<DevServer>;
  /** SIGKILL. */
  kill(): Promise<void>;
  revive(): Promise<void>;
}

export async function temporalAgain(): Promise<TemporalAgain> {
  const [directory, port] = await Promise.all([mkdtemp(join(tmpdir(), 'sluice-temporal-')), freePort()]);
  const start = (): Promise<DevServer> =>
    startDevServer({ port, headless: true, dbFilename: join(directory, 'temporal.db') });
  let newest: DevServer | undefined;
  return {
    startTemporal: async () => {
      newest = await start();
      return {
        ...newest,
        close: async () => {
          await newest?.close();
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
    kill: async () => {
      if (newest) process.kill(newest.pid, 'SIGKILL');
      // It has ended already: this only waits for it.
      await newest?.close();
    },
    revive: async () => {
      newest = await start();
    },
  };
}
