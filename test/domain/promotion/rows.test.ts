/** The table of the design's section 6, row by row. */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../domain/deployment.js';
import type { OutsideEnd } from '../../../domain/messages.js';
import type { Promotion } from '../../../domain/promotion/promotion.js';
import { judgeApprove } from '../../../domain/promotion/approve.js';
import * as commands from '../../../domain/promotion/commands.js';
import { atTurn } from '../../../domain/promotion/conditions.js';
import { changedOutside, mergesCame } from '../../../domain/promotion/events.js';
import { judgeResolve } from '../../../domain/promotion/resolve.js';
import { judgeRetry } from '../../../domain/promotion/retry.js';
import { isRow, move, ROWS } from '../../../domain/promotion/table.js';
import { A, B, BOB, C, digestsOf, FOREIGN, LIVE, Played, START } from './played.js';

const played = (...settings: ConstructorParameters<typeof Played>): Played =>
  new Played(...settings).merges(A);
const at = (
  stage: Parameters<Played['until']>[0],
  ...settings: ConstructorParameters<typeof Played>
): Played => {
  const one = played(...settings).until(stage);
  one.deeds();
  one.told();
  return one;
};

describe('queued', () => {
  it('latest: the newest merge starts; older ones end superseded, carried by it and listed in it', () => {
    const one = played().merges(B, C).look();
    expect(one.current).toMatchObject({ id: `api.${C}`, stage: 'staging', startedAt: START });
    expect(one.current?.merges.map(({ sha }) => sha)).toEqual([A, B, C]);
    for (const older of [A, B])
      expect(one.find(older)).toMatchObject({
        stage: 'superseded',
        carriedBy: `api.${C}`,
        finishedAt: START,
      });
    expect(one.told()).toEqual([
      ['ended', A],
      ['ended', B],
      ['staging', C],
    ]);
  });

  it('the deployment to staging is the merger’s, who needs no membership; its commit is built', () => {
    expect(played().look().deployed()).toEqual({
      ...{ id: `staging.api.pqs1zaaaaaaaaaaaa`, environment: 'staging', kind: 'deploy', parent: `api.${A}` },
      ...{ tag: A, commit: A, actor: 'alice', checkActor: false },
    });
  });

  it('every-merge: the oldest starts, the others wait and say why', () => {
    const one = played({ policy: { queue: 'every-merge', approval: 'required' } })
      .merges(B, C)
      .look();
    expect(one.current).toMatchObject({ release: A, stage: 'staging' });
    expect(one.q.waiting.map(({ release, waitingFor }) => [release, waitingFor?.code])).toEqual([
      [B, 'PROMOTION_RUNNING'],
      [C, 'PROMOTION_RUNNING'],
    ]);
  });

  it.each(['judgeCancel', 'judgeReject'] as const)('cancelled, a reject is the same (%s)', (judge) => {
    const one = at('testing').merges(B);
    expect(commands[judge](one.q, { ...BOB, release: B, reason: 'no' })).toBeUndefined();
    one.reject(B, 'not now');
    expect(one.find(B)).toMatchObject({ stage: 'cancelled', by: 'bob', reason: 'not now' });
    expect(one.look().q.waiting).toEqual([]);
    expect(one.current?.release).toBe(A);
  });

  it('one that has started is rejected, not cancelled', () => {
    const { q } = at('testing');
    expect(commands.judgeCancel(q, { ...BOB, release: A, reason: 'no' })?.code).toBe('NOT_WAITING');
    expect(commands.judgeCancel(q, { ...BOB, release: B, reason: 'no' })?.code).toBe('NOT_FOUND');
    expect(commands.judgeReject(q, { ...BOB, release: B, reason: 'no' })?.code).toBe('NOT_FOUND');
  });

  it('one that is no longer on the branch ends cancelled', () => {
    const one = at('testing').merges(B, C);
    one.branch = [LIVE, A, C];
    one.look();
    expect(one.find(B)).toMatchObject({ stage: 'cancelled', failure: { code: 'NOT_ON_BRANCH' } });
    expect(one.find(C)?.stage).toBe('queued');
  });

  it('one that production runs, or what runs there contains, never starts', () => {
    const one = played().runs('production', B).runs('staging', B).look();
    expect(one.find(A)).toMatchObject({ stage: 'superseded', carriedBy: `api.${B}` });
    expect(one.deeds()).toEqual([]);
  });

  it('one that a merge contains which has started before never starts', () => {
    const one = new Played().merges(B).until('testing').merges(A).look();
    expect(one.find(A)).toMatchObject({ stage: 'superseded', carriedBy: `api.${B}` });
  });
});

