/** Images of a commit, without a deployment. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { withoutOutput } from '../../domain/build.js';
import { parseBuildId } from '../../domain/ids.js';
import { assertApp } from '../checks.js';
import type { Context } from '../context.js';
import { notFound } from '../errors.js';
import { actorOf, keyOf, uniqueOf } from '../requests.js';
import * as schemas from '../schemas/builds.js';
import { errors, idempotent } from '../schemas/common.js';
import { readBuild, requestBuild, wasBuildAsked } from '../temporal/builds.js';
import { keptWords } from '../temporal/reads.js';

const tags = ['builds'];

export const buildsRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { guards, config, temporal } = context;

    app.post(
      '/api/builds',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'build', summary: 'Build and push the images of a commit', tags },
          description: 'One build for a commit, whoever asks; images that are there already are kept.',
          headers: idempotent,
          body: schemas.NewBuild,
          response: { 202: schemas.AcceptedBuild, ...errors },
        },
      },
      async (request, reply) => {
        const { body } = request;
        assertApp(config, body.app);
        const id = `${body.app}.${body.commit}`;
        const wanted = { by: actorOf(request), key: uniqueOf(request) };
        const again = keyOf(request) !== undefined && (await wasBuildAsked(temporal, body, wanted.key));
        if (!again) await requestBuild(temporal, body, wanted);
        request.log.info({ id, actor: wanted.by, again }, 'build accepted');
        return reply.code(202).send({ id });
      },
    );

    app.get(
      '/api/builds/:id',
      {
        onRequest: guards.read,
        schema: {
          ...{ operationId: 'getBuild', summary: 'One build, as it is now', tags },
          params: schemas.BuildParams,
          response: { 200: schemas.Build, ...errors },
        },
      },
      async ({ params, person }) => {
        const commit = parseBuildId(params.id);
        if (!commit) throw notFound(`${JSON.stringify(params.id)} is no build’s id: {app}.{commit}`);
        const build = await readBuild(temporal, commit);
        if (!build) {
          const { words, details } = await keptWords(temporal);
          throw notFound(`There is no build ${params.id}${words}`, details);
        }
        return person.maintainer || config.access.logs === 'public' ? build : withoutOutput(build);
      },
    );
  };
