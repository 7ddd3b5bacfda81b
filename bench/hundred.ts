/**
 * Many rollouts at once on one worker: calls to ECS, how soon their end is seen, how soon their progress; the
 * worker's memory, and how long short activities wait beside them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../domain/deployment.js';
import { deploymentWorkflowId } from '../domain/ids.js';
import { residentMb } from './machine.js';
import { progress } from './progress.js';
import type { Waits } from './short-activities.js';
import { shortActivities } from './short-activities.js';
import type { Accepted, Bench, Lane } from './site.js';
import { API_LANES, until, withBench } from './site.js';
import { fullestWindow, largest, median, p95 } from './statistics.js';
import type { Figure, Report } from './table.js';
import { seconds, show } from './table.js';

const CALLS_PER_SECOND = 10;
const ASKED_TOGETHER = 5;
const ROUNDS = 3;
const TIMES_BESIDE = 8;
/** Of the services, whose progress is looked for: to ask for all would measure the asking. */
const LOOKED_AT = 10;

interface Rollout extends Accepted {
  lane: Lane;
}

/** Epoch milliseconds. */
interface Phases {
  asked: number;
  watched: number;
  released: number;
  ended: number;
}

interface Measured {
  rollouts: Rollout[];
  phases: Phases;
  reads: number[];
  stableToRecordedMs: number[];
  progressMs: number[];
  waits: Waits;
  memory: { before: number; during: number };
}

export async function hundred({ services }: { services: number }): Promise<Report[]> {
  const limits = { callsPerSecond: CALLS_PER_SECOND };
  return withBench({ apps: services, limits }, async (bench) => {
    const measured = await measure(bench);
    return [limitsReport(services, measured), besideReport(services, measured)];
  });
}

async function measure(bench: Bench): Promise<Measured> {
  const { aws, lanes } = bench;
  const { pid } = bench.processes.worker;
  const before = await residentMb(pid);
  freeze(bench, true);
  const asked = Date.now();
  const rollouts = await askAll(bench);
  await until('all rollouts are watched', () =>
    lanes.every((lane) => aws.standing(lane.ref).stableAt === undefined),
  );
  // The watches begin with the answer of UpdateService.
  await sleep(2_000);
  const watched = Date.now();
  const stopMemory = sampleMemory(pid);
  const progressMs = await progressOf(bench, rollouts);
  const released = Date.now();
  freeze(bench, false);
  const stableToRecordedMs = await Promise.all(rollouts.map((rollout) => detectionOf(bench, rollout)));
  const ended = Date.now();
  const during = await stopMemory();
  const reads = readsSince(bench, asked);
  const waits = await beside(bench);
  const phases = { asked, watched, released, ended };
  return { phases, rollouts, reads, stableToRecordedMs, progressMs, waits, memory: { before, during } };
}

/** A second time all of them, standing still, so that the reads of what runs beside them are not counted above. */
async function beside(bench: Bench): Promise<Waits> {
  freeze(bench, true);
  const rollouts = await askAll(bench);
  const isWatched = ({ lane }: Rollout): boolean => bench.standing(lane).stableAt === undefined;
  await until('all rollouts are watched again', () => rollouts.every(isWatched));
  await sleep(2_000);
  return shortActivities(bench, API_LANES, TIMES_BESIDE);
}

function freeze({ aws, lanes }: Bench, frozen: boolean): void {
  for (const { ref } of lanes) aws.behave({ ...ref, behaviour: { frozen } });
}

/** A few at a time: what is measured here are a hundred rollouts, not a hundred requests in a moment. */
async function askAll(bench: Bench): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  const lanes = [...bench.lanes];
  const askers = Array.from({ length: ASKED_TOGETHER }, async () => {
    for (let lane = lanes.shift(); lane; lane = lanes.shift()) rollouts.push(await ask(bench, lane));
  });
  await Promise.all(askers);
  return rollouts;
}

async function ask(bench: Bench, lane: Lane): Promise<Rollout> {
  return { lane, ...(await bench.deploy(lane, { tag: bench.images(lane) })) };
}

/** What stands still for long is read less often; a first event tells the watches that something happens. */
async function progressOf(bench: Bench, rollouts: readonly Rollout[]): Promise<number[]> {
  for (const { lane } of rollouts) bench.aws.emitEvents({ ...lane.ref, count: 1, message: 'goes on.' });
  await sleep(5_000);
  const step = Math.max(1, Math.floor(rollouts.length / LOOKED_AT));
  const chosen = rollouts.filter((_, at) => at % step === 0).slice(0, LOOKED_AT);
  const all: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) all.push(...(await progress(bench, chosen, round)));
  return all;
}

async function detectionOf(bench: Bench, { lane, id }: Rollout): Promise<number> {
  const handle = bench.workflows.getHandle(deploymentWorkflowId(id));
  const { outcome, failure, steps } = (await handle.result()) as Deployment;
  if (outcome !== 'succeeded') throw new Error(`${id} did not succeed: ${outcome}, ${failure?.message}`);
  const recordedAt = Date.parse(steps.find(({ name }) => name === 'stabilise')?.finishedAt ?? '');
  return recordedAt - (bench.standing(lane).stableAt ?? NaN);
}

