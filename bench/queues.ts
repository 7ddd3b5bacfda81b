/**
 * A thousand promotion queues on one worker, all open and waiting for their approvals: the worker's memory, and how
 * soon an approval takes effect.
 */
import type { RunningProcess } from '../sandbox/processes.js';
import { parse, stringify } from 'yaml';
import { RECONCILE_SCHEDULE_ID } from '../clients/reconcile-schedule.js';
import { deploymentWorkflowId, promotionWorkflowId } from '../domain/ids.js';
import { MEMO, QUEUE, WORKFLOW } from '../domain/messages.js';
import type { PromotionState } from '../domain/promotion/state.js';
import { clusterOf, ENVIRONMENTS, FIRST_TAG, SERVICES } from '../sandbox/settings.js';
import { residentMb } from './machine.js';
import { approve, QUICK, unlocked } from './promoted.js';
import type { Bench } from './site.js';
import { until, withBench } from './site.js';
import { largest, median, p95 } from './statistics.js';
import type { Figure, Report } from './table.js';
import { together } from './together.js';

/** Approved before the others are there: the same machine with one queue at a time. */
const ALONE = 10;
const AT_ONCE = 20;
/** As the app that they are made of: one image. */
const LIKE = 'frontend';
const [REPOSITORY = ''] = Object.values(SERVICES[LIKE].containers);

interface Effect {
  answeredMs: number;
  /** Sent to: its production deployment’s workflow began. */
  requestedMs: number;
  /** Sent to: UpdateService at the stand-in. */
  updatedMs: number;
}

interface Measured {
  alone: Effect[];
  among: Effect[];
  memory: { before: number; open: number; approved: number };
  openedMs: number;
}

/** @param approvals of so many of the apps, spread over all */
export async function queues({ apps, approvals }: { apps: number; approvals: number }): Promise<Report> {
  const names = Array.from({ length: apps }, (_, at) => `app${String(at + 1).padStart(4, '0')}`);
  return withBench({ timings: QUICK, configure: (text) => withApps(text, names) }, async (bench) => {
    const { pid } = await endReconcile(bench, names);
    const state = await waitingState(bench);
    return report(apps, await measure(bench, { names, approvals, state, pid }));
  });
}

/**
 * Most of the services are not there: what it would find out about them is not measured. Its first pass has opened a
 * queue for every app: they are ended, and the worker that knew them.
 * @returns the new worker
 */
async function endReconcile(
  { client, processes, start }: Bench,
  names: readonly string[],
): Promise<RunningProcess> {
  await client.schedule.getHandle(RECONCILE_SCHEDULE_ID).pause();
  const count = async (status: string): Promise<number> => {
    const query = `WorkflowType = '${WORKFLOW.reconcile}' AND ExecutionStatus = '${status}'`;
    return (await client.workflow.count(query)).count;
  };
  await until(
    'its first pass is over',
    async () => (await count('Running')) === 0 && (await count('Completed')) > 0,
  );
  await together([...names], AT_ONCE, (app) =>
    client.workflow.getHandle(promotionWorkflowId(app)).terminate('not measured'),
  );
  await processes.worker.stop();
  return start('worker');
}

interface Task {
  names: string[];
  approvals: number;
  state: PromotionState;
  /** Of the worker. */
  pid: number;
}

async function measure(bench: Bench, { names, approvals, state, pid }: Task): Promise<Measured> {
  const step = Math.max(1, Math.floor(names.length / approvals));
  const among = names.filter((_, at) => at % step === 0).slice(0, approvals);
  const alone = names.filter((name) => !among.includes(name)).slice(0, ALONE);
  const real = [...alone, ...among];
  for (const name of real) plant(bench, name, state);
  await until('their services are stable', () =>
    real.every((name) => ENVIRONMENTS.every((place) => bench.aws.standing(refOf(name, place)).stableAt)),
  );
  await open(bench, alone, state);
  const first = await approveAll(bench, alone, state);
  const before = await residentMb(pid);
  const began = performance.now();
  await open(
    bench,
    names.filter((name) => !alone.includes(name)),
    state,
  );
  const openedMs = performance.now() - began;
  const opened = await residentMb(pid);
  const second = await approveAll(bench, among, state);
  const approved = await residentMb(pid);
  return { alone: first, among: second, memory: { before, open: opened, approved }, openedMs };
}

const refOf = (app: string, environment: string): { cluster: string; service: string } => ({
  cluster: clusterOf(environment),
  service: `${environment}-${app}`,
});

interface App {
  paths: string[];
  environments: Record<string, { service: string; url: string; versionUrl: string }>;
}

/** All are as `frontend`, each with two services of its own. */
function withApps(text: string, names: readonly string[]): string {
  const config = parse(text) as { apps: Record<string, App> };
  const like = config.apps[LIKE]!;
  for (const app of names) {
    const environments = Object.entries(like.environments).map(([environment, { url: its }]) => {
      const { service } = refOf(app, environment);
      const url = its.replace(/[^/]+$/, service);
      return [environment, { service, url, versionUrl: `${url}/version.json` }] as const;
    });
    config.apps[app] = { ...like, paths: [`${app}/**`], environments: Object.fromEntries(environments) };
  }
  return stringify(config, { aliasDuplicateObjects: false });
}

/** What the queue of `frontend` keeps once a merge has come so far that it waits for its approval. */
async function waitingState(bench: Bench): Promise<PromotionState> {
  await unlocked(bench, LIKE, 'Waits for its approval');
  const { memo } = await bench.workflows.getHandle(promotionWorkflowId(LIKE)).describe();
  return memo?.[MEMO.promotionState] as PromotionState;
}

