/** Postgres from the distribution, in a folder of its own, not as root. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { guard } from '../../sandbox/guard.js';
import { freePort } from '../../sandbox/ports.js';
import { until } from '../e2e/site.js';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';
const READY_MS = 60_000;

export interface Postgres {
  host: string;
  port: number;
  user: string;
  /** Ends it, and removes its folder. */
  close(): Promise<void>;
}

/** Postgres refuses to run as root: then it is the distribution's own user. */
async function notRoot(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  );
  return { uid, gid };
}

async function binaries(): Promise<string> {
  const versions = await readdir(DEBIAN).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  if (newest === undefined)
    throw new Error('There is no Postgres: apt-get install postgresql, or .ci/cluster.sh');
  return join(DEBIAN, String(newest), 'bin');
}

export async function startPostgres(): Promise<Postgres> {
  const bin = await binaries();
  const as = await notRoot();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  if (as.uid !== undefined && as.gid !== undefined) await chown(directory, as.uid, as.gid);
  const data = join(directory, 'data');
  const user = 'temporal';
  const options = { ...as, cwd: directory };
  const initdb = ['--pgdata', data, '--username', user, '--auth', 'trust', '--encoding', 'UTF8', '--no-sync'];
  await run(join(bin, 'initdb'), initdb, options);
  const port = await freePort();
  const settings = ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200'];
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), '-k', directory, ...settings],
    {
      ...options,
      detached: true,
      stdio: 'ignore',
    },
  );
  const guarded = guard('kill -INT "$1" 2>/dev/null', String(server.pid));
  const close = async (): Promise<void> => {
    await end(server);
    guarded.release();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const isReady = async (): Promise<boolean> =>
      await run(join(bin, 'pg_isready'), ['--host', '127.0.0.1', '--port', String(port)]).then(
        () => true,
        () => false,
      );
    await until('Postgres answers', isReady, READY_MS);
    return { host: '127.0.0.1', port, user, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** SIGINT: it ends at once, whoever is connected. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGINT');
  await ended;
}
