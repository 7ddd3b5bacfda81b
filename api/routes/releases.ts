/** Published releases: ask for one, look at them, let a blocked one go on or end. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { PRODUCTION } from '../../domain/deployment.js';
import type { Release as Record } from '../../domain/release/release.js';
import { assertNotBad, limitsOf, locked } from '../accept.js';
import { assertApp, assertReasoned, assertReleaseId, assertTag, assertTarget } from '../checks.js';
import type { Context } from '../context.js';
import { ApiError, notFound } from '../errors.js';
import { linksOfRelease, releaseUrl } from '../links.js';
import { actorOf, emptyBody, keyOf, uniqueOf } from '../requests.js';
import { errors, idempotent, listOf } from '../schemas/common.js';
import { WithReason } from '../schemas/deployments.js';
import * as schemas from '../schemas/releases.js';
import { listReleases } from '../temporal/list.js';
import { keptWords, readLane } from '../temporal/reads.js';
import {
  abandonRelease,
  assertReleaseKeyUnused,
  readRelease,
  requestRelease,
  retryRelease,
  wasReleaseAsked,
} from '../temporal/releases.js';

const tags = ['releases'];

export const releasesRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { guards, config, temporal } = context;

    app.post(
      '/api/releases',
      {
        onRequest: guards.write,
        schema: {
          ...{
            operationId: 'release',
            summary: 'Release a tag: deploy it to production and publish it',
            tags,
          },
          description: 'An app that is releaseOnly is published without being deployed.',
          headers: idempotent,
          body: schemas.NewRelease,
          response: { 202: schemas.AcceptedRelease, ...errors },
        },
      },
      async (request, reply) => reply.code(202).send(await accept(context, request, request.body)),
    );

    app.get(
      '/api/releases',
      {
        onRequest: guards.read,
        schema: {
          ...{ operationId: 'listReleases', summary: 'Unfinished first, then by end, newest first', tags },
          querystring: schemas.ReleasesQuery,
          response: { 200: listOf(schemas.Release), ...errors },
        },
      },
      async ({ query }) => {
        const { limit, cursor, ...filter } = query;
        if (filter.app !== undefined) assertApp(config, filter.app);
        const page = await listReleases(temporal, { filter, limit, ...(cursor ? { cursor } : {}) });
        const items = page.items.map((release) => shown(context, release));
        return { items, ...(page.cursor ? { cursor: page.cursor } : {}) };
      },
    );

    app.get(
      '/api/releases/:id',
      {
        onRequest: guards.read,
        schema: {
          ...{ operationId: 'getRelease', summary: 'One release, as it is now', tags },
          params: schemas.ReleaseParams,
          response: { 200: schemas.Release, ...errors },
        },
      },
      async ({ params }) => shown(context, await existing(context, params.id)),
    );

    app.post(
      '/api/releases/:id/retry',
      {
        onRequest: guards.write,
        preValidation: emptyBody,
        schema: {
          ...{ operationId: 'retryRelease', summary: 'Go on at the step where it is blocked', tags },
          params: schemas.ReleaseParams,
          body: schemas.RetryRelease,
          response: { 202: schemas.Told, ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        assertReasoned(request.body);
        await assertBlocked(context, id);
        await retryRelease(temporal, id, { actor: actorOf(request), ...request.body });
        request.log.info({ id, actor: actorOf(request), ...request.body }, 'release retried');
        return reply.code(202).send({ id });
      },
    );

    app.post(
      '/api/releases/:id/abandon',
      {
        onRequest: guards.write,
        preValidation: emptyBody,
        schema: {
          ...{ operationId: 'abandonRelease', summary: 'End it where it is blocked', tags },
          params: schemas.ReleaseParams,
          body: WithReason,
          response: { 202: schemas.Told, ...errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        await assertBlocked(context, id);
        await abandonRelease(temporal, id, { actor: actorOf(request), ...request.body });
        request.log.info({ id, actor: actorOf(request), ...request.body }, 'release abandoned');
        return reply.code(202).send({ id });
      },
    );
  };

const shown = (context: Context, release: Record) => ({
  ...release,
  links: linksOfRelease(context.links, release),
});

async function accept(context: Context, request: FastifyRequest, body: Static<typeof schemas.NewRelease>) {
  const { config, temporal, links, metrics } = context;
  const { app, tag } = body;
  assertApp(config, app);
  assertTag(tag);
  assertReasoned(body);
  const releaseOnly = config.apps[app]?.releaseOnly ?? false;
  if (!releaseOnly) assertTarget(config, { app, environment: PRODUCTION });
  const unique = uniqueOf(request);
  const hasKey = keyOf(request) !== undefined;
  if (hasKey) {
    const others = Object.keys(config.apps).filter((other) => other !== app);
    await assertReleaseKeyUnused(temporal, unique, others);
  }
  // What was accepted before is answered as before, whatever was locked or marked since.
  if (!(hasKey && (await wasReleaseAsked(temporal, app, unique)))) {
    await assertOpen(context, { ...body, releaseOnly });
  }
  const { id, date, gitTag, imageTag, again } = await requestRelease(temporal, {
    ...body,
    actor: actorOf(request),
    unique,
    requestedAt: new Date().toISOString(),
    releaseOnly,
    limits: limitsOf(config),
  });
  if (!again) metrics.accepted.inc({ app, environment: PRODUCTION, kind: 'release' });
  request.log.info({ id, actor: actorOf(request), again }, 'release accepted');
  return { id, date, gitTag, imageTag, url: releaseUrl(links, id) };
}

/** @throws ApiError `LOCKED`, which no override lifts for a release; `RELEASE_BAD` */
async function assertOpen(
  context: Context,
  of: { app: string; tag: string; override?: boolean; releaseOnly: boolean },
): Promise<void> {
  const target = { app: of.app, environment: PRODUCTION };
  const lane = of.releaseOnly ? undefined : await readLane(context.temporal, target);
  if (lane?.lock) throw locked(target, lane.lock);
  if (!of.override) await assertNotBad(context, of.app, of.tag);
}

/** @throws ApiError 404, saying how long they are kept */
async function existing(context: Context, id: string): Promise<Record> {
  assertReleaseId(context.config, id);
  const release = await readRelease(context.temporal, id);
  if (release) return release;
  const { words, details } = await keptWords(context.temporal);
  throw notFound(`There is no release ${id}${words}`, { known: 'GET /api/releases', ...details });
}

async function assertBlocked(context: Context, id: string): Promise<void> {
  const { state } = await existing(context, id);
  if (state === 'blocked') return;
  const how = state === 'finished' ? 'has ended' : 'runs';
  throw new ApiError('NOT_BLOCKED', `${id} ${how}: only a blocked release is retried or abandoned`);
}
