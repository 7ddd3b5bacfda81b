/** What a whole promotion leaves in Temporal: events of each workflow that had a part in it. */
import { RECONCILE_SCHEDULE_ID } from '../clients/reconcile-schedule.js';
import { promotionWorkflowId } from '../domain/ids.js';
import { WORKFLOW } from '../domain/messages.js';
import type { HistoryEvent } from './events-of.js';
import { eventsOf } from './events-of.js';
import type { App } from './promoted.js';
import { promoteOnce, QUICK } from './promoted.js';
import type { Bench } from './site.js';
import { until, withBench } from './site.js';
import { sum } from './statistics.js';
import type { Figure, Report } from './table.js';
import { together } from './together.js';

/** Of one workflow: what it is, and its history by Temporal's own count. */
interface Counted {
  type: string;
  events: number;
  bytes: number;
  open: boolean;
}

/** Run → what it is. */
type Census = Map<string, Counted>;

export interface Share {
  type: string;
  workflows: number;
  events: number;
  bytes: number;
}

export interface Histories {
  app: App;
  shares: Share[];
  /** The queue's own new events, by their kind. */
  queue: HistoryEvent[];
}

/** These live longer than a promotion: only what it adds to them counts. */
const ENTITIES: readonly string[] = [WORKFLOW.promotionQueue, WORKFLOW.lane, WORKFLOW.releases];

/** By itself: of the app with two images. */
export async function promotionHistory(): Promise<Report> {
  return withBench({ timings: QUICK }, async (bench) => {
    await promoteOnce(bench, 'api', 'The first one');
    return historiesReport('history', [await historiesOf(bench, 'api')]);
  });
}

/** One more promotion of an app whose queue and lanes are there already. Nothing else may run. */
export async function historiesOf(bench: Bench, app: App): Promise<Histories> {
  // What it does would be counted too.
  await bench.client.schedule.getHandle(RECONCILE_SCHEDULE_ID).pause();
  const before = await settled(bench);
  const queueId = promotionWorkflowId(app);
  const { length } = await eventsOf(bench, queueId);
  await promoteOnce(bench, app, 'Counted');
  const after = await settled(bench);
  const queue = (await eventsOf(bench, queueId)).slice(length);
  return { app, shares: sharesOf(before, after), queue };
}

function sharesOf(before: Census, after: Census): Share[] {
  const shares = new Map<string, Share>();
  for (const [run, { type, ...now }] of after) {
    const { events, bytes } = before.get(run) ?? { events: 0, bytes: 0 };
    if (now.events === events) continue;
    const share = shares.get(type) ?? { workflows: 0, events: 0, bytes: 0 };
    shares.set(type, {
      type,
      workflows: share.workflows + 1,
      events: share.events + now.events - events,
      bytes: share.bytes + now.bytes - bytes,
    });
  }
  return [...shares.values()].sort((a, b) => b.events - a.events);
}

/** Once all but the entities have closed, and nothing moves any more: visibility lags. */
async function settled(bench: Bench): Promise<Census> {
  let last = '';
  return until(
    'all workflows of the promotion have closed',
    async () => {
      const census = await censusOf(bench);
      const text = JSON.stringify([...census].sort());
      const isSame = text === last;
      last = text;
      const isOver = [...census.values()].every(({ type, open }) => !open || ENTITIES.includes(type));
      return isSame && isOver && census;
    },
    { everyMs: 1_000 },
  );
}

async function censusOf({ workflows }: Bench): Promise<Census> {
  const found: { workflowId: string; runId: string }[] = [];
  for await (const { workflowId, runId } of workflows.list()) found.push({ workflowId, runId });
  const census: Census = new Map();
  await together(found, 10, async ({ workflowId, runId }) => {
    const handle = workflows.getHandle(workflowId, runId);
    const { type, historyLength: events, historySize: bytes = NaN, status } = await handle.describe();
    census.set(runId, { type, events, bytes, open: status.name === 'RUNNING' });
  });
  return census;
}

export function historiesReport(part: string, all: readonly Histories[]): Report {
  return {
    part,
    title: 'History of a whole promotion',
    how: [
      `From the merge to “promoted”: ${all.map(({ app }) => app).join(', then ')}, each with its queue and lanes there already. Counted in Temporal before and after: closed workflows whole, queue and lanes by what they grew.`,
    ],
    figures: all.flatMap(figuresOf),
    details: all.flatMap(({ app, shares, queue }) => [
      {
        title: `\`${app}\`, workflow by workflow`,
        head: ['workflow', 'how many', 'events', 'bytes'],
        rows: shares.map(({ type, workflows, events, bytes }) => [type, workflows, events, bytes]),
      },
      { title: `\`${app}\`, the queue’s own events`, head: ['event', 'how many'], rows: kindsOf(queue) },
    ]),
  };
}

function figuresOf({ app, shares }: Histories): Figure[] {
  const events = (type: string): number => shares.find((share) => share.type === type)?.events ?? NaN;
  return [
    {
      what: `${app}: events of all workflows`,
      value: sum(shares.map((share) => share.events)),
      unit: 'events',
    },
    { what: `${app}: bytes of all`, value: sum(shares.map(({ bytes }) => bytes)), unit: 'bytes' },
    { what: `${app}: of the queue`, value: events(WORKFLOW.promotionQueue), unit: 'events' },
    { what: `${app}: of both deployments`, value: events(WORKFLOW.deployment), unit: 'events' },
    { what: `${app}: of the tests`, value: events(WORKFLOW.tests), unit: 'events' },
  ];
}

/** Activities by their name. */
function kindsOf(events: readonly HistoryEvent[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const event of events) {
    const kind = kindOf(event);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function kindOf(event: HistoryEvent): string {
  const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
  if (activity) return `ActivityTaskScheduled: ${activity}`;
  const signal = event.workflowExecutionSignaledEventAttributes?.signalName;
  if (signal) return `WorkflowExecutionSignaled: ${signal}`;
  const attributes = Object.keys(event).find((key) => key.endsWith('EventAttributes'));
  return (attributes ?? 'unknown')
    .replace(/EventAttributes$/, '')
    .replace(/^./, (first) => first.toUpperCase());
}
