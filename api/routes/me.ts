/** Who Sluice takes the asker for. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Context } from '../context.js';
import { closed, errors } from '../schemas/common.js';
import { loginOf } from '../sign-in.js';

const Me = Type.Object(
  {
    login: Type.String(),
    maintainer: Type.Boolean(),
    signIn: Type.Optional(Type.Boolean({ description: 'Browsers can sign in with GitHub, at /auth/login' })),
    csrf: Type.Optional(
      Type.String({ description: 'For who signed in with a browser: the x-csrf-token of their writes' }),
    ),
  },
  closed,
);

export const meRoutes =
  ({ guards, signIn }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/me',
      {
        onRequest: guards.signedIn,
        schema: {
          ...{ operationId: 'me', summary: 'Who asks', tags: ['people'] },
          response: { 200: Me, ...errors },
        },
      },
      async (request, reply) => {
        const { login = '', maintainer } = request.person;
        const isBrowser = request.headers.authorization === undefined && loginOf(request) === login;
        return {
          ...{ login, maintainer },
          ...(signIn ? { signIn: true } : {}),
          ...(isBrowser ? { csrf: reply.generateCsrf() } : {}),
        };
      },
    );
  };