describe('staging', () => {
  it('succeeded: testing, and with a fresh read its tests begin', () => {
    const one = at('staging').ends('succeeded');
    expect(one.current).toMatchObject({ stage: 'testing', stagedAt: START });
    expect(one.deeds()).toEqual([]);
    expect(one.look().deeds()).toEqual([{ do: 'test', promotion: `api.${A}`, attempt: 1 }]);
    expect(one.told()).toEqual([['testing', A]]);
    expect(one.current).toMatchObject({ waitingFor: { code: 'TESTS_RUNNING' }, tests: { state: 'running' } });
    expect(one.q.work.evidence).toMatchObject({ release: A, digests: digestsOf(A), primary: 'staging-1' });
  });

  it('succeeded, with no tests configured: awaiting-approval, said at the button', () => {
    const one = new Played();
    delete one.settings.tests;
    one.merges(A).look().ends('succeeded').look();
    expect(one.current).toMatchObject({ stage: 'awaiting-approval', waitingFor: { code: 'APPROVAL' } });
    expect(one.current?.waitingFor?.detail).toContain('no tests are configured');
    expect(one.approve(A)).toBeUndefined();
    expect(one.current?.approval?.tests).toBe('no tests are configured');
  });

  it.each(['failed', 'rolled-back', 'stopped', 'superseded', 'rejected'] as const)(
    '%s: failed',
    (outcome) => {
      const one = at('staging').ends(outcome, 'ROLLED_BACK').look();
      expect(one.current).toMatchObject({
        ...{ stage: 'failed', failedStage: 'staging', finishedAt: START },
        failure: { code: 'ROLLED_BACK', message: expect.stringContaining('for ROLLED_BACK') as string },
      });
      expect(one.told()).toEqual([['ended', A]]);
      expect(one.waits).toBeUndefined();
    },
  );

  it('an end of another deployment is not its own', () => {
    const one = at('staging');
    const { q } = one;
    one.step((draft) => changedOutside(draft, undefined));
    expect(one.current).toEqual(q.current);
  });

  it.each(['stopped', 'succeeded', 'failed'] as const)(
    'rejected: its deployment is stopped, and it is rejected when that has ended (%s)',
    (outcome) => {
      const one = at('staging');
      one.reject(A, 'wrong');
      one.reject(A, 'again');
      expect(one.deeds()).toEqual([
        { do: 'stop', id: one.current?.staging, by: 'bob', reason: 'rejected: wrong' },
      ]);
      expect(one.look().stage(A)).toBe('staging');
      expect(one.ends(outcome).look().current).toMatchObject({
        ...{ stage: 'rejected', by: 'bob', reason: 'wrong' },
      });
    },
  );
});

