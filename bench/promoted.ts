/** One promotion through the real processes: a merge, its way to the button, the approval, its end. */
import { buildWorkflowId, deploymentWorkflowId } from '../domain/ids.js';
import type { Promotion, PromotionQueueView, Stage } from '../domain/promotion/promotion.js';
import type { Timings } from '../sandbox/aws/index.js';
import { eventsOf, startOf } from './events-of.js';
import type { Bench } from './site.js';
import { until } from './site.js';

/** What the rollouts take is not measured: short. */
export const QUICK: Partial<Timings> = { tick: 20, pull: 60, start: 60, drain: 80, settle: 40 };

export type App = 'api' | 'frontend';

/** Epoch milliseconds. */
export interface Instants {
  /** The push was answered with 202. */
  told: number;
  /** The promotion began: staging. */
  staging: number;
  /** `buildImages` started. */
  building: number;
  /** The staging deployment ended, by its own record. */
  staged: number;
  /** The tests' workflow was started. */
  testing: number;
  /** The tests' workflow reported. */
  tested: number;
  /** It waits for its approval. */
  unlocked: number;
  approveSent: number;
  approveAnswered: number;
  /** The production deployment's workflow began. */
  production: number;
  /** UpdateService at the stand-in. */
  updated: number;
  /** The production deployment ended, by its own record. */
  deployed: number;
  promoted: number;
}

/** From the merge to the end. */
export async function promoteOnce(bench: Bench, app: App, title: string): Promise<Instants> {
  const { release } = await unlocked(bench, app, title);
  const approved = await approve(bench, app, release);
  const promotion = await reaches(bench, { app, release, stage: 'promoted' });
  return { ...(await instantsOf(bench, promotion)), ...approved };
}

/** A merge; @returns once it waits for its approval */
export async function unlocked(bench: Bench, app: App, title: string): Promise<Promotion> {
  const merged = await bench.github.mergePullRequest({ title, author: 'ann', app, by: 'alice' });
  return reaches(bench, { app, release: merged.sha, stage: 'awaiting-approval' });
}

/** UpdateService is looked for every 20 ms, and is the only one since: nothing else may deploy. */
export async function approve(
  bench: Bench,
  app: string,
  release: string,
): Promise<Pick<Instants, 'approveSent' | 'approveAnswered' | 'production' | 'updated'> & { id: string }> {
  const approveSent = Date.now();
  const view = await bench.ask<PromotionQueueView>('POST', `/api/promotions/${app}/approve`, { release });
  const approveAnswered = Date.now();
  const id = view.current?.production;
  if (id === undefined) throw new Error(`${app}: approved, and no deployment`);
  const update = await until(
    `UpdateService of ${app} in production`,
    () => bench.aws.calls({ operation: 'ecs:UpdateService', since: approveSent })[0],
    { everyMs: 20 },
  );
  const { startTime } = await bench.workflows.getHandle(deploymentWorkflowId(id)).describe();
  return { id, approveSent, approveAnswered, production: startTime.getTime(), updated: update.at };
}

async function reaches(
  bench: Bench,
  { app, release, stage }: { app: App; release: string; stage: Stage },
): Promise<Promotion> {
  let last: Promotion | undefined;
  const look = async (): Promise<Promotion | false> => {
    const { current, waiting, recent } = await bench.ask<PromotionQueueView>('GET', `/api/promotions/${app}`);
    const found = [current, ...waiting, ...recent].find((one) => one?.release === release);
    last = found;
    if (found?.stage === 'failed') throw new Error(`${found.id} failed: ${found.failure?.message}`);
    return found?.stage === stage && found;
  };
  return until(`${app} ${release.slice(0, 7)} is in ${stage}`, look, { everyMs: 100 }).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}; it is in ${last?.stage ?? 'no stage'}`);
    },
  );
}

type Looked = Omit<Instants, 'approveSent' | 'approveAnswered' | 'production' | 'updated'>;

async function instantsOf(bench: Bench, promotion: Promotion): Promise<Looked> {
  const { app, release, staging = '', production = '', tests } = promotion;
  const [build, staged, deployed] = await Promise.all([
    eventsOf(bench, buildWorkflowId(app, release)),
    bench.read(staging),
    bench.read(production),
  ]);
  const attempt = tests?.attempts[0];
  return {
    told: toldAt(bench, release),
    staging: at(promotion.startedAt),
    building: startOf(build, 'buildImages'),
    staged: at(staged.finishedAt),
    testing: at(attempt?.startedAt),
    tested: at(attempt?.finishedAt),
    unlocked: at(promotion.testedAt),
    deployed: at(deployed.finishedAt),
    promoted: at(promotion.finishedAt),
  };
}

const at = (time: string | undefined): number => Date.parse(time ?? '');

function toldAt({ github }: Bench, release: string): number {
  const found = github.webhooks
    .deliveries('push')
    .find(({ body }) => (JSON.parse(body) as { after?: string }).after === release);
  if (found?.answer?.statusCode !== 202) throw new Error(`The push of ${release} was not answered with 202`);
  return Date.parse(found.deliveredAt) + (found.durationMs ?? NaN);
}
