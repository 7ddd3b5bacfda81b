/** What a deployment leaves in Temporal: events and bytes of its history, however long it took. */
import { deploymentWorkflowId } from '../domain/ids.js';
import type { Bench, Lane } from './site.js';
import { withBench } from './site.js';
import { largest } from './statistics.js';
import type { Figure, Report } from './table.js';
import { show } from './table.js';

interface Plan {
  /** How long the old tasks drain, which is how long the rollout takes. */
  drainMs: number;
  /** Built, and the build takes at least so long. */
  buildS?: number;
}

interface Left extends Plan {
  /** Accepted to finished. */
  tookMs: number;
  told: boolean;
  events: number;
  bytes: number;
}

type What = { tag: string } | { commit: string };

interface HistoryOptions {
  plans: Plan[];
  tellAfter: string;
}

const MINUTE = 60_000;

/** `limits.tellAfter` in seconds lets a rollout of a minute be one that is too slow. */
const SHORT: HistoryOptions = {
  tellAfter: '30s',
  plans: [
    ...[5_000, 5_000, 20_000, 40_000, MINUTE].map((drainMs) => ({ drainMs })),
    ...[5_000, 20_000, MINUTE].map((drainMs) => ({ drainMs, buildS: 0 })),
    { drainMs: 5_000, buildS: 90 },
  ],
};

/** With the default limits. Half a minute before and behind the 15 minutes, at which it is told. */
const LONG: HistoryOptions = {
  tellAfter: '15m',
  plans: [
    ...[MINUTE, 14.5 * MINUTE, 15.5 * MINUTE].map((drainMs) => ({ drainMs })),
    ...[MINUTE, 14 * MINUTE, 15.5 * MINUTE].map((drainMs) => ({ drainMs, buildS: 0 })),
    { drainMs: MINUTE, buildS: 600 },
  ],
};

const SMALL: HistoryOptions = {
  tellAfter: '10s',
  plans: [{ drainMs: 2_000 }, { drainMs: 15_000 }, { drainMs: 2_000, buildS: 0 }],
};

/** All plans at the same time, each in a service of its own. */
export async function history({ size }: { size: 'small' | 'short' | 'long' }): Promise<Report> {
  const { plans, tellAfter } = { small: SMALL, short: SHORT, long: LONG }[size];
  const prepare = plans.map(({ buildS }) => (buildS ? [`sleep ${buildS}`] : undefined));
  return withBench({ apps: plans.length, limits: { tellAfter }, prepare }, async (bench) => {
    const asked: What[] = [];
    // One commit after the other; each build is one of its own.
    for (const [at, { buildS }] of plans.entries()) {
      const lane = bench.lanes[at]!;
      asked.push(
        buildS !== undefined
          ? { commit: await bench.sample.commit({ app: 'frontend' }) }
          : { tag: bench.images(lane) },
      );
    }
    const left = await Promise.all(plans.map((plan, at) => run(bench, bench.lanes[at]!, plan, asked[at]!)));
    return report(left, tellAfter);
  });
}

async function run(bench: Bench, lane: Lane, plan: Plan, what: What): Promise<Left> {
  bench.aws.behave({ ...lane.ref, behaviour: { drainMs: plan.drainMs } });
  const { id } = await bench.deploy(lane, what);
  const {
    queuedAt,
    finishedAt = '',
    warnings,
  } = await bench.succeeded(id, plan.drainMs + (plan.buildS ?? 0) * 1_000 + 3 * MINUTE);
  const handle = bench.workflows.getHandle(deploymentWorkflowId(id));
  // It says how it ends before it closes.
  await handle.result();
  const { historyLength: events, historySize: bytes = NaN } = await handle.describe();
  const told = warnings.some(({ code }) => code === 'SLOW');
  return { ...plan, tookMs: Date.parse(finishedAt) - Date.parse(queuedAt), told, events, bytes };
}

function report(all: readonly Left[], tellAfter: string): Report {
  return {
    part: 'history',
    title: 'History of a deployment',
    how: [
      `${all.length} deployments at the same time, each in a service of its own, with \`limits.tellAfter: ${tellAfter}\`. ` +
        'They differ in how long the old tasks drain. “Told”: it took longer than `tellAfter`, the maintainers were told, and the work went on. ' +
        'Events and bytes are Temporal’s own count of the closed workflow.',
    ],
    figures: [...figuresOf(all, false), ...figuresOf(all, true)],
    details: [
      {
        title: 'In detail',
        head: ['images', 'took', 'told', 'events', 'bytes'],
        rows: all.map(({ buildS, tookMs, told, events, bytes }) => [
          buildS === undefined ? 'present' : buildS > 0 ? `built in more than ${buildS} s` : 'built',
          show(tookMs / 1000, 's'),
          told ? 'yes' : 'no',
          events,
          bytes,
        ]),
      },
    ],
  };
}

function figuresOf(all: readonly Left[], isBuild: boolean): Figure[] {
  const those = all.filter(({ buildS }) => (buildS !== undefined) === isBuild);
  const quiet = those.filter(({ told }) => !told);
  const told = those.filter((one) => one.told);
  const most = (left: readonly Left[], of: 'events' | 'bytes'): number => largest(left.map((one) => one[of]));
  const byTime = [...quiet].sort((a, b) => a.tookMs - b.tookMs);
  const [shortest, longest] = [byTime[0], byTime.at(-1)];
  const what = isBuild ? 'with a build' : 'images present';
  return [
    {
      what: `${what}: events, most`,
      value: most(those, 'events'),
      unit: 'events',
      target: isBuild ? 90 : 70,
    },
    { what: `${what}: bytes, most`, value: most(those, 'bytes'), unit: 'bytes' },
    ...(shortest && longest && shortest !== longest
      ? [
          {
            what: `${what}: events more after ${show(longest.tookMs / 1000, 's')} than after ${show(shortest.tookMs / 1000, 's')}, not told`,
            value: longest.events - shortest.events,
            unit: 'events' as const,
            target: 0,
          },
        ]
      : []),
    ...(quiet.length > 0 && told.length > 0
      ? [
          {
            what: `${what}: events more where the maintainers were told`,
            value: most(told, 'events') - most(quiet, 'events'),
            unit: 'events' as const,
          },
        ]
      : []),
  ];
}