describe('testing', () => {
  it('passed: awaiting-approval, told once', () => {
    const one = at('testing').tests('passed');
    expect(one.current).toMatchObject({ stage: 'testing', tests: { state: 'passed', url: 'run/1' } });
    one.look().look();
    expect(one.current).toMatchObject({
      ...{ stage: 'awaiting-approval', testedAt: START, waitingFor: { code: 'APPROVAL' } },
    });
    expect(one.told()).toEqual([['unlocked', A]]);
  });

  it('passed at the second attempt is said at the button', () => {
    const one = at('testing').tests('failed', '1 failed').look().tests('passed').look();
    expect(one.current?.waitingFor?.detail).toContain('passed at attempt 2');
    expect(
      one.current?.tests?.attempts.map(({ attempt, state, detail }) => [attempt, state, detail]),
    ).toEqual([
      [1, 'failed', '1 failed'],
      [2, 'passed', 'passed'],
    ]);
  });

  it('failed in the last allowed attempt: failed', () => {
    const one = at('testing').tests('failed').look();
    expect(one.stage(A)).toBe('testing');
    one.tests('failed', '3 failed').look();
    expect(one.current).toMatchObject({
      ...{ stage: 'failed', failedStage: 'testing' },
      failure: { code: 'TESTS_FAILED', message: 'Its tests failed, 2 times: 3 failed' },
    });
  });

  it('inconclusive: again, at most tests.attempts, then it waits for a person', () => {
    const one = at('testing').tests('inconclusive').look();
    expect(one.deeds()).toEqual([{ do: 'test', promotion: `api.${A}`, attempt: 2 }]);
    one.tests('inconclusive', 'cancelled').look().look();
    expect(one.current).toMatchObject({ stage: 'testing', waitingFor: { code: 'TESTS_INCONCLUSIVE' } });
    expect(one.current?.waitingFor?.detail).toContain('2 times: cancelled');
    expect(one.deeds()).toEqual([]);
    expect(one.retry(A)).toBeUndefined();
    expect(one.look().deeds()).toEqual([{ do: 'test', promotion: `api.${A}`, attempt: 3 }]);
  });

  it('inconclusive because staging moved: no other attempt, it waits with STAGING_MOVED', () => {
    const one = at('testing').runs('staging', LIVE).tests('inconclusive').look();
    expect(one.current).toMatchObject({ stage: 'testing', waitingFor: { code: 'STAGING_MOVED' } });
    expect(one.deeds()).toEqual([]);
  });

  it('a report of another attempt, or of another promotion, counts for nothing', () => {
    const one = at('testing').tests('failed').look();
    const { q } = one;
    expect(q.current?.tests?.attempt).toBe(2);
    one.current!.tests!.attempt = 1;
    one.tests('passed');
    one.current!.tests!.attempt = 2;
    expect(one.current?.tests?.state).toBe('running');
  });

  it('its report from elsewhere is waited for with a code that people are reminded of, and bounded in time', () => {
    const tests = { kind: 'report', attempts: 1, timeoutMs: 60_000 } as const;
    const one = at('testing', { tests });
    expect(one.waits).toBe('TESTS_AWAITED');
    const report = { ...BOB, release: A, passed: true, url: 'https://ci/1' };
    expect(commands.judgeTests(one.q, report)).toBeUndefined();
    one.step((draft) => commands.reportTests(draft, report));
    expect(one.look().current).toMatchObject({
      ...{ stage: 'awaiting-approval', tests: { state: 'passed', url: 'https://ci/1' } },
    });
    expect(commands.judgeTests(one.q, report)?.code).toBe('NOT_WAITING');
    expect(commands.judgeTests(at('testing').q, report)?.code).toBe('NOT_WAITING');
  });
});

describe('testing, awaiting-approval: staging moved', () => {
  it.each(['testing', 'awaiting-approval'] as const)('%s: void; retry deploys and tests again', (stage) => {
    const one = at(stage).runs('staging', LIVE).look();
    expect(one.current).toMatchObject({ stage, waitingFor: { code: 'STAGING_MOVED' } });
    expect(one.current?.waitingFor?.detail).toContain(LIVE);
    if (stage === 'awaiting-approval') expect(one.approve(A)?.code).toBe('STAGING_MOVED');
    expect(one.retry(A)).toBeUndefined();
    const deeds = one.deeds();
    expect(deeds.at(-1)).toMatchObject({
      deployment: { environment: 'staging', tag: A, commit: A, actor: 'bob', checkActor: true },
    });
    if (stage === 'testing') expect(deeds[0]).toEqual({ do: 'stopTests', promotion: `api.${A}`, attempt: 1 });
    one.ends('succeeded').look();
    expect(one.current?.tests?.attempt).toBe(2);
    one.tests('passed').look();
    expect(one.approve(A)).toBeUndefined();
  });

  it('away and back has moved: another PRIMARY deployment', () => {
    const one = at('awaiting-approval').runs('staging', A).look();
    expect(one.current?.waitingFor).toMatchObject({ code: 'STAGING_MOVED' });
    expect(one.current?.waitingFor?.detail).toContain('deployed again');
    // Nothing that comes later makes the evidence count again.
    one.staging.primary = 'staging-1';
    expect(one.look().current?.waitingFor?.code).toBe('STAGING_MOVED');
    expect(one.approve(A)?.code).toBe('STAGING_MOVED');
  });
});

