/** The stable address of a service: requests go in turn to its healthy tasks, and to no other. */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './protocol.js';
import { serving } from './state.js';
import type { World } from './state.js';

const PATH = /^\/_services\/([^/]+)\/([^/]+)(\/.*)?$/;

export function createLoadBalancer(
  world: World,
): (request: IncomingMessage, response: ServerResponse) => void {
  const turns = new Map<string, number>();
  return (request, response) => {
    const [, cluster, name, path = '/'] = PATH.exec(request.url ?? '') ?? [];
    const service = world.services.get(`${cluster}/${name}`);
    if (!service) return sendJson(response, 404, { message: 'no such service' });
    const ports = service.tasks.filter(serving).flatMap((task) => task.running?.port ?? []);
    const turn = (turns.get(service.arn) ?? 0) + 1;
    turns.set(service.arn, turn);
    const order = ports.map((_, at) => ports[(turn + at) % ports.length]);
    forward({ method: request.method, path, ports: order.filter((port) => port !== undefined) }, response);
  };
}

interface Forwarded {
  method?: string;
  path: string;
  ports: number[];
}

function forward({ method = 'GET', path, ports }: Forwarded, response: ServerResponse): void {
  const [port, ...rest] = ports;
  if (port === undefined) return sendJson(response, 503, { message: 'no healthy task' });
  const proxied = httpRequest(
    { host: '127.0.0.1', port, method, path, timeout: 3_000, agent: false },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  proxied.on('timeout', () => proxied.destroy(new Error('no answer')));
  proxied.on('error', () => {
    if (response.headersSent) response.destroy();
    else forward({ method, path, ports: rest }, response);
  });
  proxied.end();
}
