/** A stand-in of Slack over HTTP: the Web API's methods that Sluice uses, and incoming webhooks. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentOf, isRecord, type Fields } from './content.js';
import { Faults, type Fault } from './faults.js';
import { METHODS } from './methods.js';
import { SlackState, type AskedRequest, type Channel, type ChannelOptions, type Message } from './state.js';

export interface SlackStandInOptions {
  /** 0, the default: a free one. */
  port?: number;
  /** Of the bot: `xoxb-…`. */
  token: string;
  /** Of the token; absent: all that the played methods need. */
  scopes?: string[];
  channels: ChannelOptions[];
  /** The path of the incoming webhook and the channel that it posts to; absent: there is none. */
  webhook?: { path?: string; channel: string };
}

export interface SlackStandIn {
  url: string;
  /** For `SLACK_API_URL`. */
  apiUrl: string;
  /** For `SLACK_WEBHOOK_URL`; undefined where there is none. */
  webhookUrl?: string;
  /** Oldest first; of one channel, by id or name, or of all. */
  messages(channel?: string): Message[];
  addChannel(channel: ChannelOptions): Channel;
  /** @throws where there is no such channel */
  archive(channel: string): void;
  revokeToken(): void;
  fault(fault: Fault): void;
  clearFaults(): void;
  requests(): AskedRequest[];
  /** Refuses connections until `up`, on the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

interface World {
  state: SlackState;
  faults: Faults;
  /** Undefined once revoked. */
  token: string | undefined;
  scopes: string[] | undefined;
  webhook: { path: string; channel: string } | undefined;
}

interface Answer {
  status: number;
  /** Sent as JSON, or as it is where it is a text. */
  body: unknown;
  headers?: Record<string, string>;
}

const WEBHOOK = '/services/T0SANDBOX/B0SANDBOX/sandboxWebhook';

export async function startSlackStandIn(options: SlackStandInOptions): Promise<SlackStandIn> {
  const { token, scopes, channels, webhook } = options;
  const state = new SlackState(channels);
  const faults = new Faults();
  const hook = webhook && { path: webhook.path ?? WEBHOOK, channel: webhook.channel };
  const world: World = { state, faults, token, scopes, webhook: hook };
  const server = createServer((request, response) => {
    serve(world, request, response).catch(() => response.destroy());
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const channelOf = (name: string): Channel => {
    const found = state.channel(name, { byName: true });
    if (!found) throw new Error(`There is no channel ${name} in this Slack`);
    return found;
  };
  const down = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    url,
    apiUrl: `${url}/api/`,
    ...(hook ? { webhookUrl: url + hook.path } : {}),
    messages: (channel) => {
      const id = channel === undefined ? undefined : channelOf(channel).id;
      return structuredClone(state.messages.filter((one) => id === undefined || one.channel === id));
    },
    addChannel: (channel) => state.addChannel(channel),
    archive: (channel) => void (channelOf(channel).isArchived = true),
    revokeToken: () => void (world.token = undefined),
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    requests: () => [...state.requests],
    down,
    up: () => (server.listening ? Promise.resolve() : listen(port)),
    close: down,
  };
}

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (pathname.startsWith('/_sandbox/'))
    return send(response, control(world, request.method, pathname, text));

  const method = pathname.startsWith('/api/') ? pathname.slice('/api/'.length) : 'webhook';
  const fault = world.faults.take(method);
  if (fault?.kind === 'slow') await sleep(fault.delayMs ?? 1_000);
  if (fault?.kind === 'lost-request') return void response.destroy();
  const answer =
    (fault && answerOfFault(fault, method)) ??
    (method === 'webhook'
      ? webhook(world, request, pathname, text)
      : callMethod(world, request, method, {
          ...Object.fromEntries(searchParams),
          ...fieldsOf(request, text),
        }));
  record(world, method, answer);
  if (fault?.kind === 'hold-after') await held(response, fault.delayMs);
  if (fault?.kind === 'lost-answer') response.destroy();
  else send(response, answer);
}

