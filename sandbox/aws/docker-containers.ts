/** Tasks as real containers, each with its own ports, as in `bridge` mode. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { guard } from '../guard.js';
import type { ContainerRunner, ContainerSpec, RunningTask } from './containers.js';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;

/** Whatever runs in a network, and the network: it goes once nothing is in it, also what was only just starting. */
const SWEEP = `
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    ids=$(docker ps --all --quiet --filter "network=$1")
    [ -z "$ids" ] || docker rm --force $ids
    docker network rm "$1" && exit
    sleep 1
  done`;

async function docker(args: string[], timeout = TIMEOUT_MS): Promise<string> {
  try {
    return (await run('docker', args, { timeout, maxBuffer: 1_000_000 })).stdout.trim();
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(stderr?.trim() || `docker ${args[0]} failed`, { cause: error });
  }
}

/** A network of its own: found by its name, removed as one, and apart from what else runs on the machine. */
export async function createDockerRunner(): Promise<ContainerRunner> {
  const network = `sluice-sandbox-${process.pid}-${Date.now().toString(36)}`;
  await docker(['network', 'create', '--label', 'sluice.sandbox', network]);
  const guarded = guard(SWEEP, network);
  const starting = new Set<Promise<unknown>>();
  let isClosed = false;
  return {
    start: async (input) => {
      if (isClosed) throw new Error('the sandbox ends');
      const started = startTask({ ...input, network });
      starting.add(started);
      return started.finally(() => starting.delete(started));
    },
    close: async () => {
      isClosed = true;
      // What `docker run` has not told the id of is not found yet.
      await Promise.allSettled(starting);
      await run('/bin/sh', ['-c', SWEEP, 'sweep', network], { timeout: TIMEOUT_MS }).catch(() => undefined);
      guarded.release();
    },
  };
}

interface StartInput {
  task: string;
  containers: ContainerSpec[];
  network: string;
}

interface Started {
  id: string;
  port?: number;
}

async function startTask({ task, containers, network }: StartInput): Promise<RunningTask> {
  const exits: Record<string, number> = {};
  const settled = await Promise.allSettled(
    containers.map((container) => startContainer({ task, container, network, exits })),
  );
  const started = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const ids = started.map(({ id }) => id);
  const stop = async (): Promise<void> => {
    if (ids.length === 0) return;
    await docker(['stop', '-t', '2', ...ids]).catch(() => undefined);
    await docker(['rm', '-f', ...ids]).catch(() => undefined);
  };
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const port = started.find((one) => one.port !== undefined)?.port;
  return { port, exits: () => exits, healthy: () => answers(port), stop };
}

interface ContainerInput {
  task: string;
  container: ContainerSpec;
  network: string;
  exits: Record<string, number>;
}

async function startContainer({ task, container, network, exits }: ContainerInput): Promise<Started> {
  const { name, image, ports, environment } = container;
  const variables = Object.entries(environment).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  const published = ports.map((port) => `--publish=127.0.0.1::${port}`);
  const full = `sluice-${task.slice(0, 12)}-${name}`;
  const id = await docker([
    'run',
    '-d',
    '--name',
    full,
    `--network=${network}`,
    ...published,
    ...variables,
    image,
  ]);
  // Without a limit: it answers when the container ends.
  void docker(['wait', id], 0)
    .then((code) => (exits[name] = Number(code)))
    .catch(() => undefined);
  const [first] = ports;
  return { id, port: first === undefined ? undefined : await publishedPort(id, first) };
}

/** A container that has ended at once has no port any more; that it ended is told by `exits`. */
async function publishedPort(id: string, port: number): Promise<number | undefined> {
  const text = await docker(['port', id, `${port}/tcp`]).catch(() => '');
  const found = /:(\d+)$/m.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Any answer below 500 will do. A task that publishes nothing is healthy while it runs. */
async function answers(port: number | undefined): Promise<boolean> {
  if (port === undefined) return true;
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) }).catch(
    () => undefined,
  );
  await response?.body?.cancel();
  if (!response) await sleep(100);
  return response !== undefined && response.status < 500;
}