/** @returns stops, and gives the most of what was seen every half second */
function sampleMemory(pid: number): () => Promise<number> {
  const samples: Promise<number>[] = [residentMb(pid)];
  const timer = setInterval(() => samples.push(residentMb(pid)), 500);
  return async () => {
    clearInterval(timer);
    return largest(await Promise.all(samples));
  };
}

const readsSince = ({ aws }: Bench, since: number): number[] =>
  aws
    .calls({ since })
    .filter(({ operation }) => /^ecs:(Describe|List)/.test(operation))
    .map(({ at }) => at);

function limitsReport(services: number, measured: Measured): Report {
  const { phases, rollouts, reads, stableToRecordedMs, progressMs } = measured;
  const { asked, watched, released, ended } = phases;
  const within = (from: number, to: number): number[] => reads.filter((at) => at >= from && at < to);
  const row = (what: string, from: number, to: number): string[] => [
    what,
    seconds(to - from),
    show(within(from, to).length, 'calls'),
    show((within(from, to).length * 1000) / (to - from), 'calls/s'),
    show(fullestWindow(within(from, to), 1_000), 'calls'),
  ];
  const inWindow = (times: readonly number[]): Pick<Figure, 'value' | 'unit' | 'target'> => ({
    ...{ value: fullestWindow(times, 1_000), unit: 'calls/s', target: CALLS_PER_SECOND },
  });
  return {
    part: 'hundred',
    title: `${services} rollouts at once, \`limits.callsPerSecond: ${CALLS_PER_SECOND}\``,
    how: [
      `${services} services in one cluster, one worker; requests are sent ${ASKED_TOGETHER} at a time. The rollouts stand still until all are watched and their progress was looked for, then all go on at the same moment. ` +
        'Calls are the ECS reads (`Describe…`, `List…`) in the stand-in’s log, of all steps; the fullest second is the fullest of all windows of 1 s. ' +
        `Detection: the stand-in’s own instant of stability to the end of step \`stabilise\` as the workflow recorded it. Progress: an event of a service to the answer of \`GET /api/deployments/{id}\` that has it (${LOOKED_AT} services, ${ROUNDS} times, asked every 0.2 s).`,
    ],
    figures: [
      { what: 'ECS reads in the fullest second', ...inWindow(reads) },
      { what: '– of these, once all were watched', ...inWindow(within(watched, ended)) },
      ...acceptance(rollouts),
      { what: 'detection, median', value: median(stableToRecordedMs) / 1000, unit: 's' },
      { what: 'detection, p95', value: p95(stableToRecordedMs) / 1000, unit: 's', target: 2.5 },
      { what: 'detection, longest', value: largest(stableToRecordedMs) / 1000, unit: 's' },
      { what: 'progress in the API, median', value: median(progressMs) / 1000, unit: 's' },
      { what: 'progress in the API, p95', value: p95(progressMs) / 1000, unit: 's', target: 2 },
      { what: 'progress in the API, longest', value: largest(progressMs) / 1000, unit: 's' },
    ],
    details: [
      {
        title: 'ECS reads by phase',
        head: ['phase', 'took', 'calls', 'mean', 'fullest second'],
        rows: [
          row('asked for, until all are watched', asked, watched),
          row('watched, standing still', watched, released),
          row('rolling out, until all have ended', released, ended),
        ],
      },
    ],
  };
}

function acceptance(rollouts: readonly Rollout[]): Figure[] {
  const ms = rollouts.map(({ sentAt, answeredAt }) => answeredAt - sentAt);
  return [
    { what: 'request sent → accepted (202), median', value: median(ms) / 1000, unit: 's' },
    { what: 'request sent → accepted (202), longest', value: largest(ms) / 1000, unit: 's' },
    {
      what: 'of the requests, sent again after 503',
      value: rollouts.filter(({ sent }) => sent > 1).length,
      unit: 'calls',
    },
  ];
}

function besideReport(services: number, { waits, memory }: Measured): Report {
  const { started, working } = waits;
  return {
    part: 'hundred',
    title: `Beside ${services} rollouts: the worker’s memory, and short activities`,
    how: [
      `Resident memory of the worker process (all workflows, short activities and watches), read every 0.5 s while ${services} rollouts are watched. ` +
        `Then ${services} rollouts are watched again, standing still, while ${working.length} more deployments run from beginning to end in two other services. ` +
        `Started: scheduled → started of their ${started.length} activities on queue \`sluice\`, by their histories. Working: step \`validate\` scheduled → its first call received at ECR.`,
    ],
    figures: [
      { what: 'worker memory, before', value: memory.before, unit: 'MB' },
      { what: `worker memory, most with ${services} rollouts`, value: memory.during, unit: 'MB' },
      { what: 'short activity started, median', value: median(started) / 1000, unit: 's' },
      { what: 'short activity started, p95', value: p95(started) / 1000, unit: 's', target: 0.2 },
      { what: 'short activity started, longest', value: largest(started) / 1000, unit: 's' },
      { what: 'short activity working, median', value: median(working) / 1000, unit: 's' },
      { what: 'short activity working, p95', value: p95(working) / 1000, unit: 's', target: 0.2 },
      { what: 'short activity working, longest', value: largest(working) / 1000, unit: 's' },
    ],
    details: [],
  };
}
