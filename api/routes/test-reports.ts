/** A report of tests that ran elsewhere: by a maintainer, or signed, since CI's tokens have no user. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { FastifyRequest } from 'fastify';
import type { Context } from '../context.js';
import { tellPromotions } from '../promotions.js';
import { actorOf, uniqueOf } from '../requests.js';
import { errors, idempotent } from '../schemas/common.js';
import * as schemas from '../schemas/promotions.js';
import { createVerify, keepText, parseJson, textOf } from '../signed.js';

const HEADER = 'x-sluice-signature-256';
/** Who reported where a signature says it. */
const SIGNED = { login: 'tests', maintainer: false } as const;

const headers = Type.Object({
  ...idempotent.properties,
  [HEADER]: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'sha256={hex}: HMAC of the raw body with TESTS_WEBHOOK_SECRET; then no token is needed',
    }),
  ),
});

export const testReportsRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    keepText(app);
    const verify = createVerify({
      secret: context.webhookSecrets?.tests,
      variable: 'TESTS_WEBHOOK_SECRET',
      header: 'X-Sluice-Signature-256',
    });

    app.post(
      '/api/promotions/:app/tests',
      {
        async onRequest(request, reply) {
          if (signatureOf(request) === undefined) await context.guards.write.call(app, request, reply);
        },
        async preValidation(request) {
          const signature = signatureOf(request);
          const text = textOf(request);
          if (signature !== undefined) {
            await verify(text, signature);
            request.person = SIGNED;
          }
          (request as FastifyRequest).body = parseJson(text);
        },
        schema: {
          ...{ operationId: 'reportTests', summary: 'Report the tests of a release', tags: ['promotions'] },
          headers,
          params: schemas.AppParams,
          body: schemas.TestReport,
          response: { 200: schemas.PromotionQueue, ...errors },
        },
      },
      async (request) => {
        const input = { ...request.body, by: actorOf(request), key: uniqueOf(request) };
        const told = { update: 'reportTests', input } as const;
        return tellPromotions({ context, request, app: request.params.app, told });
      },
    );
  };

function signatureOf({ headers: sent }: FastifyRequest): string | undefined {
  const value = sent[HEADER];
  return typeof value === 'string' ? value : undefined;
}
