/** What runs where. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import type { Target, Warning } from '../../domain/deployment.js';
import type { PromotionSummary } from '../../domain/promotion/view.js';
import { summaryOf } from '../../domain/promotion/view.js';
import { driftOf } from '../../domain/drift.js';
import type { LaneView } from '../../domain/messages.js';
import { allTargets } from '../checks.js';
import type { Context } from '../context.js';
import { linksOfApp, serviceOf } from '../links.js';
import type { ServiceState } from '../live.js';
import { App } from '../schemas/apps.js';
import { errors, listOf } from '../schemas/common.js';
import { readQueue } from '../temporal/promotions.js';
import { readLane } from '../temporal/reads.js';

export const appsRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/apps',
      {
        onRequest: context.guards.read,
        schema: {
          ...{ operationId: 'listApps', summary: 'Every app in every environment', tags: ['apps'] },
          description: 'What cannot be read at AWS or at a version endpoint stands in `warnings`.',
          response: { 200: listOf(App), ...errors },
        },
      },
      async () => ({ items: await readApps(context) }),
    );
  };

const NOTHING_KNOWN: ServiceState = { warnings: [] };

export function readApps(context: Context): Promise<Static<typeof App>[]> {
  const queues = new Map<string, Promise<PromotionSummary> | undefined>();
  for (const app of Object.keys(context.config.apps)) queues.set(app, readSummary(context, app));
  return Promise.all(
    allTargets(context.config).map((target) => readApp(context, target, queues.get(target.app))),
  );
}

function readSummary({ config, temporal }: Context, app: string): Promise<PromotionSummary> | undefined {
  const policy = config.apps[app]?.promotion;
  if (!policy) return undefined;
  const { queue, approval } = policy;
  return readQueue(temporal, app, { queue, approval }).then(summaryOf);
}

async function readApp(
  context: Context,
  target: Target,
  queue: Promise<PromotionSummary> | undefined,
): Promise<Static<typeof App>> {
  const { live, temporal, config, links } = context;
  const versionUrl = serviceOf(config, target)?.versionUrl;
  const [promotion, lane, services, version] = await Promise.all([
    queue,
    readLane(temporal, target),
    live.services(target.environment),
    versionUrl ? live.version(versionUrl) : { warnings: [] },
  ]);
  const { warnings, settled = false, ...state } = services.get(target.app) ?? NOTHING_KNOWN;
  const { waiting = [], waitingCount = 0, lock, running } = lane ?? {};
  // The lane's last success names the tag only while the service still runs its revision.
  const known = lane?.live && lane.live.revision === state.revision ? lane.live : undefined;
  return {
    app: target.app,
    environment: target.environment,
    ...('release' in version && version.release ? { release: version.release } : {}),
    ...(known ? { tag: known.tag, since: known.at, by: known.by } : {}),
    ...state,
    lane: { ...(lock ? { lock } : {}), ...(running ? { running } : {}), waiting, waitingCount },
    ...(promotion ? { promotion } : {}),
    warnings: [
      ...warnings,
      ...version.warnings,
      ...drift({ context, target, lane, revision: settled ? state.revision : undefined }),
    ],
    links: linksOfApp(links, target),
  };
}

function drift(of: {
  context: Context;
  target: Target;
  lane: LaneView | undefined;
  /** Of PRIMARY, where it has settled. */
  revision: string | undefined;
}): Warning[] {
  const { context, target, lane, revision } = of;
  const warning = driftOf({
    ...target,
    live: lane?.live,
    revision,
    busy: lane?.running !== undefined,
    hasPromotion: context.config.apps[target.app]?.promotion !== undefined,
    now: new Date(),
  });
  return warning ? [warning] : [];
}
