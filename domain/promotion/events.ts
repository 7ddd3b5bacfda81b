/** What happens to a queue: merges come, deployments and tests end, time passes. Nothing here reads anything. */
import type { Code } from '../codes.js';
import { PRODUCTION } from '../deployment.js';
import type { DeploymentEnded, MergesNews, OutsideEnd, TestsReport } from '../messages.js';
import { endCurrent, lookAfresh, mergerOf, promotionOf, tell } from './draft.js';
import type { Draft, PromotionState } from './state.js';
import type { QueueSettings } from './read.js';
import { isActive, waitingOf, waits } from './state.js';
import { move } from './table.js';
import type { FailedStage, Merge, Promotion, TestAttempt } from './promotion.js';

const SEEN_KEPT = 500;

/** Merges once seen, whatever their end, are not added again. They stand in the order of the branch, however they come. */
export function mergesCame(draft: Draft, { head, before, merges }: MergesNews): void {
  const { q } = draft;
  // A push tells of its own merges only: of one before it nobody may have heard.
  if (before === undefined) q.head = head;
  else q.head ??= before;
  const isSeen = ({ sha, position }: Merge): boolean =>
    position <= q.seenTo || q.seen.some((seen) => seen.sha === sha);
  const fresh = merges.filter((merge) => !isSeen(merge));
  if (fresh.length === 0) return;
  for (const merge of fresh) q.waiting.push(promotionOf(draft, { release: merge.sha, merges: [merge] }));
  q.waiting.sort((a, b) => positionOf(a) - positionOf(b));
  see(draft, fresh);
  lookAfresh(draft);
}

export const positionOf = ({ position, merges }: Promotion): number =>
  position ?? merges.at(-1)?.position ?? 0;

function see({ q }: Draft, merges: readonly Merge[]): void {
  const all = [...q.seen, ...merges.map(({ sha, position }) => ({ sha, position }))];
  all.sort((a, b) => a.position - b.position);
  // Those that are forgotten by name are remembered by their place.
  const forgotten = all.slice(0, -SEEN_KEPT);
  q.seenTo = Math.max(q.seenTo, forgotten.at(-1)?.position ?? 0);
  q.seen = all.slice(-SEEN_KEPT);
}

/** Failures of a production deployment that mean: the approval's conditions do not hold any more. */
export const CONDITION_CODES: readonly Code[] = [
  'STAGING_MOVED',
  'PRODUCTION_MOVED',
  'RELEASE_BAD',
  'TAG_NOT_FOUND',
  'NOT_A_MAINTAINER',
  'NOT_UNLOCKED',
];

/** Those of them that a read of the environments tells, whenever they hold. */
const READABLE: readonly Code[] = ['PRODUCTION_MOVED', 'RELEASE_BAD'];

/** One of the queue's own, or any other one: then only a fresh read can tell what it means. */
export function deploymentEnded(draft: Draft, ended: DeploymentEnded): void {
  const { q } = draft;
  const { current } = q;
  if (q.restore?.id === ended.id) delete q.restore;
  else if (current?.stage === 'staging' && current.staging === ended.id) stagingEnded(draft, current, ended);
  else if (current?.stage === 'production' && current.production === ended.id) {
    productionEnded(draft, current, ended);
  }
  lookAfresh(draft);
}

function stagingEnded(draft: Draft, current: Promotion, ended: DeploymentEnded): void {
  const { q, now } = draft;
  const { rejecting } = q.work;
  if (rejecting) {
    return endCurrent(draft, current, { what: 'reject', to: 'rejected', ...rejecting });
  }
  if (ended.outcome !== 'succeeded') return fail(draft, 'staging', failureOf(ended));
  move(draft, current, 'deployment succeeded', 'testing');
  current.stagedAt = now;
  const { digests } = ended;
  q.work = { tried: 0, ...(digests ? { staged: digests } : {}) };
}

function productionEnded(draft: Draft, current: Promotion, ended: DeploymentEnded): void {
  const { failure } = ended;
  if (ended.outcome === 'succeeded') {
    return endCurrent(draft, current, { what: 'deployment succeeded', to: 'promoted' });
  }
  if (ended.outcome === 'rejected' && failure && CONDITION_CODES.includes(failure.code)) {
    move(draft, current, 'conditions do not hold', 'awaiting-approval');
    delete current.approval;
    delete current.approvedAt;
    const { code, message } = failure;
    if (code === 'STAGING_MOVED') draft.q.work.void = true;
    else if (!READABLE.includes(code)) draft.q.work.refused = { code, message };
    current.waitingFor = waits(code, draft.now, message);
    return;
  }
  fail(draft, 'production', failureOf(ended));
}

const failureOf = ({ id, outcome, failure }: DeploymentEnded): { code: string; message: string } =>
  failure
    ? { code: failure.code, message: `The deployment ${id} ended ${outcome}: ${failure.message}` }
    : { code: 'DEPLOYMENT_FAILED', message: `The deployment ${id} ended ${outcome}` };

/** It stays current, to be retried, until another one starts; that the environments differ now has a known reason. */
export function fail(draft: Draft, stage: FailedStage, failure: { code: string; message: string }): void {
  const { q } = draft;
  const { current } = q;
  if (!current) return;
  const what = stage === 'testing' ? 'failed for the last time' : 'deployment ended otherwise';
  current.failedStage = stage;
  endCurrent(draft, current, { what, to: 'failed', failure });
}

