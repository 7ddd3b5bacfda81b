/** One delivery over HTTP, signed as GitHub signs it. */
import { createHmac } from 'node:crypto';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

/** GitHub gives up then. */
const LONGEST_MS = 10_000;
const LONGEST_BODY = 10_000;

export interface Outgoing {
  url: string;
  /** Absent: it is not signed. */
  secret?: string;
  hookId: number;
  repositoryId: number;
  event: string;
  guid: string;
  /** The very text that is sent and signed. */
  body: string;
}

export interface Answered {
  /** In GitHub's words: `OK`. */
  status: string;
  statusCode: number;
  headers: Record<string, string>;
  payload: string;
}

export const UNREACHED: Answered = {
  status: 'failed to connect to host',
  statusCode: 502,
  headers: {},
  payload: '',
};

const signature = (name: 'sha1' | 'sha256', secret: string, body: string): string =>
  `${name}=${createHmac(name, secret).update(body).digest('hex')}`;

export function headersOf(out: Outgoing): Record<string, string> {
  const { secret, body } = out;
  return {
    accept: '*/*',
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/5a9d0b1',
    'x-github-delivery': out.guid,
    'x-github-event': out.event,
    'x-github-hook-id': String(out.hookId),
    'x-github-hook-installation-target-id': String(out.repositoryId),
    'x-github-hook-installation-target-type': 'repository',
    ...(secret
      ? {
          'x-hub-signature': signature('sha1', secret, body),
          'x-hub-signature-256': signature('sha256', secret, body),
        }
      : {}),
  };
}

/** Never throws: what went wrong is the answer. Sent once, over a connection of its own. */
export async function send(out: Outgoing, signal: AbortSignal): Promise<Answered> {
  const timeout = AbortSignal.timeout(LONGEST_MS);
  try {
    const response = await post(out, AbortSignal.any([signal, timeout]));
    const statusCode = response.statusCode ?? 0;
    const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
    const isGood = statusCode >= 200 && statusCode < 300;
    return {
      status: isGood ? 'OK' : `Invalid HTTP Response: ${statusCode}`,
      statusCode,
      headers: Object.fromEntries(headers) as Record<string, string>,
      payload: (await text(response)).slice(0, LONGEST_BODY),
    };
  } catch {
    return timeout.aborted ? { ...UNREACHED, status: 'timed out', statusCode: 504 } : UNREACHED;
  }
}

/** A connection that is kept may be closed by the other side just as one sends: nobody would know what arrived. */
function post(out: Outgoing, signal: AbortSignal): Promise<IncomingMessage> {
  const { request } = out.url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const body = Buffer.from(out.body);
    const headers = { ...headersOf(out), 'content-length': body.length };
    request(out.url, { method: 'POST', agent: false, headers, signal })
      .once('response', resolve)
      .once('error', reject)
      .end(body);
  });
}
