/**
 * The verdict on a rollout: a pure function of what was read, what is remembered of earlier reads, and the
 * clock (design, "Stabilise"). Being stable is not having succeeded (rule 3), a timeout is not a failure
 * (rule 4).
 */
import type { Rollout } from '../deployment.js';
import type { VerdictState } from '../effects.js';
import { appendEvents, newEvents, wholeSecond } from '../events.js';
import { addressed, rollbackEvidence } from './evidence.js';
import type { DeploymentRead, Memory, Ours, ServiceRead, Watch } from './read.js';
import { nowWords, primaryOf, shortName } from './words.js';

export type { DeploymentRead, Memory, Ours, ServiceDeploymentRead, ServiceRead, Watch } from './read.js';

/** Ours not being there says nothing before this: ECS's reads lag behind its writes. */
const ABSENCE_COUNTS_AFTER_MS = 60_000;
/** ECS is told to roll back, and between FAILED and the rollback there may be a moment. */
const ROLLBACK_BEGINS_WITHIN_MS = 15_000;
/** An update may have been sent by an attempt whose worker died, long before it was found. */
const OWN_START_WITHIN_MS = 60 * 60_000;

export interface Verdict {
  state: VerdictState;
  /** Plain words: what was read. */
  message: string;
  /** PRIMARY revision. */
  now?: string;
}

export interface Judgement {
  watch: Watch;
  verdict?: Verdict;
}

export const newWatch = (): Watch => ({
  rollout: { desired: 0, running: 0, pending: 0, failed: 0, previousRunning: 0, events: [], updatedAt: '' },
  memory: { seen: false, quiet: 0, replaced: 0 },
});

/** Another worker goes on with it: its clock may be behind, so only what needs no comparison of clocks stays. */
export const resumedWatch = ({ rollout, memory }: Watch): Watch => ({
  rollout,
  memory: { ...memory, lastReadAt: undefined, changedAt: undefined, quiet: 0, replaced: 0 },
});

/** One read more. A read that is void, or not later than the last one, changes nothing. */
export function judge(input: { read: ServiceRead; watch: Watch; ours: Ours }): Judgement {
  const { read, watch, ours } = input;
  if (read.begunAt < ours.since || read.begunAt <= (watch.memory.lastReadAt ?? -Infinity)) return { watch };
  const seen = remember(read, watch, ours);
  const found = decide(read, seen, ours);
  const next = { rollout: seen.rollout, memory: { ...seen.memory, ...found.memory } };
  if (found.verdict) return { watch: next, verdict: found.verdict };
  if (read.begunAt < ours.giveUpAt) return { watch: next };
  return { watch: next, verdict: verdict('timed-out', `It did not settle in time. ${nowWords(read)}`, read) };
}

/** Takes in what a read shows, before it is judged. */
function remember(read: ServiceRead, watch: Watch, ours: Ours): Watch {
  const { memory } = watch;
  const id = ours.deployment ?? memory.deployment;
  const primary = primaryOf(read);
  // Without an id only a PRIMARY is surely ours: the way back's revision may stand there as an old deployment.
  const pinned = id
    ? read.deployments.find((deployment) => deployment.id === id)
    : primary?.revision === ours.revision
      ? primary
      : undefined;
  const mine =
    pinned ?? (id ? undefined : read.deployments.find(({ revision }) => revision === ours.revision));
  const startedAt = memory.startedAt ?? startOf(pinned, ours);
  const from = startedAt ?? wholeSecond(ours.since);
  const { fresh, cursor } = newEvents({ read: read.events, cursor: memory.cursor, from });
  const rollout: Rollout = {
    desired: read.desired,
    running: mine?.running ?? 0,
    pending: mine?.pending ?? 0,
    failed: mine?.failed ?? watch.rollout.failed,
    previousRunning: sum(read.deployments.filter((deployment) => deployment !== mine)),
    events: appendEvents(watch.rollout.events, fresh),
    updatedAt: new Date(read.begunAt).toISOString(),
  };
  const next: Memory = {
    ...memory,
    deployment: pinned?.id ?? id,
    startedAt,
    cursor,
    seen: memory.seen || pinned !== undefined,
    failed: memory.failed || pinned?.rolloutState === 'FAILED' || undefined,
    serviceDeployment:
      (pinned?.status === 'PRIMARY' ? read.serviceDeployment : undefined) ?? memory.serviceDeployment,
    lastReadAt: read.begunAt,
    picture: pictureOf(read),
  };
  const changed = memory.changedAt === undefined || fresh.length > 0 || next.picture !== memory.picture;
  next.changedAt = changed ? read.begunAt : memory.changedAt;
  next.rollback = memory.rollback ?? rollbackEvidence(read, next, from);
  return { rollout, memory: next };
}

