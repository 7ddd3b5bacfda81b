/** The HTTP API as the commands use it. Every write carries a key, so sending it again is safe. */
import { randomUUID } from 'node:crypto';
import type { Code } from '../domain/codes.js';
import { isCode } from '../domain/codes.js';
import type { Plan } from '../domain/plan.js';
import type { Promotion } from '../domain/promotion/promotion.js';
import type { Release } from '../domain/release/release.js';
import type { DeploymentView } from '../domain/view.js';
import type { PromotionSummary } from '../domain/promotion/view.js';
import type { LaneView } from '../domain/messages.js';
import type { Warning } from '../domain/deployment.js';
import { serverEvents } from './sse.js';

export interface AppView {
  app: string;
  environment: string;
  release?: string;
  tag?: string;
  revision?: string;
  desired?: number;
  running?: number;
  pending?: number;
  lane: Pick<LaneView, 'lock' | 'running' | 'waiting' | 'waitingCount'>;
  /** Of an app that is promoted. */
  promotion?: PromotionSummary;
  warnings: Warning[];
  links: Record<string, string>;
}

export type ShownDeployment = DeploymentView & { links?: Record<string, string> };

export type ShownRelease = Release & { links?: Record<string, string> };

export type ShownPlan = Plan & { tests?: Promotion['tests'] };

export interface Accepted {
  id: string;
  url: string;
  position: number;
}

/** An answer of the API that is none of success. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly status: number,
    readonly code: Code | undefined,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export interface ClientOptions {
  /** Without a slash at its end. */
  url: string;
  token?: string;
  /** Told before each further attempt. */
  onAgain?: (why: string) => void;
  /** Waits before each further attempt, in milliseconds. */
  backoffMs?: readonly number[];
  /** A stream that is silent for longer is opened again; the API comments every 10 s. */
  silentMs?: number;
}

const BACKOFF_MS = [500, 1_000, 2_000, 4_000] as const;
const SILENT_MS = 30_000;
/** The API's own deadlines are far below. */
const ANSWER_MS = 20_000;

export interface Client {
  get<T>(path: string): Promise<T>;
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body: object): Promise<T>;
  /** Each state of a deployment, until it has ended; comes back after interruptions. */
  follow(id: string, signal: AbortSignal): AsyncGenerator<ShownDeployment>;
}

export function createClient(options: ClientOptions): Client {
  const { backoffMs = BACKOFF_MS } = options;
  const persist = async <T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    for (const wait of backoffMs) {
      try {
        return await attempt();
      } catch (error) {
        if (!isPassing(error) || signal?.aborted) throw error;
        options.onAgain?.(`${(error as Error).message.replace(/\.$/, '')}.`);
        await sleep(wait);
      }
    }
    return attempt();
  };
  return {
    get: (path) => persist(() => ask(options, path, { method: 'GET' })),
    send: (method, path, body) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      return persist(() => ask(options, path, { method, headers, body: JSON.stringify(body) }));
    },
    follow: (id, signal) => follow({ options, id, signal, persist }),
  };
}

const isPassing = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof Problem && error.status === 503);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function ask<T>(options: ClientOptions, path: string, init: RequestInit): Promise<T> {
  const response = await reach(options, path, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  return (await readJson(response, options)) as T;
}

async function readJson(response: Response, { url }: ClientOptions): Promise<unknown> {
  if (!response.headers.get('content-type')?.includes('json')) {
    throw new Problem(502, undefined, `What answers at ${url} is not Sluice: check SLUICE_URL`);
  }
  try {
    return await response.json();
  } catch {
    throw new Unreachable(`The answer of ${url} was cut off`);
  }
}

async function reach(options: ClientOptions, path: string, init: RequestInit): Promise<Response> {
  const { url, token } = options;
  try {
    return await fetch(`${url}${path}`, {
      ...init,
      // A redirect could carry the token elsewhere.
      redirect: 'error',
      headers: { ...init.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    });
  } catch (error) {
    throw new Unreachable(`Cannot reach Sluice at ${url} (${reasonOf(error)}). ${HELP}`);
  }
}

const HELP = 'Is it running (npm run api)? Set SLUICE_URL to where it is.';

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'no such host';
  return code || (cause instanceof Error ? cause.message : error.message);
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => undefined)) as
    { error?: { code?: unknown; message?: unknown; details?: Record<string, unknown> } } | undefined;
  const { code, message, details } = body?.error ?? {};
  return new Problem(
    response.status,
    isCode(code) ? code : undefined,
    typeof message === 'string' ? message : `Sluice answers ${response.status}`,
    details,
  );
}

async function* follow(of: {
  options: ClientOptions;
  id: string;
  signal: AbortSignal;
  persist: <T>(attempt: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}): AsyncGenerator<ShownDeployment> {
  const { options, id, signal, persist } = of;
  while (!signal.aborted) {
    const silence = new AbortController();
    const both = AbortSignal.any([signal, silence.signal]);
    try {
      const response = await persist(() => open(options, id, both), signal);
      for await (const event of serverEvents(audible(response, silence, options.silentMs ?? SILENT_MS))) {
        if (event.event === 'end') return;
        if (event.event === 'deployment') yield JSON.parse(event.data) as ShownDeployment;
      }
      options.onAgain?.('The stream was interrupted.');
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem || error instanceof Unreachable) throw error;
      options.onAgain?.('The stream was interrupted.');
    }
    await sleep(options.backoffMs?.[0] ?? BACKOFF_MS[0]);
  }
}

async function open(options: ClientOptions, id: string, signal: AbortSignal): Promise<Response> {
  const response = await reach(options, `/api/deployments/${encodeURIComponent(id)}/stream`, { signal });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Ends a stream from which nothing has come for too long: its connection may be gone unnoticed. */
async function* audible(
  response: Response,
  silence: AbortController,
  ms: number,
): AsyncGenerator<Uint8Array> {
  if (!response.body) return;
  const timer = setTimeout(() => silence.abort(), ms);
  try {
    for await (const chunk of response.body) {
      timer.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}