function record({ state }: World, method: string, { status, body }: Answer): void {
  const said = isRecord(body) ? body['error'] : body === 'ok' ? undefined : body;
  const error = typeof said === 'string' ? { error: said } : {};
  state.record({ at: new Date().toISOString(), method, status, ...error });
}

/** A form, or JSON; empty where it is neither. */
function fieldsOf(request: IncomingMessage, text: string): Fields {
  if (!request.headers['content-type']?.startsWith('application/json'))
    return Object.fromEntries(new URLSearchParams(text));
  return parsed(text) ?? {};
}

function parsed(text: string): Fields | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function callMethod(world: World, request: IncomingMessage, name: string, fields: Fields): Answer {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  const bearer = /^bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? fields['token'];
  const no = (error: string, more: Fields = {}): Answer => ({
    status: 200,
    body: { ok: false, error, ...more },
  });
  if (!method) return no('unknown_method', { req_method: name });
  if (!bearer) return no('not_authed');
  if (world.token === undefined) return no('token_revoked');
  if (bearer !== world.token) return no('invalid_auth');
  const { scopes } = world;
  if (method.scope && scopes && !scopes.includes(method.scope))
    return no('missing_scope', { needed: method.scope, provided: scopes.join(',') });
  const headers: Record<string, string> = scopes ? { 'x-oauth-scopes': scopes.join(',') } : {};
  return { status: 200, body: method.run({ state: world.state, fields }), headers };
}

function webhook(world: World, request: IncomingMessage, path: string, text: string): Answer {
  const { webhook: hook, state } = world;
  if (!hook || path !== hook.path) return { status: 404, body: 'no_service' };
  if (request.method !== 'POST') return { status: 400, body: 'invalid_payload' };
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const fields = parsed(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text);
  if (!fields) return { status: 400, body: 'invalid_payload' };
  const channel = state.channel(hook.channel, { byName: true });
  if (!channel) return { status: 404, body: 'channel_not_found' };
  if (channel.isArchived) return { status: 410, body: 'channel_is_archived' };
  const content = contentOf(fields);
  if (typeof content === 'string') return { status: 400, body: content };
  state.post({ ...content, channel: channel.id, via: 'webhook' });
  return { status: 200, body: 'ok' };
}

function answerOfFault(fault: Fault, method: string): Answer | undefined {
  switch (fault.kind) {
    case 'ratelimited': {
      const headers = { 'retry-after': String(fault.retryAfter ?? 1) };
      const body = method === 'webhook' ? 'rate_limited' : { ok: false, error: 'ratelimited' };
      return { status: 429, body, headers };
    }
    case 'unavailable':
      return { status: 503, body: 'Service Unavailable' };
    case 'not-json':
      return { status: 200, body: '<html><body>Sign in to this network</body></html>' };
    case 'error': {
      const error = fault.error ?? 'internal_error';
      return method === 'webhook'
        ? { status: 500, body: error }
        : { status: 200, body: { ok: false, error } };
    }
    default:
      return undefined;
  }
}

function control({ state, faults }: World, method: string | undefined, path: string, text: string): Answer {
  const asked = `${method} ${path.slice('/_sandbox/'.length)}`;
  if (asked === 'GET messages') return { status: 200, body: { items: state.messages } };
  if (asked === 'GET requests') return { status: 200, body: { items: state.requests } };
  if (asked === 'GET state')
    return { status: 200, body: { channels: state.channels, faults: faults.list() } };
  if (asked === 'DELETE faults') {
    faults.clear();
    return { status: 200, body: {} };
  }
  if (asked !== 'POST faults') return { status: 404, body: { message: 'messages, requests, state, faults' } };
  try {
    faults.add((parsed(text) ?? {}) as unknown as Fault);
    return { status: 200, body: {} };
  } catch (error) {
    return { status: 422, body: { message: error instanceof Error ? error.message : String(error) } };
  }
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

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html' : 'application/json; charset=utf-8';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(isText ? body : JSON.stringify(body));
}
