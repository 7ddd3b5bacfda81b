/** What a rollback can go back to. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import { knownBad, markOf } from '../../domain/bad.js';
import type { Target } from '../../domain/deployment.js';
import { PRODUCTION } from '../../domain/deployment.js';
import type { BadMark } from '../../domain/messages.js';
import { imageTag } from '../../domain/tags.js';
import { assertTarget } from '../checks.js';
import type { Context } from '../context.js';
import { notFound } from '../errors.js';
import { errors, TargetParams } from '../schemas/common.js';
import type { RollbackTarget } from '../schemas/rollbacks.js';
import { RollbackTargets } from '../schemas/rollbacks.js';
import { readLane } from '../temporal/reads.js';

export const targetsRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/targets/:environment/:app',
      {
        onRequest: context.guards.read,
        schema: {
          ...{ operationId: 'listTargets', summary: 'Releases that a rollback can choose', tags: ['apps'] },
          description: 'Verified there first, newest first; then releases whose images the registry holds.',
          params: TargetParams,
          response: { 200: RollbackTargets, ...errors },
        },
      },
      async ({ params }) => {
        assertTarget(context.config, params, notFound);
        return await targetsOf(context, params);
      },
    );
  };

type Choice = Static<typeof RollbackTarget>;

async function targetsOf({ temporal, releaseTags }: Context, target: Target) {
  const { app } = target;
  const [lane, production, held] = await Promise.all([
    readLane(temporal, target),
    readLane(temporal, { app, environment: PRODUCTION }),
    releaseTags(app),
  ]);
  const bad = production?.bad ?? [];
  const live = lane?.live?.release;
  const verified = (lane?.verified ?? []).map(({ release, tag, at, by }): Choice => ({
    ...{ tag, release, verified: true, at, by },
    ...marks({ isLive: release === live, mark: markOf(bad, release) }),
  }));
  const seen = new Set(verified.flatMap(({ tag, release }) => [imageTag(app, tag), release]));
  const others = held.items
    .filter(({ tag, release }) => !seen.has(tag) && !(release && seen.has(release)))
    .map(({ tag, release }): Choice => {
      const mark = release ? markOf(bad, release) : production && knownBad(production, { tag });
      return {
        tag,
        ...(release ? { release } : {}),
        verified: false,
        ...marks({ isLive: release !== undefined && release === live, mark }),
      };
    });
  return { items: [...verified, ...others], warnings: held.warnings };
}

const marks = ({ isLive, mark }: { isLive: boolean; mark: BadMark | undefined }) => ({
  ...(isLive ? { live: true } : {}),
  ...(mark ? { bad: { reason: mark.reason, by: mark.by, at: mark.at } } : {}),
});
