/**
 * The stable address of services on ministack, which has no target groups with health checks. It does what an ALB
 * with ECS does: a task that ECS lists becomes a target, gets requests once it has answered some checks, in turn
 * with the others, and is taken out when ECS no longer wants it; where no target is healthy, all are asked.
 *
 * One thing it must make up for: ECS takes a task out of its target group and lets it drain before SIGTERM,
 * ministack says STOPPED and kills in the same moment. So a GET that a target refuses, or drops before it began to
 * answer, goes to the next one. No failure is hidden that a client could see at AWS: with no target left it is 503.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTasksCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { ECSClient, Task } from '@aws-sdk/client-ecs';
import type { ServiceRef } from '../../sandbox/aws/index.js';

const run = promisify(execFile);
const LOOK_EVERY_MS = 150;
/** Checks in a row until a target is healthy: a task that ends as it starts gets no request. */
const HEALTHY_AFTER = 3;
const TIMEOUT_MS = 2_000;
const PATH = /^\/([^/]+)\/([^/]+)(\/.*)?$/;

export interface LoadBalancer {
  urlOf(ref: ServiceRef): string;
  /** From now on; its tasks are looked for until the end. */
  serve(ref: ServiceRef): void;
  /** Requests that went on to another target. */
  readonly passedOn: number;
  close(): Promise<void>;
}

interface Target {
  port: number;
  checks: number;
}

export async function startLoadBalancer(ecs: ECSClient): Promise<LoadBalancer> {
  /** `{cluster}/{service}` → task → its target; undefined: it publishes nothing. */
  const services = new Map<string, Map<string, Target | undefined>>();
  const looking: Promise<void>[] = [];
  let isClosed = false;
  let turn = 0;
  let passedOn = 0;

  const look = async (ref: ServiceRef, targets: Map<string, Target | undefined>): Promise<void> => {
    while (!isClosed) {
      // ministack that does not answer changes no target.
      await refresh(ecs, ref, targets).catch(() => undefined);
      await sleep(LOOK_EVERY_MS);
    }
  };
  const ask = (ports: number[], path: string, response: ServerResponse): void => {
    const [port, ...others] = ports;
    if (port === undefined) return void response.writeHead(503).end('no target');
    const proxied = httpRequest(
      { host: '127.0.0.1', port, path, timeout: TIMEOUT_MS, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.once('error', () => response.destroy());
      },
    );
    proxied.once('timeout', () => proxied.destroy(new Error('no answer')));
    proxied.once('error', () => {
      if (response.headersSent) return void response.destroy();
      passedOn += 1;
      ask(others, path, response);
    });
    proxied.end();
  };
  const server = createServer((request: IncomingMessage, response) => {
    const [, cluster, service, path = '/'] = PATH.exec(request.url ?? '') ?? [];
    const targets = [...(services.get(`${cluster}/${service}`)?.values() ?? [])].filter(
      (one) => one !== undefined,
    );
    const healthy = targets.filter(({ checks }) => checks >= HEALTHY_AFTER);
    const chosen = (healthy.length > 0 ? healthy : targets).map(({ port }) => port);
    turn += 1;
    const first = chosen.length > 0 ? turn % chosen.length : 0;
    ask([...chosen.slice(first), ...chosen.slice(0, first)], path, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: ({ cluster, service }) => `http://127.0.0.1:${port}/${cluster}/${service}`,
    serve: (ref) => {
      const targets = new Map<string, Target | undefined>();
      services.set(`${ref.cluster}/${ref.service}`, targets);
      looking.push(look(ref, targets));
    },
    get passedOn() {
      return passedOn;
    },
    close: async () => {
      isClosed = true;
      await Promise.all(looking);
      server.closeAllConnections();
      server.close();
    },
  };
}

async function refresh(
  ecs: ECSClient,
  ref: ServiceRef,
  targets: Map<string, Target | undefined>,
): Promise<void> {
  const { cluster, service } = ref;
  const listed = await ecs.send(
    new ListTasksCommand({ cluster, serviceName: service, desiredStatus: 'RUNNING' }),
  );
  const arns = listed.taskArns ?? [];
  const { tasks = [] } =
    arns.length > 0 ? await ecs.send(new DescribeTasksCommand({ cluster, tasks: arns })) : { tasks: [] };
  const running = tasks.filter(
    ({ lastStatus, desiredStatus }) => lastStatus === 'RUNNING' && desiredStatus === 'RUNNING',
  );
  const wanted = new Set(running.map(({ taskArn }) => taskArn));
  for (const arn of targets.keys()) if (!wanted.has(arn)) targets.delete(arn);
  for (const task of running) {
    if (!task.taskArn || targets.has(task.taskArn)) continue;
    const port = await publishedPort(task);
    targets.set(task.taskArn, port === undefined ? undefined : { port, checks: 0 });
  }
  const publishing = [...targets.values()].filter((target) => target !== undefined);
  await Promise.all(publishing.map(check));
}

async function check(target: Target): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(`http://127.0.0.1:${target.port}/`, { signal }).catch(() => undefined);
  await answer?.body?.cancel();
  target.checks = answer?.ok ? target.checks + 1 : 0;
}

/** ministack reports no network bindings, but its containers' ids. */
async function publishedPort({ containers = [] }: Task): Promise<number | undefined> {
  const ids = containers.flatMap(({ runtimeId }) => runtimeId ?? []);
  const format = '{{range $ports := .NetworkSettings.Ports}}{{range $ports}}{{.HostPort}} {{end}}{{end}}';
  const { stdout } = await run('docker', ['inspect', '--format', format, ...ids], { timeout: 10_000 });
  const [port] = stdout.split(/\s+/).filter(Boolean);
  return port === undefined ? undefined : Number(port);
}
