/** What is sent with a request: JSON, or a browser's form. */
import type { IncomingMessage } from 'node:http';

export const NOT_JSON = Symbol('not JSON');

/** @returns undefined where nothing was sent; a form's fields by name; `NOT_JSON` for anything else */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return undefined;
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
    return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return NOT_JSON;
  }
}
