/** What every route that writes takes from a request: who asks, and under which key. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from './errors.js';
import { uniqueFor } from './ids.js';

/** @throws ApiError where nobody is known */
export const actorOf = ({ person }: FastifyRequest): string => {
  if (person.login) return person.login;
  throw new ApiError('UNAUTHENTICATED', 'Send a GitHub token: Authorization: Bearer …');
};

export function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}

/** Of the request's key, scoped by actor and route; random without one. */
export function uniqueOf(request: FastifyRequest): string {
  const route = `${request.method} ${request.url.split('?')[0]}`;
  return uniqueFor({ actor: actorOf(request), route, key: keyOf(request) });
}

/** A body that may be left out is an empty one. */
export async function emptyBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}