/** Staging runs what was tested, production what was before. */
function plant({ aws }: Bench, app: string, { current }: PromotionState): void {
  for (const environment of ENVIRONMENTS) {
    const tag = environment === 'staging' ? current?.release : FIRST_TAG;
    const ref = refOf(app, environment);
    const definition = {
      networkMode: 'bridge' as const,
      containerDefinitions: [
        {
          ...{ name: SERVICES[LIKE].front, image: `${aws.registry}/${REPOSITORY}:${tag}` },
          ...{ essential: true, memory: 64, portMappings: [{ containerPort: 8080, hostPort: 0 }] },
        },
      ],
    };
    aws.taskDefinition({ ...definition, family: `${ref.service}-template` });
    aws.service({ ...ref, taskDefinition: { ...definition, family: ref.service }, desired: 1 });
  }
}

/** The queue of another app in the same place; its services are its own. */
function stateOf({ aws }: Bench, app: string, { current, work, ...state }: PromotionState): PromotionState {
  if (!current || !work.evidence) throw new Error('The queue that all are made of waits for no approval');
  const promotion = { ...current, app, id: `${app}.${current.release}` };
  const primaryOf = (environment: string): string | undefined => {
    try {
      return aws.standing(refOf(app, environment)).deployment;
    } catch {
      return undefined; // It is not there: nobody approves this one.
    }
  };
  const [staging, production] = ENVIRONMENTS.map(primaryOf);
  return {
    ...state,
    app,
    current: promotion,
    ...(state.started ? { started: { ...state.started, id: promotion.id } } : {}),
    work: {
      ...work,
      evidence: { ...work.evidence, ...(staging ? { primary: staging } : {}) },
      ...(work.production && production ? { production: { ...work.production, primary: production } } : {}),
    },
  };
}

/** As one that continues as new. @returns once each has been taken by the worker */
async function open(bench: Bench, names: readonly string[], state: PromotionState): Promise<void> {
  const { workflows } = bench;
  await together(names, AT_ONCE, (app) =>
    workflows.start(WORKFLOW.promotionQueue, {
      workflowId: promotionWorkflowId(app),
      taskQueue: QUEUE.main,
      args: [{ app, state: stateOf(bench, app, state) }],
    }),
  );
  await together(names, AT_ONCE, (app) =>
    until(`the queue of ${app} is open`, async () => {
      const { memo } = await workflows.getHandle(promotionWorkflowId(app)).describe();
      return memo?.[MEMO.promotions] !== undefined;
    }),
  );
}

/** One after the other; each has arrived in production before the next. */
async function approveAll(bench: Bench, names: readonly string[], state: PromotionState): Promise<Effect[]> {
  const effects: Effect[] = [];
  for (const app of names) {
    const of = await approve(bench, app, state.current?.release ?? '');
    await bench.workflows.getHandle(deploymentWorkflowId(of.id)).result();
    effects.push({
      answeredMs: of.approveAnswered - of.approveSent,
      requestedMs: of.production - of.approveSent,
      updatedMs: of.updated - of.approveSent,
    });
  }
  return effects;
}

function report(apps: number, { alone, among, memory, openedMs }: Measured): Report {
  return {
    part: 'queues',
    title: `${apps} promotion queues on one worker`,
    how: [
      `A merge of \`frontend\` goes to staging and waits for its approval; ${apps} more apps’ queues are then started with what its queue keeps, as after continue-as-new, each for an app and services of its own. ` +
        `${ALONE} are approved while no others are open, ${among.length} while all are, spread over them, one after the other; each is in production before the next. Only those that are approved have services at the stand-in; the schedule of \`reconcile\` is paused. ` +
        'Memory: resident, of the worker process, whose cache holds 500 workflows: who is approved may have to be replayed first. “Requested”: the production deployment’s workflow has begun.',
    ],
    figures: [
      ...timesOf('alone', alone),
      ...timesOf(`among ${apps}`, among),
      {
        what: 'approve → UpdateService, medians, among : alone',
        value:
          median(among.map(({ updatedMs }) => updatedMs)) / median(alone.map(({ updatedMs }) => updatedMs)),
        unit: 'times',
      },
      { what: 'worker memory, before', value: memory.before, unit: 'MB' },
      { what: `worker memory, ${apps} queues open`, value: memory.open, unit: 'MB' },
      { what: 'worker memory, after the approvals', value: memory.approved, unit: 'MB' },
      { what: `${apps} queues started and taken, in`, value: openedMs / 1000, unit: 's' },
    ],
    details: [],
  };
}

function timesOf(which: string, effects: readonly Effect[]): Figure[] {
  const rows: [string, keyof Effect][] = [
    ['answered', 'answeredMs'],
    ['requested', 'requestedMs'],
    ['UpdateService', 'updatedMs'],
  ];
  return rows.flatMap(([what, key]) => {
    const all = effects.map((one) => one[key]);
    const name = `${which}: approve sent → ${what}`;
    return [
      { what: `${name}, median`, value: median(all) / 1000, unit: 's' as const },
      { what: `${name}, p95`, value: p95(all) / 1000, unit: 's' as const },
      ...(key === 'updatedMs'
        ? [{ what: `${name}, longest`, value: largest(all) / 1000, unit: 's' as const }]
        : []),
    ];
  });
}
