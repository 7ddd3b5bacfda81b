/** A stand-in of GitHub's REST API over HTTP: the routes that Sluice uses, with GitHub's shapes and faults. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { failed, notFound, type Answer } from './answers.js';
import { answerOfFault, Faults, type Fault } from './faults.js';
import { createRouter, type RouteRequest } from './router.js';
import { control } from './routes/control.js';
import { teams } from './routes/teams.js';
import { users } from './routes/users.js';
import { GitHubState, type AskedRequest, type TeamState, type UserOptions } from './state.js';

export interface GitHubStandInOptions {
  /** 0, the default: a free one. */
  port?: number;
  org: string;
  /** Slug. */
  team: string;
  users: UserOptions[];
}

export interface GitHubStandIn {
  /** For `GITHUB_API_URL`. */
  url: string;
  addUser(user: UserOptions): void;
  revokeToken(token: string): void;
  /** @throws where there is no such person. */
  addMember(login: string, state?: TeamState): void;
  removeMember(login: string): void;
  fault(fault: Fault): void;
  clearFaults(): void;
  /** Refuses connections until `up`, on the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** What was asked so far, `/_sandbox/` left out. */
  requests(): AskedRequest[];
  close(): Promise<void>;
}

const LIMIT = 5_000;
const CONTROL = '/_sandbox/';
const findRoute = createRouter([...users, ...teams, ...control]);

interface World {
  state: GitHubState;
  faults: Faults;
  url: string;
}

export async function startGitHubStandIn(options: GitHubStandInOptions): Promise<GitHubStandIn> {
  const { org, team, users: people } = options;
  const world: World = { state: new GitHubState(org, team, people), faults: new Faults(), url: '' };
  const { state, faults } = world;
  const server = createServer((request, response) => {
    serve(world, request, response).catch(() => response.destroy());
  });
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  world.url = `http://127.0.0.1:${port}`;

  const down = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    url: world.url,
    addUser: (user) => state.addUser(user),
    revokeToken: (token) => state.revokeToken(token),
    addMember(login, as) {
      if (!state.addMember(login, as)) throw new Error(`There is no ${login} in this GitHub`);
    },
    removeMember: (login) => void state.removeMember(login),
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    down,
    up: () => (server.listening ? Promise.resolve() : listen(server, port)),
    requests: () => [...state.requests],
    close: down,
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { state, faults, url } = world;
  const { pathname, searchParams } = new URL(request.url ?? '/', url);
  const body = await readJson(request);
  const isControl = pathname.startsWith(CONTROL);
  const token = /^(?:token|bearer) (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const user = token === undefined ? undefined : state.userOf(token);
  const fault = isControl ? undefined : faults.take(pathname);
  if (fault?.kind === 'slow') await sleep(fault.delayMs ?? 1_000);

  const context = { query: searchParams, body, user, state, faults, url };
  const answer =
    (fault && answerOfFault(fault, Date.now() / 1_000)) ??
    carryOut(request.method ?? 'GET', pathname, context, token !== undefined);

  if (!isControl) {
    const asked = { at: new Date().toISOString(), method: request.method ?? 'GET', path: pathname };
    state.record({ ...asked, status: answer.status, ...(user ? { login: user.login } : {}) });
  }
  if (fault?.kind === 'lost-answer') response.destroy();
  else send(response, answer, headersOf(world, user?.login, user?.scopes));
}

function carryOut(
  method: string,
  path: string,
  context: Omit<RouteRequest, 'params'>,
  hasToken: boolean,
): Answer {
  const found = findRoute(method, path);
  const isOpen = found?.route.open ?? path.startsWith(CONTROL);
  if (!isOpen && !context.user) return failed(401, hasToken ? 'Bad credentials' : 'Requires authentication');
  if (!found) return notFound();
  if (context.body === NOT_JSON) return failed(400, 'Problems parsing JSON');
  return found.route.handle({ ...context, params: found.params });
}

const NOT_JSON = Symbol('not JSON');

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return NOT_JSON;
  }
}

/** GitHub allows 60 an hour without a token, 5000 with one. */
function headersOf(world: World, login: string | undefined, scopes?: string[]): Record<string, string> {
  const limit = login ? LIMIT : 60;
  const { used, reset } = world.state.spend(login ?? '', Math.floor(Date.now() / 1_000));
  return {
    'x-github-request-id': randomBytes(8)
      .toString('hex')
      .toUpperCase()
      .replaceAll(/(.{4})(?=.)/g, '$1:'),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-api-version-selected': '2022-11-28',
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(Math.max(limit - used, 0)),
    'x-ratelimit-used': String(used),
    'x-ratelimit-reset': String(reset),
    'x-ratelimit-resource': 'core',
    'x-accepted-oauth-scopes': '',
    ...(scopes ? { 'x-oauth-scopes': scopes.join(', ') } : {}),
  };
}

function send(response: ServerResponse, answer: Answer, headers: Record<string, string>): void {
  const isPage = answer.text !== undefined;
  const text = answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body));
  const type = isPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
  const content: Record<string, string> = text === '' ? {} : { 'content-type': type };
  response.writeHead(answer.status, { server: 'github.com', ...content, ...headers, ...answer.headers });
  response.end(text);
}
