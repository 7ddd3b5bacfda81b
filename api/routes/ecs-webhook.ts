/** EventBridge's deployment events: one wakes the watch of the deployment that runs there, and decides nothing. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { onRequestAsyncHookHandler } from 'fastify';
import { Type } from 'typebox';
import { notNews, parseServiceArn, targetsOfService } from '../../domain/ecs-event.js';
import type { Context } from '../context.js';
import { ApiError, badRequest, notFound } from '../errors.js';
import { closed, errors } from '../schemas/common.js';
import { wakeWatch } from '../temporal/wake.js';

const HEADER = 'x-sluice-secret';

const text = Type.String({ maxLength: 2_000 });

/** What is looked at; EventBridge sends more, and may add to it. */
const Event = Type.Object(
  {
    source: text,
    'detail-type': text,
    resources: Type.Array(text, { maxItems: 10, description: 'ARN of the service' }),
    detail: Type.Object({ eventName: text }),
  },
  { title: 'EcsEvent', description: 'As EventBridge sends it; other fields are not looked at' },
);

const Woken = Type.Object(
  {
    woken: Type.Array(Type.String(), { description: 'Ids of the deployments whose watch looks at once' }),
    detail: Type.Optional(Type.String({ description: 'Why it woke none' })),
  },
  closed,
);

export const ecsWebhookRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/webhooks/ecs',
      {
        onRequest: withSecret(context),
        schema: {
          ...{
            operationId: 'ecsWebhook',
            summary: 'EventBridge tells of a rollout’s end',
            tags: ['webhooks'],
          },
          description: 'Header `X-Sluice-Secret`: the value of `ECS_WEBHOOK_SECRET`.',
          body: Event,
          response: { 202: Woken, ...errors },
        },
      },
      async ({ body }, reply) => {
        const answer = await takeIn(context, body);
        context.metrics.webhooks.inc({
          source: 'ecs',
          event: 'deployment',
          outcome: answer.woken.length > 0 ? 'accepted' : 'ignored',
        });
        return reply.status(202).send(answer);
      },
    );
  };

async function takeIn(
  context: Context,
  event: Parameters<typeof notNews>[0],
): Promise<{ woken: string[]; detail?: string }> {
  const why = notNews(event);
  if (why) return { woken: [], detail: why };
  const services = event.resources.map((arn) => parseServiceArn(arn));
  const targets = services.flatMap((one) => (one ? targetsOfService(context.config, one) : []));
  if (services.every((one) => one === undefined)) {
    throw badRequest('body/resources must name a service: arn:aws:ecs:{region}:{account}:service/…');
  }
  if (targets.length === 0) return { woken: [], detail: 'sluice.yaml names no such service' };
  const ids = await Promise.all(targets.map((target) => wakeWatch(context.temporal, target)));
  const woken = ids.filter((id) => id !== undefined);
  return woken.length > 0 ? { woken } : { woken, detail: 'no deployment of Sluice runs there' };
}

/** Before the body is read. What is compared has one length, so the time tells nothing of the secret. */
const withSecret =
  ({ ecsWebhookSecret: secret, metrics }: Context): onRequestAsyncHookHandler =>
  async ({ headers }) => {
    if (!secret) throw notFound('This is off: ECS_WEBHOOK_SECRET is not set');
    const given = headers[HEADER];
    if (typeof given === 'string' && timingSafeEqual(hashed(given), hashed(secret))) return;
    metrics.webhooks.inc({ source: 'ecs', event: 'deployment', outcome: 'refused' });
    throw new ApiError('UNAUTHENTICATED', 'Send the right X-Sluice-Secret');
  };

const hashed = (value: string): Buffer => createHash('sha256').update(value).digest();
