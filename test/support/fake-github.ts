/** A few of GitHub's routes, by hand: what the tests of one activity need, and every way to fail. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCredentials, type Credentials } from '../../clients/github-credentials.js';
import type { Config } from '../../domain/config/config.js';
import { requestTrouble } from './github-world.js';

export interface Asked {
  method: string;
  /** Without `/repos/{owner}/{name}`. */
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
}

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** The connection breaks instead: what was done stays done. */
  isLost?: boolean;
}

export interface FakeGitHub {
  credentials: Credentials;
  asked: Asked[];
  /** What GitHub's description does not have of what it was asked. */
  wrong: string[];
  /** Before all others, until it answers undefined. */
  before?: ((asked: Asked) => Answer | undefined) | undefined;
  close(): Promise<void>;
}

const MISSING: Answer = { status: 404, body: { message: 'Not Found' } };

/** @param routes by `METHOD /path`; `*` stands for one part of it */
export async function startFakeGitHub(
  config: Config,
  routes: Record<string, (asked: Asked, ...parts: string[]) => Answer>,
  env: Record<string, string> = { GITHUB_TOKEN: 'ghp_sluice' },
): Promise<FakeGitHub> {
  const prefix = `/repos/${config.repository.owner}/${config.repository.name}`;
  const find = (asked: Asked): Answer => {
    for (const [route, answer] of Object.entries(routes)) {
      const pattern = new RegExp(`^${route.replaceAll('*', '([^/]+)')}$`);
      const [, ...parts] = pattern.exec(`${asked.method} ${asked.path}`) ?? [];
      if (pattern.test(`${asked.method} ${asked.path}`)) return answer(asked, ...parts);
    }
    return MISSING;
  };
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const url = new URL(request.url ?? '/', 'http://github.test');
      const body: unknown = text === '' ? {} : JSON.parse(text);
      const path = url.pathname.replace(prefix, '');
      const method = request.method ?? '';
      const asked = { method, path, query: url.searchParams, body: body as Record<string, unknown> };
      fake.asked.push(asked);
      fake.wrong.push(...requestTrouble(method, url.pathname, text === '' ? undefined : body));
      const { status = 200, body: given, headers, isLost } = fake.before?.(asked) ?? find(asked);
      if (isLost) return request.socket.destroy();
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
      return response.end(given === undefined ? undefined : JSON.stringify(given));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const fake: FakeGitHub = {
    credentials: createCredentials({ ...env, GITHUB_API_URL: `http://127.0.0.1:${port}` }, config),
    asked: [],
    wrong: [],
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
