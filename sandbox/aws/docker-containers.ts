/** Tasks as real containers. The containers of a task share one network namespace, as in `awsvpc` mode. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ContainerRunner, ContainerSpec, RunningTask } from './containers.js';

const run = promisify(execFile);

async function docker(...args: string[]): Promise<string> {
  try {
    return (await run('docker', args, { timeout: 60_000, maxBuffer: 1_000_000 })).stdout.trim();
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(stderr?.trim() || `docker ${args[0]} failed`, { cause: error });
  }
}

/** A network of its own: found by its name, removed as one, and apart from what else runs on the machine. */
export async function createDockerRunner(): Promise<ContainerRunner> {
  const network = `sluice-sandbox-${process.pid}-${Date.now().toString(36)}`;
  await docker('network', 'create', '--label', 'sluice.sandbox', network);
  const ids = new Set<string>();
  return {
    start: (input) => startTask({ ...input, network, ids }),
    close: async () => {
      if (ids.size > 0) await docker('rm', '-f', ...ids).catch(() => undefined);
      await docker('network', 'rm', network).catch(() => undefined);
    },
  };
}

interface StartInput {
  task: string;
  containers: ContainerSpec[];
  network: string;
  ids: Set<string>;
}

async function startTask({ task, containers, network, ids }: StartInput): Promise<RunningTask> {
  const exits: Record<string, number> = {};
  const started: string[] = [];
  const ports = containers.flatMap((container) => container.ports);
  const stop = async (): Promise<void> => {
    await docker('stop', '-t', '2', ...started).catch(() => undefined);
    await docker('rm', '-f', ...started).catch(() => undefined);
    started.forEach((id) => ids.delete(id));
  };
  try {
    for (const container of containers) {
      const [first] = started;
      const joined = first
        ? [`--network=container:${first}`]
        : [`--network=${network}`, ...ports.map((port) => `--publish=127.0.0.1::${port}`)];
      const environment = Object.entries(container.environment).flatMap(([name, value]) => [
        '-e',
        `${name}=${value}`,
      ]);
      const name = `sluice-${task.slice(0, 12)}-${container.name}`;
      const id = await docker('run', '-d', '--name', name, ...joined, ...environment, container.image);
      started.push(id);
      ids.add(id);
      void docker('wait', id)
        .then((code) => (exits[container.name] = Number(code)))
        .catch(() => undefined);
    }
    const port = ports[0] === undefined ? undefined : await published(started[0] ?? '', ports[0]);
    return { port, exits: () => exits, healthy: () => answers(port), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A container that has ended at once has no port any more; that it ended is told by `exits`. */
async function published(id: string, port: number): Promise<number | undefined> {
  const text = await docker('port', id, `${port}/tcp`).catch(() => '');
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
