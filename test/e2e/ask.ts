/** What people ask of an API over HTTP, and what comes back as it came. */
import { PEOPLE } from '../../sandbox/settings.js';

export type Person = keyof typeof PEOPLE;

export interface Asked {
  body?: object;
  /** `null`: without a token. */
  as?: Person | null;
  /** `Idempotency-Key` */
  key?: string;
  /** Instead of the stack's API. */
  at?: string;
}

export interface Answer {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- looked at as it comes
  body: any;
  text: string;
  /** How long it took. */
  ms: number;
}

export type Ask = (method: string, path: string, asked?: Asked) => Promise<Answer>;

/** @param answers gets every body that was answered, as text */
export const askAt =
  (apiUrl: string, answers: string[] = []): Ask =>
  async (method, path, { body, as = 'alice', key, at = apiUrl } = {}) => {
    const began = performance.now();
    const response = await fetch(`${at}${path}`, {
      method,
      headers: {
        ...(as ? { authorization: `Bearer ${PEOPLE[as].token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(key ? { 'idempotency-key': key } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    answers.push(text);
    const isJson = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : text,
      text,
      ms: performance.now() - began,
    };
  };
