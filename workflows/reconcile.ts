/**
 * Workflow `reconcile…`: one pass over what nobody tells us of, started by a schedule every few minutes. Merges whose
 * webhook never came are put right, changes from outside are told, who is a maintainer is remembered. Its parts do
 * not wait for each other, and what fails in one pass is done in the next.
 */
import { isCancellation, log, workflowInfo } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { MainActivities } from '../activities/index.js';
import { newestOf } from '../domain/merges/routes.js';
import type { Merge } from '../domain/promotion/promotion.js';
import { baselinesOf, newsFor, rangesOf, type KnownHeads, type Range } from '../domain/merges/reconcile.js';
import { activitiesOf } from './activities-of.js';
import { bring, described, findNow } from './merges.js';
import { wordsOf } from './failure.js';

/** What a pass hands to the next one, by the schedule. */
export interface Reconciled {
  /** Apps without a queue → head of the branch up to which their merges were brought where they go. */
  heads: Record<string, string>;
  /** What was found, for people. */
  found: { merges: number; drift: number };
}

/** Bounded: another pass follows, and the schedule starts none while this one runs. */
const PASS: ActivityOptions = {
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '3m',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
  cancellationType: 'TRY_CANCEL',
};
const pass = activitiesOf<MainActivities>(PASS);
/** These do not heartbeat. */
const says = activitiesOf<MainActivities>({
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1m',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
  cancellationType: 'TRY_CANCEL',
});

/** Distinct places on the branch that are looked from in one pass. */
const MOST_RANGES = 20;

export async function reconcile(): Promise<Reconciled> {
  const last = (workflowInfo().lastResult as Reconciled | undefined)?.heads ?? {};
  const [, caughtUp, drift] = await Promise.all([
    part('promotion queues look afresh', () => pass.lookAfresh()),
    part('merges', () => catchUp(last)),
    part('drift', tellOfDrift),
    part('members of the team', () => pass.rememberMembers()),
  ]);
  return {
    heads: caughtUp?.heads ?? last,
    found: { merges: caughtUp?.merges ?? 0, drift: drift ?? 0 },
  };
}

/** @returns undefined where it came to nothing this time */
async function part<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('A part of this pass came to nothing', { what, error: wordsOf(error) });
    return undefined;
  }
}

type Apps = Record<string, Merge[]>;

async function catchUp(
  last: Record<string, string>,
): Promise<{ heads: Record<string, string>; merges: number }> {
  const known = await pass.knownHeads();
  const ranges = rangesOf({ known, last, onBranch: await onBranch(known) }, MOST_RANGES);
  const found = await Promise.all(ranges.map((range) => part('a range of the branch', () => look(range))));
  const heads = Object.assign({}, ...found.map((one) => one?.heads)) as Record<string, string>;
  const apps = await described(Object.assign({}, ...found.map((one) => one?.apps)) as Apps);
  const told = newsFor({ known, heads, apps });
  if (told.length > 0) await part('news for the queues', () => pass.tellQueues({ told }));
  const reached = await bringOthers({ known, apps, heads });
  const merges = Object.values(apps).reduce((sum, { length }) => sum + length, 0);
  return { heads: { ...pick(last, known.others), ...pick(heads, reached) }, merges };
}

async function onBranch(known: KnownHeads): Promise<ReadonlySet<string>> {
  const releases = baselinesOf(known);
  if (releases.length === 0) return new Set();
  return new Set(Object.keys((await pass.relate({ releases })).positions));
}

/** Without a place to begin at nothing counts as new. */
async function look({ before, apps }: Range): Promise<{ heads: Record<string, string>; apps: Apps }> {
  const found = await findNow(before === undefined ? {} : { before });
  return {
    heads: Object.fromEntries(apps.map((app) => [app, found.head])),
    apps: before === undefined ? {} : pick(found.apps, apps),
  };
}

/** Apps without a queue. @returns those that were served, or had nothing to be served with */
async function bringOthers(of: {
  known: KnownHeads;
  apps: Apps;
  heads: Record<string, string>;
}): Promise<string[]> {
  const apps = pick(of.apps, of.known.others);
  const refused = await part('merges of apps without a queue', () =>
    bring({ news: {}, newest: newestOf(apps) }),
  );
  const unserved = refused?.map(({ app }) => app) ?? Object.keys(apps);
  return of.known.others.filter((app) => !unserved.includes(app));
}

const pick = <T>(from: Record<string, T>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const one = Object.hasOwn(from, name) ? from[name] : undefined;
      return one === undefined ? [] : [[name, one]];
    }),
  );

async function tellOfDrift(): Promise<number> {
  const found = await pass.findDrift();
  await Promise.all(found.map((drift) => part('a notice of drift', () => says.tellDrift(drift))));
  return found.length;
}
