/** Browser sign-in with GitHub: its settings, and the cookie that keeps the login and never the token. */
import { hkdfSync } from 'node:crypto';
import csrf from '@fastify/csrf-protection';
import oauth2 from '@fastify/oauth2';
import type { OAuth2Namespace } from '@fastify/oauth2';
import session from '@fastify/secure-session';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ConfigError } from '../clients/config.js';
import { githubServerUrl } from '../clients/github.js';
import type { OAuthApp } from '../clients/oauth-app.js';
import { ApiError } from './errors.js';

export interface SignIn extends OAuthApp {
  /** `SESSION_SECRET` */
  sessionSecret: string;
  /** `GITHUB_SERVER_URL`, where people sign in. */
  serverUrl: string;
}

declare module '@fastify/secure-session' {
  interface SessionData {
    /** GitHub login. */
    login: string;
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    github: OAuth2Namespace;
  }
}

const NAMES = ['GITHUB_OAUTH_CLIENT_ID', 'GITHUB_OAUTH_CLIENT_SECRET', 'SESSION_SECRET'] as const;
const SECRET_CHARS = 32;
export const CALLBACK_PATH = '/auth/callback';
/** From the sign-in on, whatever is done in between. */
export const SESSION_SECONDS = 12 * 3_600;
/** To sign in at GitHub, a second factor included. */
export const FLOW_SECONDS = 15 * 60;
const GITHUB_MS = 5_000;

/**
 * @returns undefined where nothing of it is set: no browser sign-in
 * @throws ConfigError that says what to set
 */
export function signInOf(env: NodeJS.ProcessEnv): SignIn | undefined {
  const missing = NAMES.filter((name) => !env[name]);
  if (missing.length === NAMES.length) return undefined;
  if (missing.length > 0) {
    const set = NAMES.filter((name) => env[name]);
    throw new ConfigError(
      `${set.join(' and ')} ${set.length > 1 ? 'are' : 'is'} set, but not ${missing.join(' and ')}: ` +
        'browser sign-in needs all three. Set them all, or none.',
    );
  }
  const [clientId = '', clientSecret = '', sessionSecret = ''] = NAMES.map((name) => env[name]);
  if (sessionSecret.length < SECRET_CHARS) {
    throw new ConfigError(
      `SESSION_SECRET must have at least ${SECRET_CHARS} characters that nobody can guess: openssl rand -base64 32`,
    );
  }
  return { clientId, clientSecret, sessionSecret, serverUrl: githubServerUrl(env['GITHUB_SERVER_URL']) };
}

/** Cookies, sessions, protection against forged requests, and the flow at GitHub. */
export async function addSignIn(app: FastifyInstance, of: SignIn & { publicUrl: string }): Promise<void> {
  const { clientId, clientSecret, serverUrl, publicUrl } = of;
  const secure = publicUrl.startsWith('https:');
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
  await app.register(session, {
    // The plugin would stretch a password with 256 MB of memory; this secret is none.
    key: Buffer.from(hkdfSync('sha256', of.sessionSecret, '', 'sluice session', 32)),
    // With this prefix browsers take it from this very host only.
    cookieName: secure ? '__Host-sluice' : 'sluice',
    cookie: { ...cookie, maxAge: SESSION_SECONDS },
    expiry: SESSION_SECONDS,
  });
  await app.register(csrf, {
    sessionPlugin: '@fastify/secure-session',
    getToken: ({ headers }) => textOf(headers['x-csrf-token']),
  });
  await app.register(oauth2, {
    name: 'github',
    // Who they are is all that is asked.
    scope: [],
    credentials: {
      client: { id: clientId, secret: clientSecret },
      auth: {
        authorizeHost: serverUrl,
        authorizePath: '/login/oauth/authorize',
        tokenHost: serverUrl,
        tokenPath: '/login/oauth/access_token',
      },
      options: { authorizationMethod: 'body' },
      http: { timeout: GITHUB_MS },
    },
    callbackUri: (request) => `${publicUrl || ownUrl(request)}${CALLBACK_PATH}`,
    cookie: { ...cookie, maxAge: FLOW_SECONDS },
    hostPrefixedCookies: secure,
    pkce: 'S256',
    userAgent: 'sluice',
  });
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

const ownUrl = ({ protocol, host }: FastifyRequest): string => `${protocol}://${host}`;

/** @returns the login of who signed in here; undefined without one */
export const loginOf = (request: FastifyRequest): string | undefined => {
  // Absent where there is no browser sign-in.
  const login: unknown = (request.session as typeof request.session | undefined)?.get('login');
  return typeof login === 'string' ? login : undefined;
};

/**
 * A browser sends the cookie with whatever page makes it ask: a write that comes with it must come from ours.
 * @throws ApiError `FORGED`
 */
export async function assertOwnPage(request: FastifyRequest, publicUrl: string): Promise<void> {
  const { origin } = request.headers;
  if (origin !== undefined && !isOwn(origin, request, publicUrl)) {
    const where = publicUrl ? `: open Sluice at ${publicUrl}` : '';
    throw new ApiError('FORGED', `This request was made by a page of ${origin.slice(0, 200)}${where}`);
  }
  await new Promise<void>((resolve, reject) => {
    const refuse = (): void =>
      reject(
        new ApiError(
          'FORGED',
          'Send the csrf of GET /api/me in the header x-csrf-token: load the page again',
        ),
      );
    // It answers by itself, and not in our form.
    request.server.csrfProtection(request, { send: refuse } as unknown as FastifyReply, resolve);
  });
}

function isOwn(origin: string, { host }: FastifyRequest, publicUrl: string): boolean {
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  return publicUrl ? from.origin === new URL(publicUrl).origin : from.host === host;
}

/** Where to go after the sign-in: a path of our own, never another place. */
export function ownPath(to: unknown): string {
  if (typeof to !== 'string' || to.length > 1_000 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(to)) return '/';
  const { origin, pathname, search, hash } = new URL(to, 'http://own');
  if (origin !== 'http://own' || pathname.startsWith('//') || pathname.startsWith('/auth/')) return '/';
  return `${pathname}${search}${hash}`;
}
