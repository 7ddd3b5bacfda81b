/** A person's hold on a lane. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { assertTarget } from '../checks.js';
import type { Context } from '../context.js';
import { notFound } from '../errors.js';
import { uniqueFor } from '../ids.js';
import { actorOf, emptyBody, keyOf } from '../requests.js';
import { Lock, NewLock } from '../schemas/apps.js';
import { errors, idempotent, TargetParams } from '../schemas/common.js';
import { WithReason } from '../schemas/deployments.js';
import { lockLane, unlockLane } from '../temporal/commands.js';

const tags = ['locks'];

export const locksRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { guards, config, temporal } = context;

    app.put(
      '/api/locks/:environment/:app',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'lock', summary: 'Let no deployment start there', tags },
          headers: idempotent,
          params: TargetParams,
          body: NewLock,
          response: { 200: Lock, ...errors },
        },
      },
      async (request) => {
        const target = request.params;
        assertTarget(config, target, notFound);
        const by = actorOf(request);
        const unique = uniqueFor({ actor: by, route: `PUT ${request.url}`, key: keyOf(request) });
        const { reason } = request.body;
        const lock = await lockLane({ temporal, target, request: { reason, by }, unique });
        request.log.info({ ...target, actor: by, reason }, 'locked');
        return lock;
      },
    );

    app.delete(
      '/api/locks/:environment/:app',
      {
        onRequest: guards.write,
        preValidation: emptyBody,
        schema: {
          ...{ operationId: 'unlock', summary: 'Let what waits there go on', tags },
          headers: idempotent,
          params: TargetParams,
          body: WithReason,
          response: { 204: Type.Null(), ...errors },
        },
      },
      async (request, reply) => {
        const target = request.params;
        assertTarget(config, target, notFound);
        const by = actorOf(request);
        const unique = uniqueFor({ actor: by, route: `DELETE ${request.url}`, key: keyOf(request) });
        await unlockLane({ temporal, target, by, unique });
        request.log.info({ ...target, actor: by, reason: request.body.reason }, 'unlocked');
        return reply.code(204).send(null);
      },
    );
  };
