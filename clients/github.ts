/**
 * GitHub's REST API through Octokit. It sends once: no retry and no throttling plugin, Temporal tries again.
 * What went wrong comes out as `GitHubTrouble`, never as Octokit's error: that one holds the request.
 */
import { RequestError } from '@octokit/request-error';
import { Octokit } from '@octokit/rest';

export interface GitHubOptions {
  /** A function: asked before every request, because an App's tokens end within the hour. */
  token?: string | (() => Promise<string | undefined>);
  /** `GITHUB_API_URL`, else https://api.github.com. */
  baseUrl?: string;
  /** Of one request, its body included. */
  timeoutMs?: number;
}

const silent = () => undefined;

export const githubUrl = (baseUrl = process.env['GITHUB_API_URL']): string =>
  (baseUrl || 'https://api.github.com').replace(/\/+$/, '');

/** Where people look: `GITHUB_SERVER_URL`, else https://github.com. */
export const githubServerUrl = (url = process.env['GITHUB_SERVER_URL']): string =>
  (url || 'https://github.com').replace(/\/+$/, '');

export function createGitHub({ token, baseUrl, timeoutMs = 5_000 }: GitHubOptions): Octokit {
  const octokit = new Octokit({
    ...(typeof token === 'string' ? { auth: token } : {}),
    baseUrl: githubUrl(baseUrl),
    userAgent: 'sluice',
    log: { debug: silent, info: silent, warn: silent, error: silent },
    request: {
      fetch: (url: string, init: RequestInit) =>
        fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) }),
    },
  });
  if (typeof token === 'function') {
    octokit.hook.before('request', async (options) => {
      const current = await token();
      if (current !== undefined) options.headers.authorization = `token ${current}`;
    });
  }
  return octokit;
}

/**
 * Sluice's own credentials are why a request was not sent. Not GitHub's answer to that request: its status must
 * not be taken for one (a 404 here is no missing release).
 */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';

  constructor(readonly trouble: GitHubTrouble) {
    super(trouble.message);
  }
}

/** Whether a text can be sent as a token at all: `fetch` repeats any other in its error. */
export const isToken = (text: string): boolean => /^[\x21-\x7e]{1,1024}$/.test(text);

/**
 * `down`: network, 5xx, rate limit, or an answer that is not GitHub's; `afterMs` where GitHub says when to ask
 * again. `refused`: GitHub answered, with this status.
 */
export type GitHubTrouble =
  { kind: 'down'; message: string; afterMs?: number } | { kind: 'refused'; status: number; message: string };

/** GitHub's advice for a secondary limit without `retry-after`. */
const SECONDARY_MS = 60_000;

/** @param now epoch milliseconds, to turn `x-ratelimit-reset` into a delay */
export function troubleOf(error: unknown, now: number): GitHubTrouble {
  if (error instanceof CredentialsError) return error.trouble;
  if (!(error instanceof RequestError) || !error.response) {
    return { kind: 'down', message: `GitHub cannot be reached (${networkCode(error)})` };
  }
  const { status } = error;
  const limit = status === 403 || status === 429 ? rateLimit(error, now) : undefined;
  if (limit) return limit;
  if (status >= 500 || status === 408) {
    const afterMs = secondsOf(error.response.headers['retry-after']);
    return {
      kind: 'down',
      message: `GitHub answers ${status}`,
      ...(afterMs === undefined ? {} : { afterMs }),
    };
  }
  return { kind: 'refused', status, message: `GitHub answers ${status}` };
}

function rateLimit(error: RequestError, now: number): GitHubTrouble | undefined {
  const headers = error.response?.headers ?? {};
  const retryAfterMs = secondsOf(headers['retry-after']);
  if (retryAfterMs !== undefined || /secondary rate limit|abuse detection/i.test(error.message)) {
    const afterMs = Math.max(retryAfterMs ?? 0, SECONDARY_MS);
    return { kind: 'down', message: 'GitHub’s secondary rate limit is reached', afterMs };
  }
  if (String(headers['x-ratelimit-remaining']) !== '0' && error.status !== 429) return undefined;
  const reset = Number(headers['x-ratelimit-reset']);
  // A second more: the reset is in whole seconds, and clocks differ.
  const afterMs = reset > 0 ? Math.max(reset * 1_000 - now, 0) + 1_000 : SECONDARY_MS;
  return { kind: 'down', message: 'GitHub’s rate limit is reached', afterMs };
}

function secondsOf(header: unknown): number | undefined {
  const seconds = Number.parseInt(String(header), 10);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

/** A code or the error's name, never its message: that may repeat what was sent (rule 7). */
function networkCode(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, name } = cause as NodeJS.ErrnoException;
    if (typeof code === 'string' && /^[A-Z0-9_]+$/.test(code)) return code;
    if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time';
  }
  return 'network error';
}
