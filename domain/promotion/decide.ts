/** What a fresh read of both environments decides. Only a read that began after the last event counts. */
import { BY_ITSELF, containsBad, isPassing, lockedNow, MOVED, unmet } from './conditions.js';
import type { Unmet } from './conditions.js';
import { later } from './again.js';
import { deployToProduction } from './approve.js';
import { endCurrent, tell } from './draft.js';
import { fail, runningAttempt } from './events.js';
import { lookAgainForOwn, whileDeployed, whileRestoring } from './own.js';
import type { Observation } from './read.js';
import { compareReads, isIn, isUnchanged, releaseIn, runs, stillIs } from './read.js';
import { passesByItself, waitOn } from './since.js';
import { lapse, prune, start } from './start.js';
import type { Draft } from './state.js';
import { policyOf } from './state.js';
import { move } from './table.js';
import type { Promotion } from './promotion.js';

/** @returns false where the read is too old to decide anything: another one is wanted */
export function decide(draft: Draft, read: Observation): boolean {
  const { q } = draft;
  if (read.epoch !== q.epoch) return false;
  q.look = false;
  q.settings = read.settings;
  lapse(draft, read);
  prune(draft, read);
  const { current } = q;
  if (current?.stage === 'staging' || current?.stage === 'production') whileDeployed(draft, current, read);
  else if (current?.stage === 'testing') whileTesting(draft, current, read);
  else if (current?.stage === 'awaiting-approval') whileAwaiting(draft, current, read);
  else if (current?.stage === 'failed') endedByOthers(draft, current, read);
  // What has just ended leaves a known reason behind, as this read shows the environments.
  lapse(draft, read);
  start(draft, read);
  whileRestoring(draft, read);
  readAgain(draft, read);
  return true;
}

/** The environments could not be read at all: the queue says so, and reads them again, less and less often. */
export function unread(draft: Draft, why: Unmet): void {
  const { q } = draft;
  q.look = false;
  q.waitingFor = waitOn(draft, { before: q.waitingFor, keeper: q, now: why, passes: true });
  later(draft);
}

/** What passes by itself, and an own deployment that waits, is looked at again by itself, less and less often. */
function readAgain(draft: Draft, read: Observation): void {
  const { q } = draft;
  if (lookAgainForOwn(draft, read)) return;
  const waiting = [q.current?.waitingFor, q.waitingFor];
  const isUnread = waiting.some((one) => one && (passesByItself(one.code) || one.code === 'LANE_BUSY'));
  if (isUnread) later(draft);
  else delete q.again;
}

function wait(draft: Draft, current: Promotion, why: Unmet): void {
  current.waitingFor = waitOn(draft, { before: current.waitingFor, keeper: draft.q.work, now: why });
}

function whileTesting(draft: Draft, current: Promotion, read: Observation): void {
  const { work } = draft.q;
  const { unreadable } = read.staging;
  const waitsForSomebody = current.waitingFor && !isPassing(current.waitingFor.code);
  if (unreadable) return waitsForSomebody ? undefined : wait(draft, current, unreadable);
  if (overtaken(draft, current, read)) return;
  if (work.void) return stayVoid(draft, current);
  if (!work.evidence && !takeEvidence(draft, current, read)) return;
  if (work.verdict) applyVerdict(draft, current, read);
  else if (!runningAttempt(current)) testOrPass(draft, current, read);
}

/**
 * What the tests are going to see; they begin only on what staging really runs. More than one image can hold a
 * release: the one that runs is tested, and goes on from here (rule 5), whatever staging was given before.
 */
function takeEvidence(draft: Draft, current: Promotion, { staging, production }: Observation): boolean {
  const { work } = draft.q;
  const { release } = current;
  const { staged } = work;
  const found = runs(staging, { release, ...(staged ? { digests: staged } : {}) });
  if (found === 'different') {
    voidEvidence(draft, current, `Staging runs ${releaseIn(staging) ?? 'something else'}, not ${release}`);
    return false;
  }
  const digests = staging.digests ?? staged;
  if (found === 'unknown' || !digests) {
    wait(draft, current, {
      code: 'VERSION_UNKNOWN',
      message: 'Which release staging runs is not known: its version endpoint and its digests tell nothing',
    });
    return false;
  }
  work.evidence = { release, digests, ...(staging.primary ? { primary: staging.primary } : {}) };
  work.staged = digests;
  work.production = production;
  return true;
}

function voidEvidence(draft: Draft, current: Promotion, message: string): void {
  const { work } = draft.q;
  work.void = true;
  delete work.verdict;
  wait(draft, current, { code: 'STAGING_MOVED', message });
}

/** Until somebody chooses what to do about it, the wait has its reason, and its beginning. */
function stayVoid(draft: Draft, current: Promotion): void {
  if (current.waitingFor?.code !== 'STAGING_MOVED') voidEvidence(draft, current, MOVED);
}

