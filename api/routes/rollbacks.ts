/** Go back to a release, or deploy again what runs: no build, from the latest template. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { acceptDeployment, acceptRollback } from '../accept.js';
import { assertReasoned, assertTag, assertTarget } from '../checks.js';
import type { Context } from '../context.js';
import { errors, idempotent } from '../schemas/common.js';
import { AcceptedDeployment } from '../schemas/deployments.js';
import { NewRedeployment, NewRollback } from '../schemas/rollbacks.js';

const tags = ['deployments'];

export const rollbacksRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { guards, config } = context;

    app.post(
      '/api/rollbacks',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'rollBack', summary: 'Go back to a release; it goes first in its lane', tags },
          description: 'The id is its deployment’s, readable from the 202 on.',
          headers: idempotent,
          body: NewRollback,
          response: { 202: AcceptedDeployment, ...errors },
        },
      },
      async (request, reply) => {
        const { app: name, environment, tag, ...what } = request.body;
        const target = { app: name, environment };
        assertTarget(config, target);
        assertReasoned(what);
        const wanted = tag === undefined ? {} : { tag: assertTag(tag) };
        return reply.code(202).send(await acceptRollback({ context, request, target, ...wanted, ...what }));
      },
    );

    app.post(
      '/api/redeployments',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'redeploy', summary: 'Deploy again what runs, for new variables', tags },
          headers: idempotent,
          body: NewRedeployment,
          response: { 202: AcceptedDeployment, ...errors },
        },
      },
      async (request, reply) => {
        const { app: name, environment, tag, reason } = request.body;
        const target = { app: name, environment };
        assertTarget(config, target);
        // Which release runs, and under which tag, the deployment finds out.
        const what = tag === undefined ? { tag: '', current: true } : { tag: assertTag(tag) };
        const more = { kind: 'redeploy' as const, ...what, ...(reason ? { reason } : {}) };
        return reply.code(202).send(await acceptDeployment({ context, request, target, ...more }));
      },
    );
  };
