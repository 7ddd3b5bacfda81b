/** What runs where. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import type { Target } from '../../domain/deployment.js';
import { allTargets } from '../checks.js';
import type { Context } from '../context.js';
import { linksOfApp, serviceOf } from '../links.js';
import type { ServiceState } from '../live.js';
import { App } from '../schemas/apps.js';
import { errors, listOf } from '../schemas/common.js';
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

export const readApps = (context: Context): Promise<Static<typeof App>[]> =>
  Promise.all(allTargets(context.config).map((target) => readApp(context, target)));

const NOTHING_KNOWN: ServiceState = { warnings: [] };

async function readApp(context: Context, target: Target): Promise<Static<typeof App>> {
  const { live, temporal, config, links } = context;
  const versionUrl = serviceOf(config, target)?.versionUrl;
  const [lane, services, version] = await Promise.all([
    readLane(temporal, target),
    live.services(target.environment),
    versionUrl ? live.version(versionUrl) : { warnings: [] },
  ]);
  const { warnings, ...state } = services.get(target.app) ?? NOTHING_KNOWN;
  const { waiting = [], waitingCount = 0, lock, running } = lane ?? {};
  // The lane's last success names the tag only while the service still runs its revision.
  const tag = lane?.live && lane.live.revision === state.revision ? lane.live.tag : undefined;
  return {
    app: target.app,
    environment: target.environment,
    ...('release' in version && version.release ? { release: version.release } : {}),
    ...(tag ? { tag } : {}),
    ...state,
    lane: { ...(lock ? { lock } : {}), ...(running ? { running } : {}), waiting, waitingCount },
    warnings: [...warnings, ...version.warnings],
    links: linksOfApp(links, target),
  };
}
