/** The promotion queue of an app: how it stands, and what people tell it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { assertPromoted, assertReasoned } from '../checks.js';
import type { Context } from '../context.js';
import { tellPromotions } from '../promotions.js';
import { actorOf, uniqueOf } from '../requests.js';
import { errors, idempotent } from '../schemas/common.js';
import * as schemas from '../schemas/promotions.js';
import type { QueueCommand } from '../temporal/promotions.js';
import { readQueue } from '../temporal/promotions.js';

const tags = ['promotions'];

export const promotionsRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { guards, config, temporal } = context;
    const answers = { params: schemas.AppParams, response: { 200: schemas.PromotionQueue, ...errors } };
    const taken = { headers: idempotent, ...answers };
    const tell = (request: FastifyRequest, name: string, told: QueueCommand): Promise<PromotionQueueView> =>
      tellPromotions({ context, request, app: name, told });
    const from = (request: FastifyRequest) => ({ by: actorOf(request), key: uniqueOf(request) });

    app.get(
      '/api/promotions/:app',
      {
        onRequest: guards.read,
        schema: {
          ...{ operationId: 'getPromotions', summary: 'The promotion queue, as it is now', tags },
          ...answers,
        },
      },
      async ({ params }) => readQueue(temporal, params.app, assertPromoted(config, params.app)),
    );

    app.post(
      '/api/promotions/:app/approve',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'approve', summary: 'Let production have what was tested on staging', tags },
          description: 'Both environments are looked at before the answer; a refusal leaves no trace.',
          body: schemas.Approve,
          ...taken,
        },
      },
      async (request) => {
        assertReasoned(request.body);
        const input = { ...request.body, ...from(request) };
        return tell(request, request.params.app, { update: 'approve', input });
      },
    );

    app.post(
      '/api/promotions/:app/reject',
      {
        onRequest: guards.write,
        schema: {
          ...{
            operationId: 'reject',
            summary: 'End the current promotion: it does not go to production',
            tags,
          },
          body: schemas.Reject,
          ...taken,
        },
      },
      async (request) => {
        const input = { ...request.body, ...from(request) };
        return tell(request, request.params.app, { update: 'reject', input });
      },
    );

    app.post(
      '/api/promotions/:app/cancel',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'cancel', summary: 'End a promotion that waits for its start', tags },
          body: schemas.Reject,
          ...taken,
        },
      },
      async (request) => {
        const input = { ...request.body, ...from(request) };
        return tell(request, request.params.app, { update: 'cancel', input });
      },
    );

    app.post(
      '/api/promotions/:app/retry',
      {
        onRequest: guards.write,
        schema: {
          ...{
            operationId: 'retryPromotion',
            summary: 'Try the failed stage again, with the same tag',
            tags,
          },
          body: schemas.Approve,
          ...taken,
        },
      },
      async (request) => {
        assertReasoned(request.body);
        const input = { ...request.body, ...from(request) };
        return tell(request, request.params.app, { update: 'retryPromotion', input });
      },
    );

    app.post(
      '/api/promotions/:app/resolve',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'resolve', summary: 'Say what is right where environments differ', tags },
          description:
            'adopt: test and promote what staging runs. restore-staging: deploy what production runs to staging. ' +
            'override: let the next one start all the same.',
          body: schemas.Resolve,
          ...taken,
        },
      },
      async (request) => {
        const input = { ...request.body, ...from(request) };
        return tell(request, request.params.app, { update: 'resolve', input });
      },
    );
  };
