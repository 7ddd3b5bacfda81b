/** From "the service is stable" to "the deployment says so": ours, and the AWS SDK's waiter beside it. */
import { ECSClient, waitUntilServicesStable } from '@aws-sdk/client-ecs';
import { AWS_KEYS } from '../sandbox/settings.js';
import { afterEvents, withEvents } from './events.js';
import type { Bench, Lane } from './site.js';
import { until, withBench } from './site.js';
import { largest, median, p95 } from './statistics.js';
import type { Report } from './table.js';
import { seconds, show } from './table.js';

/** As often the stand-in is asked whether it is stable, and from then on the API whether it says so. */
const ASKED_EVERY_MS = 50;
/** The waiter stops here; by default it has no such limit, which must be given. */
const WAITER_WITHIN_S = 600;

interface Rollout {
  /** Of the rollout, UpdateService to stable. */
  tookMs: number;
  /** Stable to: the API shows step `stabilise` as done. */
  shownMs: number;
  /** Stable to: the time that the workflow recorded for the end of step `stabilise`. */
  recordedMs: number;
  waiterMs: number;
  waiterCalls: number;
}

/** @param rollouts in rounds of ten services, which roll out at the same time; then as many with events */
export async function detection({ rollouts }: { rollouts: number }): Promise<Report> {
  const apps = Math.min(10, rollouts);
  return withBench({ apps }, async (bench) => {
    const all: Rollout[] = [];
    let watchCalls = 0;
    for (let done = 0; done < rollouts; done += apps) {
      const since = Date.now();
      const lanes = bench.lanes.slice(0, Math.min(apps, rollouts - done));
      const round = await Promise.all(
        lanes.map((lane, at) => rollOut(bench, lane, drainOf(done + at, rollouts))),
      );
      const reads = bench.aws.counts({ since })['ecs:DescribeServices'] ?? 0;
      const theirs = round.reduce((total, { waiterCalls }) => total + waiterCalls, 0);
      // Two of each deployment's reads are those of `look` and `update`: the waiter's user makes them too.
      watchCalls += reads - theirs - 2 * round.length;
      all.push(...round);
    }
    const told = await afterEvents(bench, Math.min(apps, rollouts));
    return withEvents(report(all, watchCalls, apps), told);
  });
}

/** Old tasks drain for 2 to 42 s, spread evenly: so the waiter's pauses are met at every point. */
const drainOf = (at: number, of: number): number => 2_000 + (40_000 * ((at * 7) % of)) / of;

async function rollOut(bench: Bench, lane: Lane, drainMs: number): Promise<Rollout> {
  const { aws } = bench;
  aws.behave({ ...lane.ref, behaviour: { drainMs } });
  const before = bench.standing(lane).history.length;
  const { id } = await bench.deploy(lane, { tag: bench.images(lane) });
  const began = await until('UpdateService', () => bench.standing(lane).history[before]?.at, { everyMs: 10 });
  const waiter = waitAsTheSdkDoes(bench, lane);
  const stableAt = await until('stable', () => bench.standing(lane).stableAt, { everyMs: ASKED_EVERY_MS });
  const shownAt = await until(
    `${id} says that it is stable`,
    async () => {
      const { steps } = await bench.read(id);
      return steps.some(({ name, state }) => name === 'stabilise' && state === 'done') && Date.now();
    },
    { everyMs: ASKED_EVERY_MS },
  );
  const { steps } = await bench.succeeded(id);
  const recordedAt = Date.parse(steps.find(({ name }) => name === 'stabilise')?.finishedAt ?? '');
  const { at: waitedAt, calls: waiterCalls } = await waiter;
  return {
    tookMs: stableAt - began,
    shownMs: shownAt - stableAt,
    recordedMs: recordedAt - stableAt,
    waiterMs: waitedAt - stableAt,
    waiterCalls,
  };
}

/** Begun directly after UpdateService, as its users do. */
async function waitAsTheSdkDoes({ aws }: Bench, { ref }: Lane): Promise<{ at: number; calls: number }> {
  const client = new ECSClient({
    region: 'us-east-1',
    endpoint: aws.url,
    credentials: { accessKeyId: AWS_KEYS.id, secretAccessKey: AWS_KEYS.secret },
  });
  let calls = 0;
  client.middlewareStack.add((next) => (args) => ((calls += 1), next(args)), { step: 'finalizeRequest' });
  try {
    await waitUntilServicesStable(
      { client, maxWaitTime: WAITER_WITHIN_S },
      { cluster: ref.cluster, services: [ref.service] },
    );
    return { at: Date.now(), calls };
  } finally {
    client.destroy();
  }
}

function report(all: readonly Rollout[], watchCalls: number, together: number): Report {
  const shown = all.map(({ shownMs }) => shownMs);
  const recorded = all.map(({ recordedMs }) => recordedMs);
  const waited = all.map(({ waiterMs }) => waiterMs);
  const ours = watchCalls / all.length;
  const theirs = all.reduce((total, { waiterCalls }) => total + waiterCalls, 0) / all.length;
  const row = (who: string, ms: readonly number[], calls: number): string[] => [
    who,
    ...[median(ms), p95(ms), largest(ms)].map(seconds),
    show(calls, 'calls'),
  ];
  const times = all.map(({ tookMs }) => tookMs);
  return {
    part: 'detection',
    title: 'From “service is stable” to “deployment says so”',
    how: [
      `${all.length} rollouts, ${together} at a time, of ${seconds(Math.min(...times))} to ${seconds(largest(times))}. ` +
        `Each is watched by Sluice and by the AWS SDK’s \`waitUntilServicesStable\` with its default settings, begun directly after UpdateService. ` +
        `The instant of stability is the stand-in’s own. Ours has said so when \`GET /api/deployments/{id}\`, asked every ${ASKED_EVERY_MS} ms, shows step \`stabilise\` as done.`,
    ],
    figures: [
      { what: 'ours, median', value: median(shown) / 1000, unit: 's', target: 0.7 },
      { what: 'ours, p95', value: p95(shown) / 1000, unit: 's' },
      { what: 'ours, median, by the workflow’s own record', value: median(recorded) / 1000, unit: 's' },
      { what: 'AWS SDK’s waiter, median', value: median(waited) / 1000, unit: 's' },
      { what: 'waiter : ours, medians', value: median(waited) / median(shown), unit: 'times' },
      { what: 'waiter : ours, p95', value: p95(waited) / p95(shown), unit: 'times' },
      { what: 'calls a rollout, ours', value: ours, unit: 'calls' },
      { what: 'calls a rollout, waiter', value: theirs, unit: 'calls' },
      { what: 'calls, ours : waiter', value: ours / theirs, unit: 'times' },
    ],
    details: [
      {
        title: 'In detail',
        head: ['who', 'median', 'p95', 'longest', 'DescribeServices a rollout'],
        rows: [
          row('Sluice, as the API shows it', shown, ours),
          row('Sluice, as the workflow recorded it', recorded, ours),
          row('waitUntilServicesStable', waited, theirs),
        ],
      },
    ],
  };
}
