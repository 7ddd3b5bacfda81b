/** A stand-in of GitHub's REST API over HTTP: the routes that Sluice uses, with GitHub's shapes and faults. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { loginOf } from './access.js';
import type { AppOptions, Caller, OAuthAppOptions } from './caller.js';
import { failed, notFound, Refused, type Answer } from './answers.js';
import { jwtTrouble } from './apps.js';
import { NOT_JSON, readBody } from './body.js';
import { controlOf, type Control } from './control.js';
import { answerOfFault, Faults, type Fault } from './faults.js';
import { Repository, type RepositoryOptions } from './repository.js';
import { createRouter, type RouteRequest } from './router.js';
import { ROUTES } from './routes/index.js';
import { payloadOf } from './shapes/payload.js';
import type { Place } from './shapes/place.js';
import {
  GitHubState,
  type AskedRequest,
  type TeamState,
  type TokenOptions,
  type UserOptions,
} from './state.js';

export interface GitHubStandInOptions {
  /** 0, the default: a free one. */
  port?: number;
  org: string;
  /** Slug. */
  team: string;
  users: UserOptions[];
  /** Absent: this GitHub has no repository. */
  repository?: RepositoryOptions;
  /** The one GitHub App, installed in the organisation. */
  app?: AppOptions;
  /** Apps whose OAuth tokens can be asked for. */
  oauthApps?: OAuthAppOptions[];
}

export interface GitHubStandIn extends Control {
  /** For `GITHUB_API_URL` and `GITHUB_SERVER_URL`. */
  url: string;
  addUser(user: UserOptions): void;
  /**
   * Another token of a person, an OAuth app's (`gho_`) or a GitHub App's (`ghu_`, by `permissions`) too.
   * @throws where there is no such person
   */
  addToken(token: TokenOptions): string;
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
const findRoute = createRouter(ROUTES);

interface World {
  state: GitHubState;
  faults: Faults;
  repository?: Repository;
  url: string;
}

export async function startGitHubStandIn(options: GitHubStandInOptions): Promise<GitHubStandIn> {
  const { org, team, users: people, app, oauthApps } = options;
  const repository = options.repository && (await Repository.open(options.repository));
  const state = new GitHubState(org, team, people, { app, oauthApps });
  const faults = new Faults();
  const world: World = { state, faults, repository, url: '' };
  const server = createServer((request, response) => {
    serve(world, request, response).catch(() => response.destroy());
  });
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  world.url = `http://127.0.0.1:${port}`;

  const place = (): Place => {
    if (!repository) throw new Error('This GitHub has no repository: start it with `repository`');
    return { repository, state, url: world.url };
  };
  repository?.events.listen(async (happened) => {
    const payload = await payloadOf(happened, place());
    repository.hooks.announce({ event: happened.event, payload });
  });

  const down = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    url: world.url,
    ...controlOf(state, repository, place),
    addUser: (user) => state.addUser(user),
    addToken: (token) => state.addToken(token),
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
    async close() {
      repository?.actions.close();
      repository?.hooks.close();
      await down();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { state, faults, repository, url } = world;
  const method = request.method ?? 'GET';
  const { pathname, searchParams } = new URL(request.url ?? '/', url);
  const body = await readBody(request);
  const isControl = pathname.startsWith(CONTROL);
  const token = /^(?:token|bearer) (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const caller = token === undefined ? undefined : callerOf(state, token);
  const fault = isControl ? undefined : faults.take(pathname, method);
  if (fault?.kind === 'slow') await sleep(fault.delayMs ?? 1_000);
  if (fault?.kind === 'lost-request') return void response.destroy();

  const { user, trouble } = caller ?? {};
  const { headers } = request;
  const context = {
    query: searchParams,
    path: pathname,
    body,
    user,
    caller,
    headers,
    repository,
    state,
    faults,
    url,
  };
  const answer =
    (fault && answerOfFault(fault, Date.now() / 1_000)) ??
    (trouble && pathname.startsWith('/app') ? failed(401, trouble) : undefined) ??
    (await carryOut(
      method,
      pathname,
      trouble ? { ...context, caller: undefined } : context,
      token !== undefined,
    ));

  if (!isControl) {
    const asked = { at: new Date().toISOString(), method, path: pathname };
    const login = user?.login ?? (caller?.app ? loginOf(caller) : undefined);
    state.record({ ...asked, status: answer.status, ...(login ? { login } : {}) });
  }
  if (fault?.kind === 'hold-after') await held(response, fault.delayMs);
  if (fault?.kind === 'lost-answer') response.destroy();
  else send(response, answer, headersOf(world, caller));
}

const AN_HOUR_MS = 3_600_000;

/** Until the time is over, or whoever asked is gone. */
const held = (response: ServerResponse, ms = AN_HOUR_MS): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** `trouble`: what is wrong with a JWT. */
function callerOf(state: GitHubState, token: string): (Caller & { trouble?: string }) | undefined {
  const { app } = state;
  const known = state.callerOf(token, Date.now());
  if (known || token.split('.').length !== 3) return known;
  const trouble = app ? jwtTrouble(token, app, Math.floor(Date.now() / 1_000)) : 'Integration not found';
  return trouble ? { trouble } : { app, isJwt: true };
}

async function carryOut(
  method: string,
  path: string,
  context: Omit<RouteRequest, 'params'>,
  hasToken: boolean,
): Promise<Answer> {
  const found = findRoute(method, path);
  const isOpen = found?.route.open ?? path.startsWith(CONTROL);
  if (!isOpen && !context.caller)
    return failed(401, hasToken ? 'Bad credentials' : 'Requires authentication');
  if (!found) return notFound();
  if (context.body === NOT_JSON) return failed(400, 'Problems parsing JSON');
  try {
    return await found.route.handle({ ...context, params: found.params });
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    return failed(500, `Server Error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** GitHub allows 60 an hour without a token, 5000 with one. */
function headersOf(world: World, caller: Caller | undefined): Record<string, string> {
  const { scopes, clientId } = caller ?? {};
  const login = caller && (caller.user ?? caller.app) ? loginOf(caller) : undefined;
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
    // GitHub names the client of an OAuth token, not of one that a GitHub App got for a person.
    ...(scopes && clientId ? { 'x-oauth-client-id': clientId } : {}),
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
