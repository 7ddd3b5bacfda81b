/** A task's "containers": one small HTTP server that answers as the app inside would. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ImageConfig } from './image-store.js';
import { sendJson } from './protocol.js';

export interface ContainerSpec {
  name: string;
  image: string;
  config: ImageConfig;
  /** The task definition's own variables: they win over the image's. */
  environment: Record<string, string>;
  /** Container ports that are published. */
  ports: number[];
}

export interface RunningTask {
  /** Of this machine; where the load balancer sends requests. Absent: nothing listens. */
  port?: number;
  /** Containers that ended: name → exit code. */
  exits(): Record<string, number>;
  /** Answers and looks well; asked until the task counts as healthy. */
  healthy(): Promise<boolean>;
  stop(): Promise<void>;
}

export interface ContainerRunner {
  start(input: { task: string; containers: ContainerSpec[] }): Promise<RunningTask>;
  close(): Promise<void>;
}

const RELEASE_LABEL = 'org.opencontainers.image.revision';

const label = ({ config }: ContainerSpec, name: string): string | undefined => config.Labels?.[name];

function releaseOf(container: ContainerSpec): string | undefined {
  if (label(container, 'sandbox.version') === 'none') return undefined;
  const inImage = container.config.Env?.find((line) => line.startsWith('RELEASE='))?.slice('RELEASE='.length);
  return (
    label(container, 'sandbox.release') ??
    container.environment.RELEASE ??
    inImage ??
    label(container, RELEASE_LABEL)
  );
}

/** The container that answers: one told to misreport, else one that publishes a port, else the first. */
const answering = (containers: ContainerSpec[]): ContainerSpec | undefined =>
  containers.find((one) => label(one, 'sandbox.release') ?? label(one, 'sandbox.version')) ??
  containers.find((one) => one.ports.length > 0) ??
  containers[0];

export const inProcess: ContainerRunner = {
  close: () => Promise.resolve(),
  async start({ containers }) {
    const exits: Record<string, number> = {};
    for (const container of containers) {
      // Of the image, or of a variable that it cannot start with: that one can be mended.
      const code = label(container, 'sandbox.exit') ?? container.environment['SANDBOX_EXIT'];
      if (code !== undefined) exits[container.name] = Number(code);
    }
    const unhealthy = containers.some((container) => label(container, 'sandbox.unhealthy') === '1');
    const container = answering(containers);
    const release = container && releaseOf(container);
    const server = createServer((request, response) => {
      if (request.url === '/version.json') sendJson(response, 200, release === undefined ? {} : { release });
      else if (unhealthy) sendJson(response, 500, { error: 'unhealthy' });
      else sendJson(response, 200, { ok: true });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    return {
      port: (server.address() as AddressInfo).port,
      exits: () => exits,
      healthy: () => Promise.resolve(!unhealthy),
      stop: async () => {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  },
};