/** @returns whether nothing more is to be decided: it has ended, or its evidence does not count any more */
function overtaken(draft: Draft, current: Promotion, read: Observation): boolean {
  const { work } = draft.q;
  const { evidence } = work;
  const moved = evidence !== undefined && stillIs(read.staging, evidence) === 'different';
  const changed = moved || (work.production !== undefined && !isUnchanged(work.production, read.production));
  if ((changed || work.void) && endedByOthers(draft, current, read)) return true;
  if (!moved || !evidence) return false;
  voidEvidence(draft, current, unmet({ evidence }, read)?.message ?? 'Staging has moved');
  return true;
}

/** Somebody else has brought both environments to one release: this one's, or one that contains it. */
function endedByOthers(draft: Draft, current: Promotion, read: Observation): boolean {
  if (compareReads(read.staging, read.production) !== 'equal') return false;
  const what = releaseIn(read.staging) ?? releaseIn(read.production);
  if (what === current.release) {
    delete current.failedStage;
    delete current.failure;
    endCurrent(draft, current, { what: 'environments equal', to: 'promoted' });
    return true;
  }
  const contains =
    what !== undefined && read.relations && isIn(read.relations, { other: current.release, release: what });
  if (!contains || current.stage === 'failed') return false;
  const carriedBy = `${draft.q.app}.${what}`;
  const failure = { code: 'SUPERSEDED', message: `Staging and production run ${what}, which contains it` };
  endCurrent(draft, current, { what: 'contained in what runs', to: 'superseded', carriedBy, failure });
  return true;
}

function applyVerdict(draft: Draft, current: Promotion, read: Observation): void {
  const { q, now } = draft;
  const { work } = q;
  const { verdict } = work;
  delete work.verdict;
  if (verdict === 'passed') {
    current.testedAt = now;
    move(draft, current, 'passed', 'awaiting-approval');
    return whileAwaiting(draft, current, read);
  }
  const attempts = q.settings?.tests?.attempts ?? 1;
  const last = current.tests?.attempts.at(-1);
  if (work.tried < attempts) return testOrPass(draft, current, read);
  if (verdict === 'failed') {
    const message = `Its tests failed${attempts === 1 ? '' : `, ${attempts} times`}: ${last?.detail ?? ''}`;
    return fail(draft, 'testing', { code: 'TESTS_FAILED', message });
  }
  const message = `Its tests told nothing, ${attempts === 1 ? 'once' : `${attempts} times`}: ${last?.detail ?? ''}`;
  wait(draft, current, { code: 'TESTS_INCONCLUSIVE', message });
}

/** No stage starts while the queue is locked; what waits for a person is not begun again by a mere look. */
function testOrPass(draft: Draft, current: Promotion, read: Observation): void {
  const { q, now, effects } = draft;
  const { tests } = read.settings;
  if (current.waitingFor?.code === 'TESTS_INCONCLUSIVE') return;
  const locked = lockedNow(q.lock);
  if (locked) return wait(draft, current, locked);
  if (!tests) {
    move(draft, current, 'no tests', 'awaiting-approval');
    return whileAwaiting(draft, current, read);
  }
  const attempts = current.tests?.attempts ?? [];
  const attempt = attempts.length + 1;
  if (attempt === 1) tell(draft, 'testing', current);
  current.tests = {
    state: 'running',
    attempt,
    attempts: [...attempts, { attempt, state: 'running', startedAt: now }],
  };
  q.work.tried += 1;
  const why =
    tests.kind === 'report'
      ? ({
          code: 'TESTS_AWAITED',
          message: `attempt ${attempt}: a report of its tests is waited for`,
        } as const)
      : ({ code: 'TESTS_RUNNING', message: `attempt ${attempt}: its tests run` } as const);
  wait(draft, current, why);
  effects.push({ do: 'test', promotion: current.id, attempt });
}

/** "Deploy to production" is unlocked, or says why not; the queue itself goes on where that was chosen. */
function whileAwaiting(draft: Draft, current: Promotion, read: Observation): void {
  const { q } = draft;
  const { work, lock } = q;
  if (!read.staging.unreadable && overtaken(draft, current, read)) return;
  const isAutomatic = policyOf(q).approval === 'automatic';
  const hindrance =
    unmet({ ...(lock ? { lock } : {}), ...work }, read) ??
    (isAutomatic ? containsBad(current.release, read) : undefined) ??
    work.refused;
  if (hindrance?.code === 'STAGING_MOVED') return voidEvidence(draft, current, hindrance.message);
  if (hindrance) return wait(draft, current, hindrance);
  if (isAutomatic) return deployToProduction(draft, current, { by: BY_ITSELF, checkActor: false });
  const tested = current.tests ? testWords(current) : 'no tests are configured';
  wait(draft, current, { code: 'APPROVAL', message: `Deploy to production is unlocked: ${tested}` });
  if (!work.unlocked) tell(draft, 'unlocked', current);
  work.unlocked = true;
}

const testWords = ({ tests }: Promotion): string =>
  tests && tests.attempt > 1 ? `tests passed at attempt ${tests.attempt}` : 'tests passed';