describe('awaiting-approval', () => {
  it('approved: production gets the very digests; the approval names release, digests and test run', () => {
    const one = at('awaiting-approval');
    expect(one.approve(A, { reason: 'looks good' })).toBeUndefined();
    expect(one.current).toMatchObject({ stage: 'production', approvedAt: START });
    expect(one.current?.approval).toEqual({
      ...{ by: 'bob', at: START, release: A, digests: digestsOf(A), tests: 'run/1', reason: 'looks good' },
    });
    expect(one.deployed()).toEqual({
      ...{ id: 'production.api.pqp2zaaaaaaaaaaaa', environment: 'production', kind: 'promotion' },
      ...{
        parent: `api.${A}`,
        tag: A,
        digests: digestsOf(A),
        actor: 'bob',
        checkActor: true,
        reason: 'looks good',
      },
    });
    expect(one.told()).toEqual([['production', A]]);
  });

  it('of another release, or of one that is not unlocked: refused, without a trace', () => {
    const one = at('awaiting-approval');
    const before = one.q;
    expect(one.approve(B)?.message).toContain('aaaaaaa is under way (awaiting-approval)');
    expect(one.q).toEqual(before);
    for (const stage of ['staging', 'testing', 'production'] as const)
      expect(judgeApprove(at(stage).q, { ...BOB, release: A })?.code).toBe('NOT_UNLOCKED');
    expect(judgeApprove(new Played().q, { ...BOB, release: A })?.message).toContain(
      'no promotion is under way',
    );
  });

  it.each(['testing', 'awaiting-approval'] as const)('%s: reject ends it rejected', (stage) => {
    const one = at(stage);
    one.reject(A, 'ugly');
    expect(one.current).toMatchObject({ stage: 'rejected', by: 'bob', reason: 'ugly', finishedAt: START });
    expect(one.deeds()).toEqual(
      stage === 'testing' ? [{ do: 'stopTests', promotion: `api.${A}`, attempt: 1 }] : [],
    );
    expect(commands.judgeReject(one.q, { ...BOB, release: A, reason: 'x' })?.code).toBe('NOT_WAITING');
  });
});

describe('production', () => {
  const turn = (one: Played) => atTurn(one.q, one.current?.production ?? '', one.observation());

  it('at its lane’s turn all conditions hold: it goes', () => {
    expect(turn(at('production'))).toEqual({ answer: 'go' });
  });

  it('locked, or staging unreadable: the turn is given back', () => {
    expect(turn(at('production').lock())).toMatchObject({ answer: 'wait', code: 'LOCKED' });
    expect(turn(at('production').lock('PRODUCTION_ROLLED_BACK'))).toMatchObject({
      ...{ answer: 'wait', code: 'PRODUCTION_ROLLED_BACK' },
    });
    const one = at('production');
    one.staging = { unreadable: { code: 'AWS_DOWN', message: 'throttled' } };
    expect(turn(one)).toEqual({ answer: 'wait', code: 'AWS_DOWN', message: 'throttled' });
  });

  it('anything else: it is rejected with that code', () => {
    expect(turn(at('production').runs('staging', A))).toMatchObject({
      answer: 'reject',
      code: 'STAGING_MOVED',
    });
    expect(turn(at('production').runs('production', FOREIGN))).toMatchObject({
      ...{ answer: 'reject', code: 'PRODUCTION_MOVED' },
    });
    const bad = at('production');
    bad.bad = [{ release: A, reason: 'slow', by: 'bob', at: START }];
    expect(turn(bad)).toMatchObject({ answer: 'reject', code: 'RELEASE_BAD' });
    const other = at('production');
    expect(atTurn(other.q, 'production.api.other', other.observation())).toMatchObject({
      ...{ answer: 'reject', code: 'NOT_UNLOCKED' },
    });
  });

  it('the approval’s own override counts', () => {
    const one = at('awaiting-approval');
    one.bad = [{ release: A, reason: 'slow', by: 'bob', at: START }];
    expect(one.approve(A)?.code).toBe('RELEASE_BAD');
    expect(one.approve(A, { override: true, reason: 'I know' })).toBeUndefined();
    expect(turn(one)).toEqual({ answer: 'go' });
    expect(one.deployed()).toMatchObject({ override: true, reason: 'I know' });
  });

  it.each(['STAGING_MOVED', 'PRODUCTION_MOVED', 'RELEASE_BAD', 'TAG_NOT_FOUND', 'NOT_A_MAINTAINER'] as const)(
    'rejected with %s: the approval is void, and it waits at the button with that code',
    (code) => {
      const one = at('production').ends('rejected', code);
      expect(one.current).toMatchObject({ stage: 'awaiting-approval', waitingFor: { code } });
      expect(one.current).not.toHaveProperty('approval');
      expect(one.current).not.toHaveProperty('approvedAt');
      expect(one.current).not.toHaveProperty('failure');
    },
  );

  it('rejected for who approved: somebody else can, and it is not unlocked by a mere look', () => {
    const one = at('production').ends('rejected', 'NOT_A_MAINTAINER').look().look();
    expect(one.current?.waitingFor?.code).toBe('NOT_A_MAINTAINER');
    expect(one.approve(A)).toBeUndefined();
    expect(one.ends('succeeded').look().stage(A)).toBe('promoted');
  });

  it('succeeded: promoted, and the next one goes', () => {
    const one = at('production').merges(B).look();
    expect(one.find(B)?.waitingFor?.code).toBe('PROMOTION_RUNNING');
    one.ends('succeeded').look();
    expect(one.find(A)).toMatchObject({ stage: 'promoted', finishedAt: START });
    expect(one.current).toMatchObject({ release: B, stage: 'staging' });
    expect(one.told().map(([what]) => what)).toEqual(['ended', 'staging']);
  });

  it('succeeded although staging moved meanwhile: promoted; that is the next start’s question', () => {
    const one = at('production').merges(B).runs('staging', LIVE).ends('succeeded').look();
    expect(one.stage(A)).toBe('promoted');
    expect(one.waits).toBe('ENVIRONMENTS_DIFFER');
  });

  it.each([
    ['failed', 'TASKS_FAILED'],
    ['rolled-back', 'ROLLED_BACK'],
    ['stopped', 'STOPPED'],
    ['superseded', 'SUPERSEDED'],
    ['rejected', 'UNSUPPORTED_STRATEGY'],
  ] as const)('%s: failed', (outcome, code) => {
    const one = at('production').ends(outcome, code).look();
    expect(one.current).toMatchObject({ stage: 'failed', failedStage: 'production', failure: { code } });
  });

  it('is not rejected: its deployment is stopped', () => {
    expect(commands.judgeReject(at('production').q, { ...BOB, release: A, reason: 'x' })).toMatchObject({
      code: 'NOT_WAITING',
    });
  });
});

