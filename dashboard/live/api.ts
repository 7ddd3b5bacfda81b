/** The API's client: JSON over fetch, errors as the API words them. */
import { entryOf } from '../model/codes.js';

/** What went wrong, in plain words. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  /** What can be done about it. */
  readonly actions: readonly string[];

  /** Nothing is wrong with what was asked. */
  get isOutage(): boolean {
    return this.status === 0 || this.status >= 500;
  }

  /** Beside the words. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.details = details;
    this.actions = entryOf(code)?.actions ?? [];
  }
}

/** Longer than any deadline that the API itself has. */
const WITHIN_MS = 30_000;

export interface Asked {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: object;
  /** The same again is the same request. */
  key?: string;
  csrf?: string;
  signal?: AbortSignal;
}

/** @throws Problem, also where nothing answers */
export async function ask<T>(
  path: string,
  { method = 'GET', body, key, csrf, signal }: Asked = {},
): Promise<T> {
  const limit = AbortSignal.timeout(WITHIN_MS);
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(key ? { 'idempotency-key': key } : {}),
      ...(csrf ? { 'x-csrf-token': csrf } : {}),
    },
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    ...(body ? { body: JSON.stringify(body) } : {}),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Problem(
      0,
      'UNREACHABLE',
      'Sluice does not answer. What you asked may have arrived: sending it again is safe',
    );
  });
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text);
  return (text ? JSON.parse(text) : undefined) as T;
}

function problemOf(status: number, text: string): Problem {
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; details?: Record<string, unknown> };
    };
    return new Problem(status, error.code, error.message, error.details);
  } catch {
    return new Problem(status, 'UNREADABLE', `Sluice answered ${status}, and nothing that can be read`);
  }
}

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem(0, 'UNREADABLE', error instanceof Error ? error.message : String(error));
