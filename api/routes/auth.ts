/** A browser signs in with GitHub, and out. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Code } from '../../domain/codes.js';
import type { Context } from '../context.js';
import { ApiError, notFound } from '../errors.js';
import { errors } from '../schemas/common.js';
import { assertOwnPage, FLOW_SECONDS, loginOf, ownPath } from '../sign-in.js';

const TO_COOKIE = 'sluice-to';
const NOT_HERE =
  'Nobody signs in here with a browser: set GITHUB_OAUTH_CLIENT_ID, GITHUB_OAUTH_CLIENT_SECRET and SESSION_SECRET';

const hidden = { schema: { hide: true } };
/** The request's own log would show the code and the state of the callback's address. */
const unlogged = { ...hidden, logLevel: 'warn' } as const;

const signOut = {
  ...{ operationId: 'signOut', summary: 'Forget who signed in with this browser', tags: ['people'] },
  response: { 204: Type.Null(), ...errors },
};

const notHere = (): never => {
  throw notFound(NOT_HERE);
};

export const authRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    if (!context.signIn) {
      app.get('/auth/login', hidden, notHere);
      app.get('/auth/callback', unlogged, notHere);
      app.post('/auth/logout', { schema: signOut }, notHere);
      return;
    }
    const toCookie = { path: '/auth', httpOnly: true, sameSite: 'lax', secure: isSecure(context) } as const;

    app.get('/auth/login', hidden, async (request, reply) => {
      const to = ownPath((request.query as { to?: unknown }).to);
      if (loginOf(request) !== undefined) return reply.redirect(to);
      void reply.setCookie(TO_COOKIE, to, { ...toCookie, maxAge: FLOW_SECONDS });
      return reply.redirect(await app.github.generateAuthorizationUri(request, reply));
    });

    app.get('/auth/callback', unlogged, async (request, reply) => {
      const to = ownPath(request.cookies[TO_COOKIE]);
      try {
        const login = await signIn(context, request, reply);
        void reply.clearCookie(TO_COOKIE, toCookie);
        request.session.regenerate();
        request.session.set('login', login);
        reply.generateCsrf();
        app.log.info({ login, reqId: request.id }, 'signed in');
        return await reply.redirect(to);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return page(reply, error, to);
      }
    });

    app.post('/auth/logout', { schema: signOut }, async (request, reply) => {
      if (loginOf(request) !== undefined) {
        await assertOwnPage(request, context.links.publicUrl);
        request.session.delete();
      }
      return reply.code(204).send(null);
    });
  };

const isSecure = ({ links }: Context): boolean => links.publicUrl.startsWith('https:');

/**
 * @returns the login of who came back from GitHub; their token is forgotten with this
 * @throws ApiError `UNAUTHENTICATED`, `GITHUB_DOWN`, `INTERNAL`
 */
async function signIn(context: Context, request: FastifyRequest, reply: FastifyReply): Promise<string> {
  const { error, code } = request.query as { error?: unknown; code?: unknown };
  if (error !== undefined) throw refused(error);
  if (typeof code !== 'string' || code === '') throw expired();
  const identity = await context.identities.identify(await tokenOf(request, reply));
  switch (identity.kind) {
    case 'known':
      return identity.login;
    case 'unauthenticated':
      throw new ApiError('UNAUTHENTICATED', identity.message);
    case 'github-down':
      throw new ApiError('GITHUB_DOWN', identity.message);
    case 'misconfigured':
      throw misconfigured(request, identity.message);
  }
}

async function tokenOf(request: FastifyRequest, reply: FastifyReply): Promise<string> {
  let answer: unknown;
  try {
    answer = (await request.server.github.getAccessTokenFromAuthorizationCodeFlow(request, reply)).token;
  } catch (error) {
    if (error instanceof Error && error.message === 'Invalid state') throw expired();
    // Its words may repeat what was sent (rule 7).
    throw new ApiError('GITHUB_DOWN', 'GitHub does not answer');
  }
  const { access_token: token, error } = answer as { access_token?: unknown; error?: unknown };
  if (typeof token === 'string') return token;
  if (error === 'bad_verification_code') throw expired();
  throw misconfigured(
    request,
    `GitHub answers ${String(error)}: are GITHUB_OAUTH_CLIENT_ID and _SECRET right?`,
  );
}

const expired = (): ApiError =>
  new ApiError('UNAUTHENTICATED', 'This sign-in was begun elsewhere, or too long ago: begin again');

/** GitHub's own words for it, as far as they are a word. */
function refused(error: unknown): ApiError {
  const word = typeof error === 'string' && /^[a-z_]{1,60}$/.test(error) ? error : 'an error';
  const why =
    word === 'access_denied' ? 'You did not let Sluice know who you are' : `GitHub answers with ${word}`;
  return new ApiError('UNAUTHENTICATED', `${why}: begin again`);
}

/** Who asks cannot mend it; who runs Sluice reads what to do. */
function misconfigured(request: FastifyRequest, problem: string): ApiError {
  request.log.error({ problem }, 'browser sign-in is misconfigured');
  return new ApiError(
    'INTERNAL',
    `Sluice cannot ask GitHub who you are; the log says why, under ${request.id}`,
  );
}

/** For a person in a browser, who would not read JSON. */
function page(reply: FastifyReply, { status, code, message }: ApiError, to: string): FastifyReply {
  const words = escaped(message);
  const again = `/auth/login?to=${encodeURIComponent(to)}`;
  const title: Code = code;
  return reply.code(status).type('text/html; charset=utf-8').send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Not signed in – Sluice</title></head>
<body><main><h1>Not signed in</h1><p>${words}.</p><p><a href="${again}">Sign in with GitHub</a> ·
<a href="/">Back to Sluice</a></p><p><small>${title}</small></p></main></body></html>
`);
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
