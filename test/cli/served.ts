/** The command line against an API that answers from a list. */
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { run } from '../../cli/program.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

export interface Sent {
  method: string;
  path: string;
  body: unknown;
}
export type Answers = Record<string, (object | [status: number, body: object])[]>;

/** Each path gives its answers in order, the last one again and again. */
export async function serve(answers: Answers): Promise<{ url: string; sent: Sent[] }> {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { method = '', url: path = '' } = request;
      if (method !== 'GET') sent.push({ method, path, body: JSON.parse(body) });
      if (path.endsWith('/stream')) return stream(response, answers[path] ?? []);
      const queue = answers[`${method} ${path}`] ?? [];
      const next = (queue.length > 1 ? queue.shift() : queue[0]) ?? [404, problem('NOT_FOUND', `no ${path}`)];
      const [status, answer] = Array.isArray(next) ? next : [200, next];
      if (status === 204) return void response.writeHead(204).end();
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

function stream(response: ServerResponse, views: object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const view of views) response.write(`event: deployment\ndata: ${JSON.stringify(view)}\n\n`);
  response.end('event: end\ndata: {}\n\n');
}

export const problem = (code: string, message: string, details?: object) => ({
  error: { code, message, ...(details ? { details } : {}) },
});

export async function sluice(url: string, ...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    now: () => new Date('2026-03-01T10:05:00.000Z'),
    interrupted: new AbortController().signal,
  };
  const code = await run(argv, { SLUICE_URL: url, GITHUB_TOKEN: 'ghp_x' }, io);
  return { code, out, err: err.join('\n') };
}
