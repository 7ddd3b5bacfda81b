/** All that the page knows of what happens, made of the stream's events; bounded, however long it stays open. */
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import type { Road } from './road.js';
import type { Place, Settings, ShownDeployment, ShownRelease } from './types.js';
import { PRODUCTION, STAGING } from './types.js';

export interface World {
  /** `{environment}/{app}` → it. As many as are configured. */
  places: ReadonlyMap<string, Place>;
  /** App → its queue. */
  queues: ReadonlyMap<string, PromotionQueueView>;
  /** The newest change last. */
  deployments: ReadonlyMap<string, ShownDeployment>;
  /** The newest change last. */
  releases: ReadonlyMap<string, ShownRelease>;
}

export type News =
  | { name: 'app'; data: Place }
  | { name: 'promotion'; data: PromotionQueueView }
  | { name: 'deployment'; data: ShownDeployment }
  | { name: 'release'; data: ShownRelease };

export const NEWS = ['app', 'promotion', 'deployment', 'release'] as const;

/** Far more than run at once; the whole history is the API's. */
export const KEPT = 200;

export const emptyWorld: World = {
  places: new Map(),
  queues: new Map(),
  deployments: new Map(),
  releases: new Map(),
};

export function told(world: World, news: News): World {
  switch (news.name) {
    case 'app': {
      const { environment, app } = news.data;
      return { ...world, places: new Map(world.places).set(`${environment}/${app}`, news.data) };
    }
    case 'promotion':
      return { ...world, queues: new Map(world.queues).set(news.data.app, news.data) };
    case 'deployment':
      return { ...world, deployments: kept(world.deployments, news.data) };
    case 'release':
      return { ...world, releases: kept(world.releases, news.data) };
  }
}

/** What has ended goes first when there are too many; an end is final. */
function kept<T extends { id: string; state: string }>(
  all: ReadonlyMap<string, T>,
  one: T,
): ReadonlyMap<string, T> {
  if (all.get(one.id)?.state === 'finished' && one.state !== 'finished') return all;
  const next = new Map(all);
  next.delete(one.id);
  next.set(one.id, one);
  while (next.size > KEPT) {
    const oldest = [...next.values()].find(({ state }) => state === 'finished') ?? [...next.values()][0];
    if (oldest) next.delete(oldest.id);
  }
  return next;
}

/** Of every app that is configured, in that order. */
export function roadsOf(world: World, settings: Settings): Road[] {
  return settings.apps.map(({ app, releaseOnly, promotion }) => {
    const [staging, production] = [STAGING, PRODUCTION].map((environment) =>
      world.places.get(`${environment}/${app}`),
    );
    const queue = world.queues.get(app);
    const deploying = (place: Place | undefined) =>
      place?.lane.running ? world.deployments.get(place.lane.running.id) : undefined;
    const atStaging = deploying(staging);
    const atProduction = deploying(production);
    return {
      app,
      releaseOnly,
      hasQueue: promotion || queue !== undefined,
      ...(queue ? { queue } : {}),
      ...(staging ? { staging } : {}),
      ...(production ? { production } : {}),
      deploying: {
        ...(atStaging ? { staging: atStaging } : {}),
        ...(atProduction ? { production: atProduction } : {}),
      },
    };
  });
}

/** Everything came anew: what it lacks is gone, but for what had ended. How the rest ended is asked for where it is shown. */
export function renewed(before: World, arrived: World): World {
  return {
    ...arrived,
    deployments: withEnded(before.deployments, arrived.deployments),
    releases: withEnded(before.releases, arrived.releases),
  };
}

const withEnded = <T extends { state: string }>(
  before: ReadonlyMap<string, T>,
  arrived: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> =>
  new Map([...[...before].filter(([id, { state }]) => state === 'finished' && !arrived.has(id)), ...arrived]);