describe('failed: retry', () => {
  it('staging: the same tag again, by who retries', () => {
    const one = at('staging').ends('failed').look();
    expect(one.retry(A, { override: true, reason: 'flaky' })).toBeUndefined();
    expect(one.current).toMatchObject({ stage: 'staging' });
    for (const gone of ['failedStage', 'failure', 'finishedAt']) expect(one.current).not.toHaveProperty(gone);
    expect(one.deployed()).toMatchObject({
      ...{ environment: 'staging', tag: A, actor: 'bob', checkActor: true, override: true, reason: 'flaky' },
    });
  });

  it('testing: tested again where it stands, with all its attempts anew', () => {
    const one = at('testing').tests('failed').look().tests('failed').look();
    expect(one.retry(A)).toBeUndefined();
    expect(one.current?.stage).toBe('testing');
    one.look().tests('failed').look();
    expect(one.current?.stage).toBe('testing');
    expect(one.current?.tests?.attempts.map(({ state }) => state)).toEqual([
      ...['failed', 'failed', 'failed', 'running'],
    ]);
  });

  it('testing, with another release on staging by now: it waits with STAGING_MOVED', () => {
    const one = at('testing').tests('failed').look().tests('failed').look().runs('staging', LIVE);
    expect(one.retry(A)).toBeUndefined();
    expect(one.look().current?.waitingFor?.code).toBe('STAGING_MOVED');
  });

  it('testing, with another image of the release on staging by now: production gets the one that was tested', () => {
    const one = at('testing').tests('failed').look().tests('failed').look().runs('staging', A);
    one.staging.digests = { image: 'sha256:rebuilt' };
    expect(one.retry(A)).toBeUndefined();
    one.look().tests('passed').look();
    one.deeds();
    expect(one.approve(A)).toBeUndefined();
    expect(one.current?.approval?.digests).toEqual({ image: 'sha256:rebuilt' });
    expect(one.deployed().digests).toEqual({ image: 'sha256:rebuilt' });
    expect(one.q.work.staged).toEqual({ image: 'sha256:rebuilt' });
  });

  it('testing, where the service reports no digests: production gets those that it was given', () => {
    const one = at('testing').tests('failed').look().tests('failed').look();
    one.staging = { release: A, primary: 's' };
    expect(one.retry(A)).toBeUndefined();
    one.look().tests('passed').look();
    expect(one.approve(A)).toBeUndefined();
    expect(one.current?.approval?.digests).toEqual(digestsOf(A));
  });

  it('production: a new approval by who retries, under the same conditions', () => {
    const one = at('production').ends('failed').look();
    one.step((draft) => void (draft.q.current!.approval!.by = 'carol'));
    expect(one.runs('production', FOREIGN).retry(A)?.code).toBe('PRODUCTION_MOVED');
    expect(one.current?.stage).toBe('failed');
    expect(one.runs('production', LIVE).retry(A)).toBeUndefined();
    expect(one.current).toMatchObject({ stage: 'production', approval: { by: 'bob' } });
    expect(one.current?.production).toBe('production.api.pqp3zaaaaaaaaaaaa');
  });

  it('production, with staging moved since: refused', () => {
    const one = at('production').ends('failed').look().runs('staging', A);
    expect(one.retry(A)?.code).toBe('STAGING_MOVED');
    expect(one.current?.stage).toBe('failed');
  });

  it('is refused while a newer merge waits, is current or has started since', () => {
    const failed = (): Played => at('staging').ends('failed').look();
    const waits = failed().lock().merges(B).look();
    expect(judgeRetry(waits.q, { ...BOB, release: A })?.code).toBe('LOCKED');
    waits.step(commands.unlock);
    expect(judgeRetry(waits.q, { ...BOB, release: A })).toMatchObject({ code: 'NOT_FAILED' });
    waits.look();
    expect(waits.current?.release).toBe(B);
    expect(judgeRetry(waits.q, { ...BOB, release: A })?.message).toContain('under way');
    waits.ends('failed').look();
    expect(judgeRetry(waits.q, { ...BOB, release: A })?.message).toContain('has started, and is newer');
    expect(judgeRetry(waits.q, { ...BOB, release: C })?.code).toBe('NOT_FOUND');
    expect(judgeRetry(at('testing').q, { ...BOB, release: A })?.code).toBe('NOT_FAILED');
  });

  it.each([
    ['on the branch, and no merge of its own', B, []],
    ['that takes merges along', B, [A]],
    ['off the branch', FOREIGN, []],
  ] as const)('an adopted one %s is retried like any other', (_words, release, merges) => {
    const one = new Played({ policy: { queue: 'every-merge', approval: 'required' } });
    one
      .merges(...merges)
      .runs('staging', release)
      .look();
    expect(one.resolve('adopt')).toBeUndefined();
    one.look().tests('failed').look().tests('failed').look();
    expect(one.current).toMatchObject({ release, stage: 'failed' });
    expect(one.retry(release)).toBeUndefined();
    expect(one.current).toMatchObject({ release, stage: 'testing' });
  });

  it('an adopted one off the branch is not newer than what starts after it, and not older than what had', () => {
    const one = at('production').ends('succeeded').look().runs('staging', FOREIGN).look();
    one.resolve('adopt');
    one.look().tests('failed').look().tests('failed').look();
    expect(judgeRetry(one.q, { ...BOB, release: FOREIGN })).toBeUndefined();
    one.merges(B).look().ends('failed').look();
    expect(one.current).toMatchObject({ release: B, stage: 'failed' });
    expect(judgeRetry(one.q, { ...BOB, release: FOREIGN })?.code).toBe('NOT_FAILED');
  });

  it('from staging, if another promotion ran since', () => {
    const one = at('testing').tests('failed').look().tests('failed').look().runs('staging', LIVE);
    one.q = { ...one.q, recent: [one.q.current!, ...one.q.recent] };
    delete one.q.current;
    expect(one.retry(A)).toBeUndefined();
    expect(one.current).toMatchObject({ release: A, stage: 'staging' });
    expect(one.q.recent.filter(({ release }) => release === A)).toEqual([]);
  });
});

