/** Who asks, and what they may: rule 11, and `access.read`. Never open by default. */
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { GitHubDown, Identities, Misconfigured } from '../clients/identity.js';
import type { Config } from '../domain/config/config.js';
import { CODES } from '../domain/codes.js';
import { EMERGENCY } from '../domain/emergency.js';
import { ApiError } from './errors.js';
import { assertOwnPage, loginOf } from './sign-in.js';

/** Taken from the token or the session's cookie alone: nothing in a body says who somebody is. */
export interface Person {
  /** GitHub login; absent where nobody has to say who they are and nobody did. */
  login?: string;
  maintainer: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    person: Person;
  }
}

export interface Guards {
  /** `access.read` decides. */
  read: onRequestAsyncHookHandler;
  /** Maintainers only. */
  write: onRequestAsyncHookHandler;
  /** Everybody who can say who they are. */
  signedIn: onRequestAsyncHookHandler;
}

interface Guarding {
  config: Config;
  identities: Identities;
  /** Browsers can sign in. */
  hasSignIn: boolean;
  /** Without a slash at its end; may be empty. */
  publicUrl: string;
}

export function createGuards(of: Guarding): Guards {
  const { read } = of.config.access;
  const check =
    (needs: Config['access']['read']): onRequestAsyncHookHandler =>
    async (request) => {
      request.person = await personOf({ ...of, request, needs });
    };
  return { read: check(read), write: check('maintainers'), signedIn: check('signed-in') };
}

interface Asking extends Guarding {
  request: FastifyRequest;
  needs: Config['access']['read'];
}

async function personOf(of: Asking): Promise<Person> {
  const { request, identities, needs } = of;
  const token = bearerOf(request);
  if (token === undefined) {
    const login = loginOf(request);
    if (login !== undefined) return await signedIn(of, login);
    if (needs === 'public') return { maintainer: false };
    throw stranger(of);
  }
  const identity = await identities.identify(token);
  if (identity.kind === 'unauthenticated') throw new ApiError('UNAUTHENTICATED', identity.message);
  if (identity.kind !== 'known') {
    if (needs === 'public') return { maintainer: false };
    throw unknowable(request, identity);
  }
  if (identity.login === EMERGENCY) return inEmergency(request);
  return await member(of, identity.login);
}

/** Of a browser: as anybody who is known, once it is sure that they themselves ask. */
async function signedIn(of: Asking, login: string): Promise<Person> {
  const { request, publicUrl } = of;
  if (!['GET', 'HEAD'].includes(request.method)) await assertOwnPage(request, publicUrl);
  return await member(of, login);
}

async function member({ request, identities, needs }: Asking, login: string): Promise<Person> {
  const membership = await identities.isMaintainer(login);
  if (membership.kind === 'member') return { login, maintainer: true };
  if (needs !== 'maintainers') return { login, maintainer: false };
  if (membership.kind === 'not-a-member') throw outsider(login);
  throw unknowable(request, membership);
}

/** A page that is told so shows where to sign in. */
function stranger({ hasSignIn }: Asking): ApiError {
  const browser = hasSignIn ? ', or sign in at /auth/login' : '';
  return new ApiError('UNAUTHENTICATED', `Send a GitHub token: Authorization: Bearer …${browser}`, {
    signIn: hasSignIn,
  });
}

/** Every use is told: here who runs Sluice, and by a warning on what is asked for everyone else. */
function inEmergency(request: FastifyRequest): Person {
  const { method, routeOptions, ip } = request;
  request.log.warn({ method, route: routeOptions.url, ip }, 'EMERGENCY: SLUICE_EMERGENCY_TOKEN was used');
  return { login: EMERGENCY, maintainer: true };
}

function bearerOf(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  const token = /^Bearer +([\x21-\x7e]{1,1000})$/i.exec(authorization)?.[1];
  if (token) return token;
  throw new ApiError('UNAUTHENTICATED', 'The Authorization header must be: Bearer, a space, a GitHub token');
}

const outsider = (login: string): ApiError =>
  new ApiError(
    'NOT_A_MAINTAINER',
    `${login}: ${CODES.NOT_A_MAINTAINER.text}; ${CODES.NOT_A_MAINTAINER.actions.join(', ')}`,
  );

/** Who asks is told of GitHub's outage; Sluice's own wrong settings are for who runs it. */
function unknowable(request: FastifyRequest, trouble: GitHubDown | Misconfigured): ApiError {
  if (trouble.kind === 'github-down') return new ApiError('GITHUB_DOWN', trouble.message);
  request.log.error({ problem: trouble.message }, 'identities are misconfigured');
  return new ApiError(
    'INTERNAL',
    `Sluice cannot ask GitHub who you are; the log says why, under ${request.id}`,
  );
}
