/** What the stream of everything is made of. */
import type { PromotionQueueView } from '../domain/promotion/promotion.js';
import type { DeploymentView } from '../domain/view.js';
import type { Context } from './context.js';
import { shownTo } from './context.js';
import type { Item, Put, Source } from './feed.js';
import { linksOfRelease } from './links.js';
import { readApps } from './routes/apps.js';
import { readDeployment } from './temporal/reads.js';
import { deploymentsSince, releasesSince } from './temporal/recent.js';
import { readQueue } from './temporal/promotions.js';
import { readRelease } from './temporal/releases.js';

const LISTED_EVERY_MS = 1_000;
/** As often as what it asks is remembered. */
const APPS_EVERY_MS = 2_000;
const PROMOTIONS_EVERY_MS = 1_000;

export const sourcesOf = (context: Context): Source[] => [
  deployments(context),
  polled('app', APPS_EVERY_MS, async () =>
    (await readApps(context)).map((value) => ({ key: `${value.environment}.${value.app}`, value })),
  ),
  polled('promotion', PROMOTIONS_EVERY_MS, async () =>
    (await readQueues(context)).map((value) => ({ key: value.app, value })),
  ),
  releases(context),
];

/** The promotion queue of every app that has one. */
const readQueues = ({ config, temporal }: Context): Promise<PromotionQueueView[]> =>
  Promise.all(
    Object.entries(config.apps).flatMap(([app, { promotion }]) =>
      promotion ? [readQueue(temporal, app, { queue: promotion.queue, approval: promotion.approval })] : [],
    ),
  );

/** A kind of thing that is read as a whole. */
export const polled = (event: string, everyMs: number, read: () => Promise<Item[]>): Source => ({
  event,
  everyMs,
  read: async (put) => (await read()).forEach(put),
});

/** Each unfinished one is watched, by the same watch as its own stream's; ended ones are read once. */
function deployments(context: Context): Source {
  const { temporal, watchers } = context;
  const watched = new Map<string, () => void>();
  const news = sinceLast();

  const put = (view: DeploymentView, give: Put): void =>
    give({ key: view.id, value: view, ...(view.state === 'finished' ? { over: true } : {}) });

  const watch = (id: string, give: Put): void => {
    watched.set(id, () => undefined);
    const unwatch = watchers.watch(id, {
      changed: (view) => {
        if (view.state === 'finished') news.told(id);
        put(view, give);
      },
      ended: () => watched.delete(id),
    });
    watched.set(id, unwatch);
  };

  return {
    event: 'deployment',
    everyMs: LISTED_EVERY_MS,
    read: (give) =>
      news.read(
        (since) => deploymentsSince(temporal, since),
        async ({ id, state }) => {
          if (state !== 'finished') {
            if (!watched.has(id)) watch(id, give);
            return;
          }
          const view = watched.has(id) ? undefined : await readDeployment(temporal, id);
          if (view) put(view, give);
        },
      ),
    stop() {
      const all = [...watched.values()];
      watched.clear();
      for (const unwatch of all) unwatch();
    },
    forget: () => news.forget(),
    shown: (view, person) => shownTo(context, view as DeploymentView, person),
  };
}

function releases({ temporal, links }: Context): Source {
  const news = sinceLast();
  return {
    event: 'release',
    everyMs: LISTED_EVERY_MS,
    read: (give) =>
      news.read(
        (since) => releasesSince(temporal, since),
        async ({ id }) => {
          const release = await readRelease(temporal, id);
          if (!release) return;
          const over = release.state === 'finished' ? { over: true } : {};
          give({ key: id, value: { ...release, links: linksOfRelease(links, release) }, ...over });
        },
      ),
    forget: () => news.forget(),
  };
}

/** Visibility lags, and clocks differ: what has ended is looked for that much further back. */
const LAG_MS = 60_000;

/** What is under way, and each that has ended since the last time it was looked: that one once. */
function sinceLast() {
  let last: number | undefined;
  /** Id → when it was told, epoch ms. */
  const ended = new Map<string, number>();
  const told = (id: string): void => void ended.set(id, Date.now());
  return {
    told,
    forget: (): void => void (last = undefined),
    async read<T extends { id: string; state: string }>(
      list: (since: Date) => Promise<T[]>,
      take: (one: T) => Promise<void>,
    ): Promise<void> {
      const at = Date.now();
      const isFirst = last === undefined;
      const items = await list(new Date((last ?? at) - LAG_MS));
      for (const one of items) {
        const isOver = one.state === 'finished';
        if (isOver && ended.has(one.id)) continue;
        // Ended before anybody listened for the first time: a past that the lists tell.
        if (!(isOver && isFirst)) await take(one);
        if (isOver) told(one.id);
      }
      last = at;
      for (const [id, when] of ended) if (when < at - 3 * LAG_MS) ended.delete(id);
    },
  };
}
