/** Deployments: ask for one, look at them, stop one, retry one. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { deploymentId } from '../../domain/ids.js';
import type { DeploymentRequest, Target } from '../../domain/deployment.js';
import type { DeploymentView } from '../../domain/view.js';
import { allTargets, assertApp, assertEnvironment, assertId, assertTarget, assertWhat } from '../checks.js';
import type { Context } from '../context.js';
import { shownTo } from '../context.js';
import { ApiError, badRequest, notFound } from '../errors.js';
import { uniqueFor } from '../ids.js';
import { deploymentUrl } from '../links.js';
import { errors, idempotent, IdParams, listOf } from '../schemas/common.js';
import * as schemas from '../schemas/deployments.js';
import { assertKeyUnused, requestDeployment, stopDeployment } from '../temporal/commands.js';
import { listDeployments, readDeployment, retentionDays } from '../temporal/reads.js';

const tags = ['deployments'];

export const deploymentsRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { guards, config, temporal } = context;

    app.post(
      '/api/deployments',
      {
        onRequest: guards.write,
        schema: {
          ...{ operationId: 'deploy', summary: 'Deploy a tag or a commit to a service', tags },
          headers: idempotent,
          body: schemas.NewDeployment,
          response: { 202: schemas.AcceptedDeployment, ...errors },
        },
      },
      async (request, reply) => {
        const { app: name, environment, reason, override } = request.body;
        const target = { app: name, environment };
        assertTarget(config, target);
        const what = assertWhat(request.body);
        if (override && !reason) throw badRequest('body/reason must be given with override');
        const more = { ...what, ...(reason ? { reason } : {}), ...(override ? { override } : {}) };
        return reply.code(202).send(await accept({ context, request, target, more }));
      },
    );

    app.get(
      '/api/deployments',
      {
        onRequest: guards.read,
        schema: {
          ...{ operationId: 'listDeployments', summary: 'Unfinished first, then by end, newest first', tags },
          querystring: schemas.DeploymentsQuery,
          response: { 200: listOf(schemas.Deployment), ...errors },
        },
      },
      async ({ query, person }) => {
        const { limit, cursor, ...filter } = query;
        if (filter.app !== undefined) assertApp(config, filter.app);
        if (filter.environment !== undefined) assertEnvironment(config, filter.environment);
        const page = await listDeployments(temporal, { filter, limit, ...(cursor ? { cursor } : {}) });
        const items = page.items.map((view) => shownTo(context, view, person));
        return { items, ...(page.cursor ? { cursor: page.cursor } : {}) };
      },
    );

    app.get(
      '/api/deployments/:id',
      {
        onRequest: guards.read,
        schema: {
          ...{ operationId: 'getDeployment', summary: 'One deployment, as it is now', tags },
          params: IdParams,
          response: { 200: schemas.Deployment, ...errors },
        },
      },
      async ({ params, person }) => shownTo(context, await existing(context, params.id), person),
    );

    app.post(
      '/api/deployments/:id/stop',
      {
        onRequest: guards.write,
        preValidation: emptyBody,
        schema: {
          ...{ operationId: 'stopDeployment', summary: 'Stop it and go back to what ran before', tags },
          params: IdParams,
          body: schemas.WithReason,
          response: { 202: schemas.Stopped, ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const { state } = await existing(context, id);
        if (state === 'finished') throw new ApiError('FINISHED', `${id} has ended already`);
        const { reason } = request.body;
        await stopDeployment(temporal, id, { actor: actorOf(request), ...(reason ? { reason } : {}) });
        request.log.info({ id, actor: actorOf(request), reason }, 'stop requested');
        return reply.code(202).send({ id });
      },
    );

    app.post(
      '/api/deployments/:id/retry',
      {
        onRequest: guards.write,
        preValidation: emptyBody,
        schema: {
          ...{ operationId: 'retryDeployment', summary: 'A new deployment of the same, linked to it', tags },
          headers: idempotent,
          params: IdParams,
          body: schemas.WithReason,
          response: { 202: schemas.AcceptedDeployment, ...errors },
        },
      },
      async (request, reply) => {
        const before = await existing(context, request.params.id);
        const more = again(before, request.body.reason);
        const target = { app: before.app, environment: before.environment };
        assertTarget(config, target);
        return reply.code(202).send(await accept({ context, request, target, more }));
      },
    );
  };

type More = Pick<DeploymentRequest, 'tag' | 'commit' | 'reason' | 'override' | 'retryOf'>;

/** @throws ApiError 409 where it still runs, or where its owner is to be retried */
function again(before: DeploymentView, reason: string | undefined): More {
  const { id, tag, commit, state, parent } = before;
  if (state !== 'finished') {
    throw new ApiError('NOT_FINISHED', `${id} has not ended yet: wait for it, or stop it`);
  }
  if (parent) throw new ApiError('BAD_REQUEST', `${id} belongs to ${parent.type} ${parent.id}: retry that`);
  if (!tag) throw new ApiError('BAD_REQUEST', `${id} has no tag that could be deployed again`);
  return { tag, ...(commit ? { commit } : {}), ...(reason ? { reason } : {}), retryOf: id };
}

async function accept(of: { context: Context; request: FastifyRequest; target: Target; more: More }) {
  const { context, request, target, more } = of;
  const { config, temporal, metrics, links } = context;
  const actor = actorOf(request);
  const key = keyOf(request);
  const unique = uniqueFor({ actor, route: `${request.method} ${request.url.split('?')[0]}`, key });
  if (key !== undefined) {
    const others = allTargets(config).filter(
      ({ app, environment }) => app !== target.app || environment !== target.environment,
    );
    await assertKeyUnused(temporal, unique, others);
  }
  const { tellAfterMs, giveUpAfterMs, verifyMs } = config.limits;
  const { id, position, again } = await requestDeployment(temporal, {
    id: deploymentId(target, unique),
    app: target.app,
    environment: target.environment,
    kind: 'deploy',
    ...more,
    actor,
    checkActor: true,
    queuedAt: new Date().toISOString(),
    limits: { tellAfterMs, giveUpAfterMs, verifyMs },
  });
  if (!again) metrics.accepted.inc({ ...target, kind: 'deploy' });
  request.log.info({ id, actor, position, again }, 'deployment accepted');
  return { id, url: deploymentUrl(links, id), position };
}

/** @throws ApiError 404, saying how long they are kept */
async function existing(context: Context, id: string): Promise<DeploymentView> {
  assertId(id);
  const view = await readDeployment(context.temporal, id);
  if (view) return view;
  const days = await retentionDays(context.temporal);
  const kept = days ? `; ended ones are kept for ${days} ${days === 1 ? 'day' : 'days'}` : '';
  throw notFound(`There is no deployment ${id}${kept}`, {
    known: 'GET /api/deployments',
    ...(days ? { keptDays: days } : {}),
  });
}

export const actorOf = ({ person }: FastifyRequest): string => {
  if (person.login) return person.login;
  throw new ApiError('UNAUTHENTICATED', 'Send a GitHub token: Authorization: Bearer …');
};

export function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}

/** A body that may be left out is an empty one. */
export async function emptyBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}
