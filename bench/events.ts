/** From EventBridge's event to "the deployment says so": the stand-in sends it when the service is stable. */
import { ECS_WEBHOOK_SECRET } from '../sandbox/settings.js';
import type { Bench, Lane } from './site.js';
import { until } from './site.js';
import { largest, median, p95 } from './statistics.js';
import type { Report } from './table.js';
import { seconds } from './table.js';

/** As often the API is asked. */
const ASKED_EVERY_MS = 20;
/** One after the other: an event's way is measured, not a queue. */
const APART_MS = 700;

export interface Told {
  /** Event to: the API shows step `stabilise` as done. */
  shownMs: number;
  /** Event to: the time that the workflow recorded for it. */
  recordedMs: number;
}

export async function afterEvents(bench: Bench, rollouts: number): Promise<Told[]> {
  bench.aws.eventsTo({ url: `${bench.apiUrl}/webhooks/ecs`, secret: ECS_WEBHOOK_SECRET });
  return await Promise.all(bench.lanes.slice(0, rollouts).map((lane, at) => rollOut(bench, lane, at)));
}

async function rollOut(bench: Bench, lane: Lane, at: number): Promise<Told> {
  bench.aws.behave({ ...lane.ref, behaviour: { drainMs: 3_000 + at * APART_MS } });
  const { id } = await bench.deploy(lane, { tag: bench.images(lane) });
  const isShown = async (): Promise<number | false> => {
    const { steps } = await bench.read(id);
    return steps.some(({ name, state }) => name === 'stabilise' && state === 'done') && Date.now();
  };
  const shownAt = await until(`${id} says that it is stable`, isShown, { everyMs: ASKED_EVERY_MS });
  const { steps } = await bench.succeeded(id);
  const recordedAt = Date.parse(steps.find(({ name }) => name === 'stabilise')?.finishedAt ?? '');
  const sentAt = bench.standing(lane).stableAt ?? NaN;
  return { shownMs: shownAt - sentAt, recordedMs: recordedAt - sentAt };
}

export function withEvents(report: Report, told: readonly Told[]): Report {
  const shown = told.map(({ shownMs }) => shownMs);
  const recorded = told.map(({ recordedMs }) => recordedMs);
  return {
    ...report,
    how: [
      ...report.how,
      `Then ${told.length} rollouts, at once, that end one after the other: the stand-in sends EventBridge’s event to \`POST /webhooks/ecs\` at the instant of stability. The API is asked every ${ASKED_EVERY_MS} ms.`,
    ],
    figures: [
      ...report.figures,
      {
        what: 'detection after the EventBridge event, median',
        value: median(shown) / 1000,
        unit: 's',
        target: 0.2,
      },
      { what: 'detection after the EventBridge event, p95', value: p95(shown) / 1000, unit: 's' },
    ],
    details: [
      ...report.details,
      {
        title: 'After the event',
        head: ['who', 'median', 'p95', 'longest'],
        rows: [
          ['Sluice, as the API shows it', ...[median(shown), p95(shown), largest(shown)].map(seconds)],
          [
            'Sluice, as the workflow recorded it',
            ...[median(recorded), p95(recorded), largest(recorded)].map(seconds),
          ],
        ],
      },
    ],
  };
}