/** A deployment that was made long ago is one that a rollback took up again: its old events are not ours. */
const startOf = (pinned: DeploymentRead | undefined, ours: Ours): string | undefined =>
  pinned?.createdAt !== undefined && Date.parse(pinned.createdAt) > ours.since - OWN_START_WITHIN_MS
    ? pinned.createdAt
    : undefined;

const sum = (deployments: readonly DeploymentRead[]): number =>
  deployments.reduce((total, { running }) => total + running, 0);

const pictureOf = (read: ServiceRead): string =>
  JSON.stringify([
    read.status,
    read.desired,
    read.deployments.map((d) => [d.id, d.status, d.rolloutState, d.running, d.pending, d.failed]),
  ]);

type Found = { verdict?: Verdict; memory?: Partial<Memory> };

/** The table of the design; the first match decides. A service that is gone is no stable one. */
function decide(read: ServiceRead, watch: Watch, ours: Ours): Found {
  const { memory } = watch;
  if (read.status !== 'ACTIVE') {
    const words = read.status === 'MISSING' ? 'does not exist' : `is ${read.status}`;
    return { verdict: verdict('service-gone', `The service ${words}`, read) };
  }
  const primary = primaryOf(read);
  if (!primary) return { memory: { quiet: 0, replaced: 0 } };
  if (isOurs(primary, memory, ours)) return decideOurs(read, watch, primary, ours);
  // It counts only once ours was seen, or was named by what tells of the rollback, or after a while.
  const counts =
    memory.seen || addressed(read, memory) || read.begunAt >= ours.since + ABSENCE_COUNTS_AFTER_MS;
  if (!counts) return { memory: { quiet: 0, replaced: 0 } };
  if (memory.rollback) return decideRollback(read, watch, primary, ours);
  // Twice, for the read that shows the new PRIMARY may be one ahead of the one that says why.
  const replaced = memory.replaced + 1;
  if (replaced < 2) return { memory: { quiet: 0, replaced } };
  const message = memory.seen
    ? `Another deployment replaced it: ${primary.id} of ${shortName(primary.revision)} is PRIMARY`
    : `It never became the service's deployment: ${primary.id} of ${shortName(primary.revision)} is PRIMARY`;
  return { memory: { replaced }, verdict: verdict('superseded', message, read) };
}

const isOurs = (primary: DeploymentRead, memory: Memory, ours: Ours): boolean =>
  primary.revision === ours.revision && (memory.deployment === undefined || primary.id === memory.deployment);

function decideOurs(read: ServiceRead, watch: Watch, primary: DeploymentRead, ours: Ours): Found {
  if (primary.rolloutState === 'FAILED') return decideFailed(read, watch, primary, ours);
  const reset = { replaced: 0, failedSince: undefined };
  const others = read.deployments.filter((deployment) => deployment !== primary);
  const drained = others.every(({ running, pending }) => running === 0 && pending === 0);
  if (primary.rolloutState === 'COMPLETED') {
    return { memory: { ...reset, quiet: 0 }, ...(drained ? { verdict: stable(read, primary) } : {}) };
  }
  if (!looksSettled({ read, primary, others, drained })) return { memory: { ...reset, quiet: 0 } };
  const quiet = watch.memory.quiet + 1;
  return { memory: { ...reset, quiet }, ...(quiet >= 2 ? { verdict: stable(read, primary) } : {}) };
}

