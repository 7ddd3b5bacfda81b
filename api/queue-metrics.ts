/** What waits, as Prometheus reads it: from the memos of lanes and promotion queues, at the time of the scrape. */
import { Gauge } from 'prom-client';
import type { LaneView } from '../domain/messages.js';
import { MEMO } from '../domain/messages.js';
import { promotionWorkflowId } from '../domain/ids.js';
import type { PromotionQueueView } from '../domain/promotion/promotion.js';
import { cached } from './cache.js';
import { allTargets } from './checks.js';
import type { ApiDeps } from './context.js';
import { describe, readLane } from './temporal/reads.js';

/** Several that scrape, or one in a hurry, ask Temporal once. */
const KEPT_MS = 5_000;

interface Queues {
  temporal: 0 | 1;
  lanes: LaneView[];
  promotions: PromotionQueueView[];
}

type Asked = Pick<ApiDeps, 'config' | 'temporal' | 'metrics'>;

export function addQueueMetrics({ config, temporal, metrics }: Asked): void {
  const read = cached(KEPT_MS, () => readQueues({ config, temporal, metrics }));
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    values: (queues: Queues) => { labels: Record<L, string>; value: number }[],
  ): void => {
    new Gauge({
      ...{ name, help, labelNames, registers: [metrics.registry] },
      async collect() {
        this.reset();
        for (const { labels, value } of values(await read(''))) this.set(labels, value);
      },
    });
  };
  const service = ['app', 'environment'] as const;
  const ofLanes = (name: string, help: string, value: (lane: LaneView) => number): void =>
    gauge(name, help, service, ({ lanes }) =>
      lanes.map((lane) => ({
        labels: { app: lane.app, environment: lane.environment },
        value: value(lane),
      })),
    );
  ofLanes('sluice_lane_waiting', 'Deployments that wait for their turn', (lane) => lane.waitingCount);
  ofLanes('sluice_lane_running', 'Deployments that have the turn: 0 or 1', (lane) => (lane.running ? 1 : 0));
  ofLanes('sluice_lane_locked', '1: a person has locked it', (lane) => (lane.lock ? 1 : 0));
  ofLanes('sluice_lane_oldest_wait_seconds', 'Since the one that waits longest was accepted', ({ waiting }) =>
    secondsSince(waiting.map(({ queuedAt }) => queuedAt)),
  );

  const ofPromotions = (name: string, help: string, value: (queue: PromotionQueueView) => number): void =>
    gauge(name, help, ['app'] as const, ({ promotions }) =>
      promotions.map((queue) => ({ labels: { app: queue.app }, value: value(queue) })),
    );
  ofPromotions('sluice_promotions_waiting', 'Merges that wait for staging', (queue) => queue.waitingCount);
  ofPromotions('sluice_promotion_queue_locked', '1: a person has locked it', (queue) => (queue.lock ? 1 : 0));
  ofPromotions(
    'sluice_promotions_oldest_wait_seconds',
    'Since the merge that waits longest was seen',
    ({ waiting }) => secondsSince(waiting.map(({ queuedAt }) => queuedAt)),
  );
  gauge(
    'sluice_promotion_waiting_for_seconds',
    'For how long a queue, or its current promotion, has waited for something',
    ['app', 'code'] as const,
    ({ promotions }) =>
      promotions.flatMap(({ app, waitingFor, current }) => {
        const why = waitingFor ?? current?.waitingFor;
        return why ? [{ labels: { app, code: why.code }, value: secondsSince([why.since]) }] : [];
      }),
  );
  gauge('sluice_temporal_up', '1: Temporal answered this API', [], ({ temporal: value }) => [
    { labels: {}, value },
  ]);
}

async function readQueues({ config, temporal }: Asked): Promise<Queues> {
  const apps = Object.keys(config.apps);
  try {
    const lanes = await whole(allTargets(config).map((target) => readLane(temporal, target)));
    const promotions = await whole(apps.map((app) => describe(temporal, promotionWorkflowId(app))));
    return {
      temporal: 1,
      lanes: lanes.filter((lane) => lane !== undefined),
      promotions: promotions.flatMap((found) => {
        const view = found?.memo?.[MEMO.promotions] as PromotionQueueView | undefined;
        return view ? [view] : [];
      }),
    };
  } catch {
    // What cannot be read is left out: a 0 would say that nothing waits.
    return { temporal: 0, lanes: [], promotions: [] };
  }
}

/** Ends when all have ended: none is still under way when the process closes its connection. @throws the first error */
async function whole<T>(asked: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(asked);
  return await Promise.all(asked);
}

const secondsSince = (times: readonly string[]): number =>
  times.length === 0 ? 0 : Math.max(0, (Date.now() - Math.min(...times.map((at) => Date.parse(at)))) / 1000);
