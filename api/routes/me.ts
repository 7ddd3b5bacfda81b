/** Who Sluice takes the asker for. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Context } from '../context.js';
import { closed, errors } from '../schemas/common.js';

const Me = Type.Object({ login: Type.String(), maintainer: Type.Boolean() }, closed);

export const meRoutes =
  ({ guards }: Context): FastifyPluginAsyncTypebox =>
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
      async ({ person }) => ({ login: person.login ?? '', maintainer: person.maintainer }),
    );
  };