describe('failed, rejected: restore-staging', () => {
  const failed = (): Played => at('testing').tests('failed').look().tests('failed').look();

  it('deploys production’s tag and digests to staging, as the queue’s own', () => {
    const one = failed();
    one.production.tag = 'rel-1';
    expect(one.resolve('restore-staging')).toBeUndefined();
    expect(one.deployed()).toMatchObject({
      ...{ environment: 'staging', kind: 'redeploy', parent: 'api', tag: 'rel-1', digests: digestsOf(LIVE) },
      ...{ actor: 'bob', checkActor: true, reason: 'because' },
    });
  });

  it('while it is queued or running nothing starts; retry and adopt are refused; also while locked', () => {
    const one = failed().lock();
    expect(one.resolve('restore-staging')).toBeUndefined();
    const { id } = one.deployed();
    one.unlock().merges(B).look();
    expect(one.find(B)?.waitingFor?.code).toBe('RESTORING');
    expect(judgeRetry(one.q, { ...BOB, release: A })?.code).toBe('RESTORING');
    for (const choice of ['adopt', 'restore-staging'] as const)
      expect(judgeResolve(one.q, { ...BOB, choice, reason: 'x' })?.code).toBe('RESTORING');
    one.runs('staging', LIVE);
    one.q.restore!.id = id;
    one.step((draft) => {
      delete draft.q.restore;
    });
    expect(one.look().current).toMatchObject({ release: B, stage: 'staging' });
  });
});

