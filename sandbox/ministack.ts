/** ministack, an emulator of AWS that others wrote: real containers, a real registry. Needs Docker. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Ministack {
  /** For `AWS_ENDPOINT_URL`. */
  url: string;
  /** `host:port` for image references; Docker takes `localhost` without TLS. */
  registry: string;
  /** Ends it and the containers of its tasks. */
  close(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const GONE_WITHIN_MS = 15_000;

/** `SLUICE_MINISTACK`, else `ministack` on PATH; undefined where neither is there. */
export function findMinistack(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.SLUICE_MINISTACK) return env.SLUICE_MINISTACK;
  return (env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'ministack'))
    .find((file) => existsSync(file));
}

export async function startMinistack(input: { port?: number } = {}): Promise<Ministack> {
  const command = findMinistack();
  if (!command)
    throw new Error(
      'ministack is not installed: pip install ministack docker, and set SLUICE_MINISTACK to its path',
    );
  const port = input.port || (await freePort());
  // In a process group of its own, so that its children end with it. Nothing of it outlives this run.
  const child = spawn(command, [], {
    env: { ...process.env, GATEWAY_PORT: String(port), PERSIST_STATE: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      lines.push(...chunk.toString('utf8').split('\n').filter(Boolean));
      lines.splice(0, Math.max(0, lines.length - 30));
    });
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(child, url);
  } catch (error) {
    await end(child);
    const last = lines.slice(-5).join('\n');
    throw new Error(`${error instanceof Error ? error.message : String(error)}; it said:\n${last}`, {
      cause: error,
    });
  }
  return { url, registry: `localhost:${port}`, close: () => closeDown(child, url) };
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`ministack ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/_ministack/health`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    if (answer?.ok) return;
    await sleep(200);
  }
  throw new Error(`ministack was not ready within ${READY_WITHIN_MS / 1000} s`);
}

/** A reset makes it remove its tasks' containers, but not those that it is just starting. */
async function closeDown(child: ChildProcess, url: string): Promise<void> {
  await fetch(`${url}/_ministack/reset`, {
    method: 'POST',
    signal: AbortSignal.timeout(GONE_WITHIN_MS),
  }).catch(() => undefined);
  await end(child);
  await removeContainers(new URL(url).port).catch(() => undefined);
}

/** Its containers carry `host:port` of the instance that made them, so that only ours are found. */
async function removeContainers(port: string): Promise<void> {
  const format = '{{.ID}} {{.Label "ministack.instance"}}';
  const args = ['ps', '-a', '--filter', 'label=ministack=ecs', '--format', format];
  const { stdout } = await run('docker', args, { timeout: GONE_WITHIN_MS });
  const lines = stdout.split('\n').map((line) => line.split(' '));
  const ids = lines.flatMap(([id, instance]) => (id && instance?.endsWith(`:${port}`) ? [id] : []));
  if (ids.length > 0) await run('docker', ['rm', '-f', ...ids], { timeout: READY_WITHIN_MS });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const group = -child.pid;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  signal(group, 'SIGTERM');
  const timer = setTimeout(() => signal(group, 'SIGKILL'), GONE_WITHIN_MS);
  await gone;
  clearTimeout(timer);
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(group, name);
  } catch {
    // It has gone already.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