/** How an attempt ended is kept at once; what follows from it is decided on a fresh read. */
export function testsEnded(draft: Draft, report: TestsReport): void {
  const { q, now } = draft;
  const { current } = q;
  const attempt = runningAttempt(current);
  if (!current?.tests || current.stage !== 'testing' || !attempt) return;
  if (report.promotion !== current.id || report.attempt !== attempt.attempt) return;
  const { state, url, detail, others } = report;
  Object.assign(attempt, {
    state,
    detail,
    finishedAt: now,
    ...(url ? { url } : {}),
    ...(others ? { others } : {}),
  });
  current.tests.state = state;
  if (url) current.tests.url = url;
  // What moved staging meanwhile is waited for, whatever they say.
  if (current.waitingFor?.code !== 'STAGING_MOVED') delete current.waitingFor;
  if (!q.work.void) q.work.verdict = state;
  lookAfresh(draft);
}

export const runningAttempt = (current: Promotion | undefined): TestAttempt | undefined =>
  current?.tests?.attempts.find(({ state }) => state === 'running');

/** The address of a run that has begun. */
export function testsStarted({ q }: Draft, of: { promotion: string; attempt: number; url: string }): void {
  const attempt = runningAttempt(q.current);
  if (!q.current?.tests || q.current.id !== of.promotion || attempt?.attempt !== of.attempt) return;
  attempt.url = of.url;
  q.current.tests.url = of.url;
}

/** A deployment that is not the queue's own has ended, or something else may have changed what runs. */
export function changedOutside(draft: Draft, ended?: OutsideEnd): void {
  // A production rollback of Sluice's own: a known reason why the environments differ.
  const { kind, environment, outcome } = ended ?? {};
  if (kind === 'rollback' && environment === PRODUCTION && outcome === 'succeeded') {
    draft.q.known = { why: 'rolled-back' };
  }
  if (ended && hasMovedStaging(draft.q, ended)) {
    draft.q.work.void = true;
    delete draft.q.work.verdict;
  }
  lookAfresh(draft);
}

/**
 * Staging that moved away and back between two reads has moved, though nothing shows it: where ECS rolls back it may
 * take the old deployment up again, under its old id.
 */
function hasMovedStaging(
  { current, work }: PromotionState,
  { environment, outcome, untouched, at }: OutsideEnd,
): boolean {
  if (!current || !work.evidence || environment === PRODUCTION) return false;
  if (untouched || outcome === 'rejected') return false;
  // News that come late, of what staging was before it got this release.
  return at === undefined || current.stagedAt === undefined || at > current.stagedAt;
}

/** Time passes: reads that failed are tried again, and nothing waits silently. */
export function timePasses(draft: Draft): void {
  const { q, now } = draft;
  if (q.again && now >= q.again.at) lookAfresh(draft);
  const overdue = reportDue(q);
  if (overdue && Date.parse(now) >= overdue.at) {
    const detail = 'no report of its tests came in time';
    testsEnded(draft, { ...overdue.of, state: 'inconclusive', detail });
  }
  remind(draft);
}

function remind(draft: Draft): void {
  const { q, now } = draft;
  const waiting = waitingOf(q);
  const subjects = subjectsOf(q);
  if (!waiting || subjects.length === 0 || !q.settings) {
    if (!waiting) delete q.told;
    return;
  }
  const level = dueLevel(q.settings, { since: waiting.since, now });
  const before = q.told?.code === waiting.code && q.told.since === waiting.since ? q.told.level : 0;
  if (level <= before || level === 0) return;
  q.told = { code: waiting.code, since: waiting.since, level };
  // The maintainers are told once, of the newest.
  const [change, told] =
    level === 2 ? (['escalated', subjects.slice(0, 1)] as const) : (['waiting', subjects] as const);
  for (const subject of told) tell(draft, change, { ...subject, waitingFor: waiting });
}

/** Whose people are told, newest first: of a start that is held up, everybody once who merged what waits. */
function subjectsOf(q: PromotionState): Promotion[] {
  if (isActive(q.current)) return [q.current];
  const newest = [...q.waiting].reverse();
  return newest.filter((one, at) => newest.findIndex((other) => mergerOf(other) === mergerOf(one)) === at);
}

function dueLevel(
  { remindAfterMs, escalateAfterMs }: QueueSettings,
  { since, now }: { since: string; now: string },
): 0 | 1 | 2 {
  const waited = Date.parse(now) - Date.parse(since);
  if (waited >= escalateAfterMs) return 2;
  return waited >= remindAfterMs ? 1 : 0;
}

/** When a report of tests that run elsewhere is not waited for any longer. */
function reportDue({
  current,
  settings,
}: Draft['q']): { at: number; of: { promotion: string; attempt: number } } | undefined {
  const running = runningAttempt(current);
  const tests = settings?.tests;
  if (!current || !running || tests?.kind !== 'report') return undefined;
  const at = Date.parse(running.startedAt) + tests.timeoutMs;
  return { at, of: { promotion: current.id, attempt: running.attempt } };
}

/** When `timePasses` has something to do next, in milliseconds since the epoch; undefined: nothing. */
export function nextTime(q: Draft['q']): number | undefined {
  const waiting = waitingOf(q);
  const times: number[] = [];
  if (q.again && !q.look) times.push(Date.parse(q.again.at));
  const overdue = reportDue(q);
  if (overdue) times.push(overdue.at);
  if (waiting && q.settings && subjectsOf(q).length > 0) {
    const since = Date.parse(waiting.since);
    const level = q.told?.code === waiting.code && q.told.since === waiting.since ? q.told.level : 0;
    if (level < 1) times.push(since + q.settings.remindAfterMs);
    if (level < 2) times.push(since + q.settings.escalateAfterMs);
  }
  return times.length === 0 ? undefined : Math.min(...times);
}