describe('testing, awaiting-approval, failed: a deployment outside the queue', () => {
  const outside = (one: Played, release: string): Played =>
    one.runs('staging', release).runs('production', release);
  const failed = (): Played => at('testing').tests('failed').look().tests('failed').look();

  it.each(['testing', 'awaiting-approval'] as const)('%s: both equal to its release: promoted', (stage) => {
    const one = outside(at(stage), A).look();
    expect(one.find(A)).toMatchObject({ stage: 'promoted' });
    expect(one.current).toBeUndefined();
  });

  it('failed: both equal to its release: promoted, and failed no more', () => {
    const one = outside(failed(), A).look();
    expect(one.find(A)).toMatchObject({ stage: 'promoted' });
    expect(one.find(A)).not.toHaveProperty('failure');
    expect(one.find(A)).not.toHaveProperty('failedStage');
  });

  it.each(['testing', 'awaiting-approval'] as const)(
    '%s: contained in what both run: superseded',
    (stage) => {
      const one = outside(at(stage), B).look();
      expect(one.find(A)).toMatchObject({
        stage: 'superseded',
        carriedBy: `api.${B}`,
        failure: { code: 'SUPERSEDED' },
      });
    },
  );

  it('failed and contained in what both run: it stays failed', () => {
    expect(outside(failed(), B).look().stage(A)).toBe('failed');
  });

  it('otherwise it waits: staging moved, or production moved to what it does not contain', () => {
    expect(at('awaiting-approval').runs('staging', B).look().waits).toBe('STAGING_MOVED');
    expect(at('awaiting-approval').runs('production', B).look().waits).toBe('PRODUCTION_MOVED');
    expect(outside(at('awaiting-approval'), LIVE).look().waits).toBe('STAGING_MOVED');
  });

  const ended = (outcome: Outcome, more: Partial<OutsideEnd> = {}): OutsideEnd => ({
    ...{ id: 'staging.api.other', app: 'api', environment: 'staging', kind: 'deploy', outcome },
    ...more,
  });

  it.each([
    ['rolled-back', {}, 'STAGING_MOVED'],
    ['failed', {}, 'STAGING_MOVED'],
    ['timed-out', {}, 'STAGING_MOVED'],
    ['stopped', { untouched: true }, 'APPROVAL'],
    ['rejected', {}, 'APPROVAL'],
    ['rolled-back', { environment: 'production' }, 'APPROVAL'],
    ['rolled-back', { at: '2026-03-01T09:00:00.000Z' }, 'APPROVAL'],
  ] as const)('one that ended %s %j, with staging as it was: waits with %s', (outcome, more, code) => {
    const one = at('awaiting-approval').later(60_000);
    one.step((draft) => changedOutside(draft, ended(outcome, more)));
    expect(one.look().waits).toBe(code);
    expect(one.approve(A)?.code).toBe(code === 'APPROVAL' ? undefined : code);
  });

  it('while its tests run: they end, and count no more; it goes on saying what it waits for, since when', () => {
    const one = at('testing').later(60_000);
    one.step((draft) => changedOutside(draft, ended('rolled-back')));
    one.look();
    const waitingFor = { code: 'STAGING_MOVED', since: one.now };
    expect(one.current).toMatchObject({ stage: 'testing', waitingFor });
    one.later(60_000).tests('passed');
    expect(one.current).toMatchObject({ tests: { state: 'passed' }, waitingFor });
    expect(one.look().current).toMatchObject({ stage: 'testing', waitingFor });
    expect(one.retry(A)).toBeUndefined();
    expect(one.current?.stage).toBe('staging');
  });

  it('tests that end before the next read do not silence it either', () => {
    const one = at('testing');
    one.step((draft) => changedOutside(draft, ended('rolled-back')));
    expect(one.tests('passed').look().current).toMatchObject({
      ...{ stage: 'testing', waitingFor: { code: 'STAGING_MOVED' } },
    });
  });

  it('after it was approved: production is not deployed', () => {
    const one = at('production');
    one.step((draft) => changedOutside(draft, ended('rolled-back')));
    expect(atTurn(one.q, one.current?.production ?? '', one.observation())).toMatchObject({
      ...{ answer: 'reject', code: 'STAGING_MOVED' },
    });
    expect(judgeRetry(one.q, { ...BOB, release: A })?.code).toBe('NOT_FAILED');
  });

  it.each(['staging', 'production'] as const)('%s: the own deployment’s outcome decides', (stage) => {
    const one = outside(at(stage), A).look();
    expect(one.stage(A)).toBe(stage);
  });
});

