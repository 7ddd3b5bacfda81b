/** Deployments: ask for one, look at them, stop one, retry one. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeploymentView } from '../../domain/view.js';
import type { WhatToDeploy } from '../accept.js';
import { acceptDeployment } from '../accept.js';
import {
  assertApp,
  assertEnvironment,
  assertId,
  assertReasoned,
  assertTarget,
  assertWhat,
} from '../checks.js';
import type { Context } from '../context.js';
import { shownTo } from '../context.js';
import { ApiError, notFound } from '../errors.js';
import { actorOf, emptyBody } from '../requests.js';
import { errors, idempotent, IdParams, listOf } from '../schemas/common.js';
import * as schemas from '../schemas/deployments.js';
import { stopDeployment } from '../temporal/commands.js';
import { listDeployments } from '../temporal/list.js';
import { keptWords, readDeployment } from '../temporal/reads.js';

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
        assertReasoned(request.body);
        const more = { ...(reason ? { reason } : {}), ...(override ? { override } : {}) };
        return reply
          .code(202)
          .send(await acceptDeployment({ context, request, target, kind: 'deploy', ...what, ...more }));
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
        const what = again(before, request.body.reason);
        const target = { app: before.app, environment: before.environment };
        assertTarget(config, target);
        return reply.code(202).send(await acceptDeployment({ context, request, target, ...what }));
      },
    );
  };

/** @throws ApiError 409 where it still runs, or where its owner is to be retried */
function again(before: DeploymentView, reason: string | undefined): WhatToDeploy {
  const { id, kind, tag, commit, state, parent } = before;
  if (state !== 'finished') {
    throw new ApiError('NOT_FINISHED', `${id} has not ended yet: wait for it, or stop it`);
  }
  if (parent) throw owned(before, parent);
  if (!tag) throw new ApiError('BAD_REQUEST', `${id} has no tag that could be deployed again`);
  return {
    kind: kind === 'redeploy' ? kind : 'deploy',
    tag,
    ...(commit ? { commit } : {}),
    ...(reason ? { reason } : {}),
    retryOf: id,
  };
}

function owned({ id, app, environment }: DeploymentView, parent: { type: string; id: string }): ApiError {
  const what =
    parent.type === 'rollback'
      ? `is a rollback, decided afresh each time: ask for a new one of ${app} on ${environment}`
      : `belongs to the ${parent.type} ${parent.id}: retry that`;
  return new ApiError('OWNED', `${id} ${what}`, { parent });
}

/** @throws ApiError 404, saying how long they are kept */
async function existing(context: Context, id: string): Promise<DeploymentView> {
  assertId(id);
  const view = await readDeployment(context.temporal, id);
  if (view) return view;
  const { words, details } = await keptWords(context.temporal);
  throw notFound(`There is no deployment ${id}${words}`, { known: 'GET /api/deployments', ...details });
}
