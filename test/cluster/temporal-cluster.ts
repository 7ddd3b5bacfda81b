/**
 * A real Temporal server on Postgres, as `docker-compose.yml` runs it: from the same variables, its schema and
 * namespace made by the same scripts. All four services in one process.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { guard } from '../../sandbox/guard.js';
import type { Guard } from '../../sandbox/guard.js';
import { freePort } from '../../sandbox/ports.js';
import { temporalCli } from '../../sandbox/temporal/binaries.js';
import type { DevServer } from '../../sandbox/temporal/dev-server.js';
import type { Postgres } from './postgres.js';
import { startPostgres } from './postgres.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VERSION = '1.32.1';
const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;

export interface Cluster extends DevServer {
  /** SIGKILL, and started anew on the same database. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Where `.ci/cluster.sh` puts `server`, `sql` and `schema/`. */
async function built(): Promise<string> {
  const cache =
    process.env['SLUICE_CACHE'] || join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice');
  const directory = join(cache, `temporal-server-${VERSION}`);
  await access(join(directory, 'schema', 'temporal')).catch(() => {
    throw new Error(`There is no Temporal server ${VERSION} in ${directory}: run .ci/cluster.sh --prepare`);
  });
  return directory;
}

type Ports = Record<(typeof SERVICES)[number], { grpc: number; membership: number }>;

/**
 * The variables of `docker-compose.yml`, from which the server makes its configuration; what differs here is where
 * things are, and the shards, which take long to start.
 */
async function environment(postgres: Postgres, ports: Ports): Promise<Record<string, string>> {
  const compose = parse(await readFile(join(ROOT, 'docker-compose.yml'), 'utf8')) as {
    services: { temporal: { environment: Record<string, string> } };
  };
  const { DYNAMIC_CONFIG_FILE_PATH = '', ...rest } = compose.services.temporal.environment;
  const listens = SERVICES.flatMap((name) => [
    [`${name.toUpperCase()}_GRPC_PORT`, String(ports[name].grpc)],
    [`${name.toUpperCase()}_MEMBERSHIP_PORT`, String(ports[name].membership)],
  ]);
  return {
    PATH: process.env['PATH'] ?? '',
    ...rest,
    DYNAMIC_CONFIG_FILE_PATH: join(ROOT, DYNAMIC_CONFIG_FILE_PATH),
    ...{ POSTGRES_SEEDS: postgres.host, DB_PORT: String(postgres.port) },
    ...{ POSTGRES_USER: postgres.user, POSTGRES_PWD: 'trusted' },
    ...{ BIND_ON_IP: '127.0.0.1', NUM_HISTORY_SHARDS: '4', LOG_LEVEL: 'warn' },
    FRONTEND_HTTP_PORT: String(await lowPort()),
    PROMETHEUS_ENDPOINT: `127.0.0.1:${await lowPort()}`,
    ...(Object.fromEntries(listens) as Record<string, string>),
  };
}

export async function startCluster(): Promise<Cluster> {
  const binaries = await built();
  const postgres = await startPostgres();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-cluster-'));
  let server: Server | undefined;
  const close = async (): Promise<void> => {
    await server?.end('SIGTERM');
    await postgres.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const ports = await freePorts();
    await schema(postgres, binaries);
    const env = await environment(postgres, ports);
    const started = (server = new Server(join(binaries, 'server'), { directory, env }));
    started.start();
    const address = `127.0.0.1:${ports.frontend.grpc}`;
    const namespace = { ...process.env, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'default' };
    const cli = (await temporalCli()) ?? 'temporal';
    const script = run('sh', [join(ROOT, 'deploy/temporal-namespace.sh')], {
      env: { ...namespace, TEMPORAL_CLI: cli },
    });
    const died = started.died();
    // It ends later, too, when a test ends it.
    died.catch(() => undefined);
    await Promise.race([script, died]);
    return {
      address,
      get pid() {
        return started.pid;
      },
      close,
      kill: () => started.end('SIGKILL'),
      start: () => Promise.resolve(started.start()),
    };
  } catch (error) {
    await close();
    throw new Error(`The cluster did not come up (${directory}): ${String(error)}`, { cause: error });
  }
}

async function freePorts(): Promise<Ports> {
  const entries: [string, { grpc: number; membership: number }][] = [];
  for (const name of SERVICES) {
    entries.push([name, { grpc: await lowPort(), membership: await lowPort() }]);
  }
  return Object.fromEntries(entries) as Ports;
}

/** Temporal keeps its members' ports in a SMALLINT: above 32767 it does not start. */
async function lowPort(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = await freePort(randomInt(12_000, 32_000)).catch(() => undefined);
    if (port !== undefined) return port;
  }
  throw new Error('No port between 12000 and 32000 is free');
}

async function schema({ host, port, user }: Postgres, binaries: string): Promise<void> {
  const env = {
    ...process.env,
    ...{ SQL_HOST: host, SQL_PORT: String(port), SQL_USER: user, SQL_PASSWORD: 'trusted' },
    ...{ TEMPORAL_SQL_TOOL: join(binaries, 'sql'), TEMPORAL_SCHEMA: join(binaries, 'schema') },
  };
  const script = join(ROOT, 'deploy/temporal-schema.sh');
  await run('sh', [script], { env });
  // As before every upgrade: what is up to date stays as it is.
  await run('sh', [script], { env });
}

class Server {
  private child: ChildProcess | undefined;
  private guarded: Guard | undefined;

  constructor(
    private readonly binary: string,
    private readonly at: { directory: string; env: Record<string, string> },
  ) {}

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  start(): void {
    const { directory: cwd, env } = this.at;
    this.child = spawn(this.binary, ['start'], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(cwd, 'temporal.log'), { flags: 'a' });
    this.child.stdout?.pipe(log, { end: false });
    this.child.stderr?.pipe(log, { end: false });
    this.guarded = guard('kill -KILL "$1" 2>/dev/null', String(this.child.pid));
  }

  /** @throws with its last words, once it has ended by itself */
  async died(): Promise<never> {
    if (this.child) await once(this.child, 'exit');
    const log = await readFile(join(this.at.directory, 'temporal.log'), 'utf8').catch(() => '');
    throw new Error(`Temporal ended: ${log.slice(-2_000)}`);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(force);
    this.guarded?.release();
  }
}
