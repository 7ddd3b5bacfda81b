/** What the dashboard has to know of the configuration; it stays the same while the API runs. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Context } from '../context.js';
import { closed, errors } from '../schemas/common.js';

const text = Type.String();

const Settings = Type.Object(
  {
    release: Type.String({ description: 'Sluice’s own' }),
    repositoryUrl: Type.Optional(Type.String({ description: 'Its page at GitHub' })),
    apps: Type.Array(
      Type.Object(
        {
          app: text,
          environments: Type.Array(text),
          releaseOnly: Type.Boolean(),
          promotion: Type.Boolean({ description: 'It has a promotion queue' }),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: 'Settings' },
);

export const settingsRoutes =
  ({ config, guards, release, repositoryUrl }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/settings',
      {
        onRequest: guards.read,
        schema: {
          ...{ operationId: 'getSettings', summary: 'The apps that are configured', tags: ['apps'] },
          response: { 200: Settings, ...errors },
        },
      },
      async () => ({
        release,
        ...(repositoryUrl ? { repositoryUrl } : {}),
        apps: Object.entries(config.apps).map(([name, { environments, releaseOnly, promotion }]) => ({
          app: name,
          environments: Object.keys(environments),
          releaseOnly,
          promotion: promotion !== undefined,
        })),
      }),
    );
  };
