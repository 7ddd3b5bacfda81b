/** Alive, ready, which release, metrics: for machines. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { read } from '../temporal/call.js';
import type { Context } from '../context.js';
import { closed, errors, sentAs } from '../schemas/common.js';

const Status = Type.Object({ status: Type.Literal('ok') }, closed);

export const systemRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/healthz',
      { schema: { operationId: 'health', summary: 'Alive', tags: ['system'], response: { 200: Status } } },
      async () => ({ status: 'ok' as const }),
    );

    app.get(
      '/readyz',
      {
        schema: {
          ...{ operationId: 'ready', summary: 'Temporal is reachable', tags: ['system'] },
          response: { 200: Status, ...errors },
        },
      },
      async () => {
        const { client, namespace } = context.temporal;
        await read(context.temporal, () => client.workflowService.describeNamespace({ namespace }));
        return { status: 'ok' as const };
      },
    );

    app.get(
      '/version.json',
      {
        schema: {
          ...{ operationId: 'version', summary: 'Sluice’s own release', tags: ['system'] },
          response: { 200: Type.Object({ release: Type.String() }, closed) },
        },
      },
      async () => ({ release: context.release }),
    );

    app.get(
      '/metrics',
      {
        onRequest: context.guards.read,
        schema: {
          ...{ operationId: 'metrics', summary: 'For Prometheus', tags: ['system'] },
          response: { 200: sentAs('text/plain', 'Prometheus text format'), ...errors },
        },
      },
      async (_request, reply) => {
        const { registry } = context.metrics;
        return reply.type(registry.contentType).send(await registry.metrics());
      },
    );
  };