/** Where no state says COMPLETED: nothing is wanted and nothing there, or ECS tells no state at all. */
function looksSettled(input: {
  read: ServiceRead;
  primary: DeploymentRead;
  others: DeploymentRead[];
  drained: boolean;
}): boolean {
  const { read, primary, others, drained } = input;
  if (primary.pending > 0 || primary.running !== read.desired) return false;
  if (read.desired === 0) return drained;
  return primary.rolloutState === undefined && others.length === 0;
}

function decideFailed(read: ServiceRead, watch: Watch, primary: DeploymentRead, ours: Ours): Found {
  const failedSince = watch.memory.failedSince ?? read.begunAt;
  const memory = { failedSince, quiet: 0, replaced: 0 };
  const mayRollBack = read.rollback && ours.wayBack !== undefined;
  if (mayRollBack && read.begunAt < failedSince + ROLLBACK_BEGINS_WITHIN_MS) return { memory };
  const why = primary.reason ? ` (${primary.reason})` : '';
  const message = `Its tasks do not stay up, and ECS does not roll back${why}. ${nowWords(read)}`;
  return { memory, verdict: verdict('tasks-failed', message, read) };
}

function decideRollback(read: ServiceRead, watch: Watch, primary: DeploymentRead, ours: Ours): Found {
  const { memory } = watch;
  const why = memory.rollback ?? '';
  const failed = serviceDeploymentOf(read, memory)?.status === 'ROLLBACK_FAILED';
  if (failed || primary.rolloutState === 'FAILED') {
    return {
      verdict: verdict(
        'rollback-failed',
        `ECS tried to roll back and failed (${why}). ${nowWords(read)}`,
        read,
      ),
    };
  }
  const without =
    primary.rolloutState === undefined && primary.running === read.desired && primary.pending === 0;
  const quiet = without ? memory.quiet + 1 : 0;
  const settled = primary.rolloutState === 'COMPLETED' || quiet >= 2;
  if (!settled) return { memory: { quiet, replaced: 0 } };
  if (ours.wayBack === undefined || primary.revision === ours.wayBack) {
    const message = `ECS rolled back to ${shortName(primary.revision)} (${why})`;
    return { memory: { quiet }, verdict: verdict('rolled-back', message, read) };
  }
  const message = `ECS rolled back (${why}), but what ran before is not back. ${nowWords(read)}`;
  return { memory: { quiet }, verdict: verdict('rollback-failed', message, read) };
}

const serviceDeploymentOf = (read: ServiceRead, memory: Memory) =>
  read.serviceDeployments?.find(({ arn }) => arn === memory.serviceDeployment);

const verdict = (state: VerdictState, message: string, read: ServiceRead): Verdict => {
  const now = primaryOf(read)?.revision;
  return { state, message, ...(now ? { now } : {}) };
};

function stable(read: ServiceRead, primary: DeploymentRead): Verdict {
  const tasks = read.desired === 1 ? '1 task' : `${read.desired} tasks`;
  return verdict(
    'stable',
    `${shortName(primary.revision)} runs with ${read.desired === 0 ? 'no task wanted' : tasks}`,
    read,
  );
}

/** When the next read is worth its call, in milliseconds: soon while something is about to change. */
export function nextReadIn(watch: Watch, now: number): number {
  const still = now - (watch.memory.changedAt ?? now);
  const { desired, running, pending } = watch.rollout;
  const nearly = running === desired && pending === 0;
  if (still < (nearly ? 180_000 : 45_000)) return 800;
  if (still < 180_000) return 2_000;
  return still < 600_000 ? 5_000 : 10_000;
}