describe('any: lock and unlock', () => {
  it('what runs ends and is recorded; no stage starts', () => {
    const staging = at('staging').lock().ends('succeeded').look();
    expect(staging.current).toMatchObject({ stage: 'testing', waitingFor: { code: 'LOCKED' } });
    expect(staging.deeds()).toEqual([]);
    const testing = at('testing').lock().tests('failed').look();
    expect(testing.current).toMatchObject({ stage: 'testing', tests: { state: 'failed' } });
    expect(testing.deeds()).toEqual([]);
    const passed = at('testing').lock().tests('passed').look();
    expect(passed.current).toMatchObject({ stage: 'awaiting-approval', waitingFor: { code: 'LOCKED' } });
    const production = at('production').lock().ends('succeeded').look();
    expect(production.stage(A)).toBe('promoted');
    expect(new Played().lock().merges(A).look().current).toBeUndefined();
  });

  it('approve and retry are refused; reject, cancel, adopt, restore are not; merges still queue', () => {
    const one = at('awaiting-approval').merges(B).lock().look();
    expect(judgeApprove(one.q, { ...BOB, release: A })?.code).toBe('LOCKED');
    expect(judgeRetry(one.q, { ...BOB, release: A })?.code).toBe('LOCKED');
    expect(commands.judgeReject(one.q, { ...BOB, release: A, reason: 'x' })).toBeUndefined();
    expect(commands.judgeCancel(one.q, { ...BOB, release: B, reason: 'x' })).toBeUndefined();
    one.runs('staging', FOREIGN).reject(A);
    one.look();
    for (const choice of ['adopt', 'restore-staging'] as const)
      expect(judgeResolve(one.q, { ...BOB, choice, reason: 'x' })).toBeUndefined();
    expect(one.find(B)).toMatchObject({
      stage: 'queued',
      waitingFor: { code: 'LOCKED', since: one.q.lock?.at },
    });
  });

  it('unlock: what the lock held goes on, from a fresh read', () => {
    const tests = at('staging').lock().ends('succeeded').look().unlock();
    expect(tests.deeds()).toEqual([]);
    expect(tests.look().deeds()).toEqual([{ do: 'test', promotion: `api.${A}`, attempt: 1 }]);
    const moved = at('awaiting-approval').lock().look().runs('staging', LIVE).unlock().look();
    expect(moved.waits).toBe('STAGING_MOVED');
    const production = at('production').lock().unlock();
    expect(production.deeds()).toEqual([{ do: 'wake', id: production.current?.production }]);
    expect(new Played().lock().merges(A).look().unlock().look().current?.stage).toBe('staging');
  });

  it('a rollback’s hold joins a lock that is there; the same one again changes nothing', () => {
    const one = new Played().lock();
    const { q } = one;
    const more = { by: 'carol', key: 'k', reason: 'rolled back: slow', code: 'PRODUCTION_ROLLED_BACK' };
    one.step((draft) => void commands.joinLock(draft, more));
    one.step((draft) => void commands.joinLock(draft, more));
    expect(one.q.lock).toEqual({
      ...{ ...q.lock, reason: 'conference; rolled back: slow', code: 'PRODUCTION_ROLLED_BACK' },
    });
  });
});

describe('the table', () => {
  it('takes no row that is not there', () => {
    expect(isRow('queued', 'start', 'staging')).toBe(true);
    expect(isRow('queued', 'start', 'production')).toBe(false);
    const promotion: Promotion = {
      ...{ id: 'x', app: 'api', release: A, merges: [], queuedAt: START },
      stage: 'failed',
    };
    const draft = { q: new Played().q, effects: [], now: START };
    expect(() => move(draft, promotion, 'passed', 'awaiting-approval')).toThrow('no row: failed, passed');
    expect(promotion.stage).toBe('failed');
  });

  it('leads out of no end but failed', () => {
    const ends = ['promoted', 'rejected', 'superseded', 'cancelled'];
    expect(ROWS.filter(([from]) => ends.includes(from))).toEqual([]);
  });

  it('merges that were seen before come once', () => {
    const one = at('testing');
    one.step((draft) => mergesCame(draft, { head: A, merges: [one.mergeOf(A)] }));
    expect(one.q.waiting).toEqual([]);
  });
});
