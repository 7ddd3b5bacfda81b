/** GitHub's webhooks: signed, and answered once Temporal holds what concerns us. Rules: `domain/merges/webhook.ts`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { FastifyRequest } from 'fastify';
import { deliveredOf, otherRepository } from '../../domain/merges/webhook.js';
import type { Context } from '../context.js';
import { ApiError, badRequest, notFound } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { closed, errors } from '../schemas/common.js';
import { createVerify, keepText, parseJson, textOf } from '../signed.js';
import { startDelivery } from '../temporal/deliveries.js';

/** GitHub sends no more. */
const BODY_BYTES = 25 * 1024 * 1024;
const DELIVERY = /^[\w-]{1,100}$/;

const Taken = Type.Object(
  {
    delivery: Type.String(),
    ignored: Type.Optional(Type.String({ description: 'Why nothing is done with it' })),
    again: Type.Optional(Type.Boolean({ description: 'It was delivered before; nothing is done twice' })),
  },
  closed,
);

const header = (description: string) => Type.Optional(Type.String({ description }));
const headers = Type.Object({
  'x-hub-signature-256': header('sha256={hex}: HMAC of the raw body with GITHUB_WEBHOOK_SECRET'),
  'x-github-event': header('push, workflow_run, …'),
  'x-github-delivery': header('Unique to the delivery, and kept when GitHub sends it again'),
});

type Outcome = 'accepted' | 'again' | 'ignored' | 'refused' | 'unavailable';

export const webhooksRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    keepText(app);
    const verify = createVerify({
      secret: context.webhookSecrets?.github,
      variable: 'GITHUB_WEBHOOK_SECRET',
      header: 'X-Hub-Signature-256',
    });

    app.post(
      '/webhooks/github',
      {
        bodyLimit: BODY_BYTES,
        onRequest: assertSigned,
        async onError(request, _reply, error) {
          const status = error instanceof ApiError ? error.status : (error.statusCode ?? 500);
          count(context.metrics, request, status >= 500 ? 'unavailable' : 'refused');
        },
        schema: {
          ...{ operationId: 'githubWebhook', summary: 'GitHub tells what happened', tags: ['webhooks'] },
          description:
            'The body is GitHub’s own, as application/json, up to 25 MB. No token: the signature says who sends it.',
          security: [],
          headers,
          response: { 202: Taken, ...errors },
        },
      },
      async (request, reply) => {
        const text = textOf(request);
        await verify(text, textHeader(request, 'x-hub-signature-256'));
        const { outcome, ...taken } = await take(context, request, parseJson(text));
        count(context.metrics, request, outcome);
        request.log.info({ event: eventOf(request), outcome, ...taken }, 'webhook');
        return reply.code(202).send(taken);
      },
    );
  };

/** What cannot be right is refused before its body is read. */
async function assertSigned(request: FastifyRequest): Promise<void> {
  if (textHeader(request, 'x-hub-signature-256')) return;
  throw new ApiError('UNAUTHENTICATED', 'Only signed webhooks are taken: set the webhook’s secret at GitHub');
}

async function take(
  { config, temporal }: Context,
  request: FastifyRequest,
  payload: unknown,
): Promise<{ outcome: Outcome; delivery: string; ignored?: string; again?: boolean }> {
  const event = eventOf(request);
  const delivery = textHeader(request, 'x-github-delivery');
  if (!/^\w{1,100}$/.test(event)) throw badRequest('X-GitHub-Event must name the event');
  if (!DELIVERY.test(delivery)) throw badRequest('X-GitHub-Delivery must be the id of the delivery');
  if (!isRecord(payload)) throw badRequest('The body must be a JSON object');
  const other = otherRepository(payload, config.repository);
  if (other !== undefined) {
    const { owner, name } = config.repository;
    throw notFound(`This Sluice serves ${owner}/${name}, not ${other}: remove its webhook there`);
  }
  const delivered = deliveredOf(event, payload, config.repository);
  if ('ignored' in delivered) return { outcome: 'ignored', delivery, ...delivered };
  const { again } = await startDelivery(temporal, delivery, delivered);
  return again ? { outcome: 'again', delivery, again } : { outcome: 'accepted', delivery };
}

/** Anyone can send any name: others than these are counted as one. */
const COUNTED: readonly string[] = ['push', 'workflow_run', 'ping'];

function count({ webhooks }: Metrics, request: FastifyRequest, outcome: Outcome): void {
  const event = eventOf(request);
  webhooks.inc({ source: 'github', event: COUNTED.includes(event) ? event : 'other', outcome });
}

const eventOf = (request: FastifyRequest): string => textHeader(request, 'x-github-event');

function textHeader({ headers: sent }: FastifyRequest, name: string): string {
  const value = sent[name];
  return typeof value === 'string' ? value : '';
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
