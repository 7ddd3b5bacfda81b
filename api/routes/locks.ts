/** A person's hold on a lane, or on a promotion queue. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { assertPromoted, assertTarget } from '../checks.js';
import type { Context } from '../context.js';
import { notFound } from '../errors.js';
import { uniqueFor } from '../ids.js';
import { actorOf, emptyBody, keyOf, uniqueOf } from '../requests.js';
import { NewLock } from '../schemas/apps.js';
import { errors, idempotent, TargetParams } from '../schemas/common.js';
import { Lock, WithReason } from '../schemas/deployments.js';
import { AppParams } from '../schemas/promotions.js';
import { lockLane, unlockLane } from '../temporal/commands.js';
import { lockQueue, unlockQueue } from '../temporal/promotions.js';

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

    app.put(
      '/api/locks/promotions/:app',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'lockPromotions', summary: 'Let no stage of a promotion start', tags },
          headers: idempotent,
          params: AppParams,
          body: NewLock,
          response: { 200: Lock, ...errors },
        },
      },
      async (request) => {
        const { app: name } = request.params;
        assertPromoted(config, name);
        const { reason } = request.body;
        const by = actorOf(request);
        const lock = await lockQueue(temporal, name, { reason, by, key: uniqueOf(request) });
        request.log.info({ app: name, actor: by, reason }, 'promotions locked');
        return lock;
      },
    );

    app.delete(
      '/api/locks/promotions/:app',
      {
        onRequest: guards.write,
        preValidation: emptyBody,
        schema: {
          ...{ operationId: 'unlockPromotions', summary: 'Let what the lock held go on', tags },
          headers: idempotent,
          params: AppParams,
          body: WithReason,
          response: { 204: Type.Null(), ...errors },
        },
      },
      async (request, reply) => {
        const { app: name } = request.params;
        assertPromoted(config, name);
        const by = actorOf(request);
        await unlockQueue(temporal, name, { ...request.body, by, key: uniqueOf(request) });
        request.log.info({ app: name, actor: by, reason: request.body.reason }, 'promotions unlocked');
        return reply.code(204).send(null);
      },
    );
  };
