/** What the design's section 6 says below its table: conditions, start rule, equal, off, waits and their reminders. */
import { describe, expect, it } from 'vitest';
import type { Code } from '../../../domain/codes.js';
import type { MergesNews } from '../../../domain/messages.js';
import type { PromotionState } from '../../../domain/promotion/state.js';
import * as commands from '../../../domain/promotion/commands.js';
import { decide, unread } from '../../../domain/promotion/decide.js';
import * as events from '../../../domain/promotion/events.js';
import { compareReads, isUnchanged, stillIs } from '../../../domain/promotion/read.js';
import { judgeResolve } from '../../../domain/promotion/resolve.js';
import { forMemo, remembered, viewOf } from '../../../domain/promotion/state.js';
import { A, B, BOB, C, digestsOf, FOREIGN, LIVE, Played, runsNow, START } from './played.js';

const MINUTE = 60_000;
const at = (
  stage: Parameters<Played['until']>[0],
  ...settings: ConstructorParameters<typeof Played>
): Played => {
  const one = new Played(...settings).merges(A).until(stage);
  one.deeds();
  one.told();
  return one;
};
type Case = [string, (one: Played) => unknown, Code | undefined];

const bad = (release: string) => [{ release, reason: 'slow', by: 'bob', at: START }];
const EVERY = { policy: { queue: 'every-merge', approval: 'required' } } as const;
const AUTOMATIC = { policy: { queue: 'latest', approval: 'automatic' } } as const;
const OFF = { policy: { queue: 'off', approval: 'required' } } as const;

describe('up to where the branch was looked at for merges', () => {
  it('from where the first push began; a later push tells of itself only, a look from there tells of all', () => {
    const one = new Played();
    const came = (news: Omit<MergesNews, 'merges'>) => {
      one.step((draft) => events.mergesCame(draft, { ...news, merges: [] }));
      return one.q.head;
    };
    expect(came({ head: B, before: A })).toBe(A);
    expect(came({ head: FOREIGN, before: C })).toBe(A);
    expect(came({ head: FOREIGN })).toBe(FOREIGN);
  });
});

describe('conditions of an approval', () => {
  const approvedIn = (prepare: (one: Played) => unknown) => {
    const one = at('awaiting-approval');
    prepare(one);
    const before = one.q;
    const refused = one.approve(A);
    if (refused) expect(one.q).toEqual(before);
    return refused?.code;
  };

  const table: Case[] = [
    ['locked', (one: Played) => one.lock(), 'LOCKED'],
    ['staging runs another release', (one: Played) => one.runs('staging', B), 'STAGING_MOVED'],
    ['staging went away and came back', (one: Played) => one.runs('staging', A), 'STAGING_MOVED'],
    [
      'staging runs other images of the release',
      (one: Played) => (one.staging.digests = digestsOf(B)),
      'STAGING_MOVED',
    ],
    [
      'staging cannot be read',
      (one: Played) => (one.staging = { unreadable: { code: 'AWS_REFUSED', message: 'no' } }),
      'AWS_REFUSED',
    ],
    ['what staging runs is not known', (one: Played) => (one.staging = {}), 'VERSION_UNKNOWN'],
    ['an image is gone', (one: Played) => (one.missing = 'nginx has no such image'), 'TAG_NOT_FOUND'],
    ['the release is bad', (one: Played) => (one.bad = bad(A)), 'RELEASE_BAD'],
    [
      'production runs what it does not contain',
      (one: Played) => one.runs('production', B),
      'PRODUCTION_MOVED',
    ],
    [
      'production runs something foreign',
      (one: Played) => one.runs('production', FOREIGN),
      'PRODUCTION_MOVED',
    ],
    ['what production runs is not known', (one: Played) => (one.production = {}), 'PRODUCTION_MOVED'],
    [
      'production cannot be read',
      (one: Played) => (one.production = { unreadable: { code: 'AWS_DOWN', message: 'no' } }),
      'AWS_DOWN',
    ],
    ['the source is away', (one: Played) => (one.isSourceAway = true), 'GITHUB_DOWN'],
    ['a release inside it is bad', (one: Played) => (one.bad = bad(LIVE)), undefined],
    ['production runs it already', (one: Played) => one.runs('production', A), undefined],
  ];
  it.each(table)('%s', (_words, prepare, code) => expect(approvedIn(prepare)).toBe(code));

  it('override lifts a bad release and a moved production, nothing else', () => {
    const one = at('awaiting-approval').runs('production', FOREIGN);
    one.bad = bad(A);
    expect(one.approve(A, { override: true })).toBeUndefined();
    expect(one.current?.approval).toMatchObject({ override: true });
    const moved = at('awaiting-approval').runs('staging', B);
    expect(moved.approve(A, { override: true })?.code).toBe('STAGING_MOVED');
    const gone = at('awaiting-approval');
    gone.missing = 'gone';
    expect(gone.approve(A, { override: true })?.code).toBe('TAG_NOT_FOUND');
  });

  it('automatic: the queue approves by itself when all hold', () => {
    const one = new Played(AUTOMATIC).merges(A).until('testing').tests('passed').look();
    expect(one.current).toMatchObject({ stage: 'production', approval: { by: 'sluice', release: A } });
    const deployed = one.deeds().flatMap((deed) => (deed.do === 'deploy' ? [deed.deployment] : []));
    expect(deployed.at(-1)).toMatchObject({ environment: 'production', actor: 'sluice', checkActor: false });
  });

  it('automatic: one that contains a bad one waits, unless production contains that too', () => {
    const tested = () => new Played(AUTOMATIC).merges(B).until('testing').tests('passed');
    const held = tested();
    held.bad = bad(A);
    expect(held.look().current).toMatchObject({
      stage: 'awaiting-approval',
      waitingFor: { code: 'RELEASE_BAD' },
    });
    expect(held.approve(B)).toBeUndefined();
    const live = tested();
    live.bad = bad(LIVE);
    expect(live.look().current?.stage).toBe('production');
  });

  it('what hinders is said at the button, and goes by itself where it can', () => {
    const one = at('awaiting-approval');
    one.isSourceAway = true;
    one.look();
    expect(one.waits).toBe('GITHUB_DOWN');
    expect(one.q.again).toEqual({ at: new Date(Date.parse(START) + 2_000).toISOString(), times: 1 });
    one.isSourceAway = false;
    one.look();
    expect(one.waits).toBe('APPROVAL');
    expect(one.q.again).toBeUndefined();
    expect(one.told()).toEqual([]);
  });
});

describe('start rule', () => {
  const held = (prepare: (one: Played) => unknown, ...settings: ConstructorParameters<typeof Played>) => {
    const one = new Played(...settings);
    prepare(one);
    one.merges(A).look();
    return one.current ? undefined : one.q.waiting[0]?.waitingFor?.code;
  };
  const place = { id: 'production.api.other', kind: 'rollback' } as const;

  const table: Case[] = [
    ['both equal', () => undefined, undefined],
    ['locked', (one: Played) => one.lock(), 'LOCKED'],
    ['locked by a rollback', (one: Played) => one.lock('PRODUCTION_ROLLED_BACK'), 'PRODUCTION_ROLLED_BACK'],
    [
      'a deployment outside the queue',
      (one: Played) => (one.lanes = { staging: [{ ...place, kind: 'deploy' }], production: [] }),
      'LANE_BUSY',
    ],
    ['a rollback', (one: Played) => (one.lanes = { staging: [], production: [place] }), 'LANE_BUSY'],
    ['the source is away', (one: Played) => (one.isSourceAway = true), 'GITHUB_DOWN'],
    ['differing, also on first use', (one: Played) => one.runs('staging', FOREIGN), 'ENVIRONMENTS_DIFFER'],
    ['nothing is reported', (one: Played) => (one.staging = { primary: 's' }), 'VERSION_UNKNOWN'],
    [
      'unreadable',
      (one: Played) => (one.production = { unreadable: { code: 'SERVICE_GONE', message: 'no' } }),
      'SERVICE_GONE',
    ],
  ];
  it.each(table)('%s', (_words, prepare, code) => expect(held(prepare)).toBe(code));

  it('says it at the queue and at everything that waits, since when, and who can end it how', () => {
    const one = new Played(EVERY).runs('staging', FOREIGN).merges(A).look();
    const since = one.now;
    one.later(MINUTE).merges(B).look();
    expect(viewOf(one.q)).toMatchObject({
      state: 'waiting',
      waitingFor: { code: 'ENVIRONMENTS_DIFFER', since },
    });
    expect(one.q.waitingFor?.who).toBe('a maintainer');
    expect(one.q.waitingFor?.actions.join()).toMatch(/adopt.*restore.*override/);
    expect(one.q.waiting.map(({ waitingFor }) => waitingFor?.since)).toEqual([since, one.now]);
  });

  it.each([
    ['failed', (one: Played) => one.tests('failed').look().tests('failed').look()],
    ['rejected', (one: Played) => one.reject(A)],
  ] as const)('differing because the last one ended %s is known: the next one goes', (_words, end) => {
    const one = at('testing');
    end(one);
    one.look().later(MINUTE).look().merges(B).look();
    expect(one.current).toMatchObject({ release: B, stage: 'staging' });
    expect(one.q.recent.map(({ release }) => release)).toContain(A);
  });

  it('but not when an environment has changed since', () => {
    const one = at('testing').tests('failed').look().tests('failed').look();
    expect(one.runs('staging', FOREIGN).look().merges(B).look().waits).toBe('ENVIRONMENTS_DIFFER');
    // Also where it came back as it was: it is not the same deployment.
    const back = at('testing').tests('failed').look().tests('failed').look();
    expect(back.runs('staging', A).look().merges(B).look().waits).toBe('ENVIRONMENTS_DIFFER');
  });

  it('a cancelled one gives no reason: it had not started', () => {
    const one = new Played().runs('staging', FOREIGN).merges(A).look();
    one.reject(A);
    expect(one.look().merges(B).look().waits).toBe('ENVIRONMENTS_DIFFER');
  });

  it('production rolled back by Sluice is a known reason; another deployment of it is not', () => {
    const ended = (kind: 'rollback' | 'deploy', outcome: 'succeeded' | 'failed') => {
      const one = at('production').ends('succeeded').look().runs('production', LIVE);
      const end = {
        id: 'production.api.back',
        app: 'api',
        environment: 'production',
        kind,
        outcome,
      } as const;
      one.step((draft) => events.changedOutside(draft, end));
      one.look().merges(B).look();
      return one.current?.release ?? one.waits;
    };
    expect(ended('rollback', 'succeeded')).toBe(B);
    expect(ended('deploy', 'succeeded')).toBe('ENVIRONMENTS_DIFFER');
    expect(ended('rollback', 'failed')).toBe('ENVIRONMENTS_DIFFER');
  });

  it('a failed one stays current until another starts', () => {
    const one = at('staging').ends('failed').look();
    expect(viewOf(one.q)).toMatchObject({ state: 'idle', current: { release: A, stage: 'failed' } });
    one.merges(B).look();
    expect(viewOf(one.q)).toMatchObject({ state: 'busy', current: { release: B } });
  });
});

describe('the environments differ: what a person can choose', () => {
  const differing = () => {
    const one = new Played(EVERY).runs('staging', B).merges(A, C).look();
    one.deeds();
    return one;
  };

  it('adopt: what staging runs, at testing, with the waiting merges that it is or contains', () => {
    const one = differing();
    expect(one.resolve('adopt')).toBeUndefined();
    expect(one.current).toMatchObject({
      ...{ id: `api.${B}`, release: B, stage: 'testing', by: 'bob', reason: 'because' },
      merges: [{ sha: A }],
    });
    expect(one.find(A)).toMatchObject({ stage: 'superseded', carriedBy: `api.${B}` });
    expect(one.find(C)?.stage).toBe('queued');
    one.look().tests('passed').look();
    expect(one.approve(B)).toBeUndefined();
    expect(one.current?.approval?.digests).toEqual(digestsOf(B));
  });

  it('adopt ends the current one: superseded if the adopted release contains it, else rejected', () => {
    const newer = at('awaiting-approval').runs('staging', B).look();
    expect(newer.resolve('adopt')).toBeUndefined();
    expect(newer.find(A)).toMatchObject({ stage: 'superseded', carriedBy: `api.${B}` });
    const other = at('testing').runs('staging', FOREIGN).look();
    expect(other.resolve('adopt')).toBeUndefined();
    expect(other.find(A)).toMatchObject({ stage: 'rejected', by: 'bob' });
    expect(other.deeds()).toContainEqual({ do: 'stopTests', promotion: `api.${A}`, attempt: 1 });
    // What is not on the branch goes through, too: a person chose it. Production does not hold it then.
    other.look().tests('passed').look();
    expect(other.waits).toBe('PRODUCTION_MOVED');
  });

  it('adopt is refused where nothing is to be adopted, or it cannot be known', () => {
    expect(new Played().look().resolve('adopt')?.code).toBe('NOT_WAITING');
    expect(at('awaiting-approval').resolve('adopt')?.code).toBe('NOT_WAITING');
    expect(judgeResolve(at('staging').q, { ...BOB, choice: 'adopt', reason: 'x' })?.code).toBe('NOT_WAITING');
    expect(judgeResolve(at('production').q, { ...BOB, choice: 'adopt', reason: 'x' })?.code).toBe(
      'NOT_WAITING',
    );
    const mute = differing();
    mute.staging = { primary: 's' };
    expect(mute.resolve('adopt')?.code).toBe('VERSION_UNKNOWN');
    const away = differing();
    away.isSourceAway = true;
    const before = away.q;
    expect(away.resolve('adopt')?.code).toBe('GITHUB_DOWN');
    expect(away.q).toEqual(before);
  });

  it('restore-staging, and then the next one goes', () => {
    const one = differing();
    expect(one.resolve('restore-staging')).toBeUndefined();
    const { id } = one.deployed();
    one.look();
    expect(viewOf(one.q)).toMatchObject({ state: 'busy' });
    one.runs('staging', LIVE);
    one.step((draft) => events.deploymentEnded(draft, { id, outcome: 'succeeded', verified: true }));
    expect(one.look().current).toMatchObject({ release: A, stage: 'staging' });
  });

  it('a restore that fails leaves it as it was, to be chosen again', () => {
    const one = differing();
    one.resolve('restore-staging');
    const { id } = one.deployed();
    one.step((draft) => events.deploymentEnded(draft, { id, outcome: 'failed', verified: false }));
    expect(one.look().waits).toBe('ENVIRONMENTS_DIFFER');
    expect(one.resolve('restore-staging')).toBeUndefined();
    expect(one.deployed().id).not.toBe(id);
  });

  it('restore-staging is refused where staging runs that, or a promotion is under way', () => {
    expect(new Played().look().resolve('restore-staging')?.code).toBe('NOT_WAITING');
    for (const stage of ['staging', 'testing', 'awaiting-approval', 'production'] as const)
      expect(judgeResolve(at(stage).q, { ...BOB, choice: 'restore-staging', reason: 'x' })?.code).toBe(
        'NOT_WAITING',
      );
  });

  it('override: taken only while the queue waits for it; lets one start pass', () => {
    expect(judgeResolve(new Played().look().q, { ...BOB, choice: 'override', reason: 'x' })?.code).toBe(
      'NOT_WAITING',
    );
    const one = differing();
    expect(one.resolve('override')).toBeUndefined();
    expect(one.look().current?.release).toBe(A);
    expect(one.q.override).toBeUndefined();
    expect(one.find(C)?.waitingFor?.code).toBe('PROMOTION_RUNNING');
  });

  it('override is not taken for a promotion under way, whose start it cannot let pass', () => {
    const one = at('staging').ends('succeeded');
    one.staging = {};
    one.look();
    expect(one.waits).toBe('VERSION_UNKNOWN');
    expect(judgeResolve(one.q, { ...BOB, choice: 'override', reason: 'x' })?.code).toBe('NOT_WAITING');
  });

  it('override lapses when either environment changes', () => {
    const one = differing();
    one.lanes = { staging: [{ id: 'staging.api.other', kind: 'deploy' }], production: [] };
    expect(one.resolve('override')).toBeUndefined();
    expect(one.look().waits).toBe('LANE_BUSY');
    one.lanes = { staging: [], production: [] };
    expect(one.runs('staging', FOREIGN).look().waits).toBe('ENVIRONMENTS_DIFFER');
  });
});

describe('equal', () => {
  const none = { primary: 'p' };
  it.each([
    ['the same release', runsNow(A, '1'), runsNow(A, '2'), 'equal'],
    ['other releases', runsNow(A, '1'), runsNow(B, '2'), 'different'],
    ['one mute, the same digests', { ...none, digests: digestsOf(A) }, runsNow(A, '2'), 'equal'],
    ['one mute, other digests', { ...none, digests: digestsOf(B) }, runsNow(A, '2'), 'different'],
    ['one mute, no digests', none, runsNow(A, '2'), 'unknown'],
    ['both mute', none, none, 'unknown'],
    ['deployed last by Sluice: never proves it', { ...none, deployed: A }, runsNow(A, '2'), 'unknown'],
    [
      'the release decides, not the digests',
      { ...runsNow(A, '1'), digests: digestsOf(B) },
      runsNow(A, '2'),
      'equal',
    ],
  ] as const)('%s', (_words, one, other, answer) => {
    expect(compareReads(one, other)).toBe(answer);
    expect(compareReads(other, one)).toBe(answer);
  });

  it('what the tests saw is compared in all its parts', () => {
    const evidence = { release: A, digests: digestsOf(A), primary: '1' };
    expect(stillIs(runsNow(A, '1'), evidence)).toBe('equal');
    expect(stillIs(runsNow(A, '2'), evidence)).toBe('different');
    expect(stillIs({ ...runsNow(A, '1'), digests: digestsOf(B) }, evidence)).toBe('different');
    expect(stillIs({ release: A, primary: '1' }, evidence)).toBe('equal');
    expect(stillIs({ primary: '1' }, evidence)).toBe('unknown');
    expect(stillIs({ release: A }, evidence)).toBe('unknown');
    expect(isUnchanged(runsNow(A, '1'), none)).toBe(false);
    expect(isUnchanged(runsNow(A, '1'), {})).toBe(true);
  });

  it('unknown at the start waits, is read again by itself, and can be overridden', () => {
    const one = new Played();
    one.staging = none;
    one.merges(A).look();
    expect(one.waits).toBe('VERSION_UNKNOWN');
    expect(events.nextTime(one.q)).toBe(Date.parse(START) + 2_000);
    one.later(2_000).step(events.timePasses);
    expect(one.q.look).toBe(true);
    one.staging = runsNow(LIVE, 'p');
    expect(one.look().current?.stage).toBe('staging');
    const other = new Played();
    other.staging = none;
    expect(other.merges(A).look().resolve('override')).toBeUndefined();
    expect(other.look().current?.stage).toBe('staging');
  });

  it('unknown when its tests should begin: they do not; after them: inconclusive', () => {
    const one = at('staging').ends('succeeded');
    one.staging = none;
    one.q.work.staged = {};
    delete one.q.work.staged;
    one.look();
    expect(one.current).toMatchObject({ stage: 'testing', waitingFor: { code: 'VERSION_UNKNOWN' } });
    expect(one.deeds()).toEqual([]);
  });
});

describe('off', () => {
  it('every merge goes to staging, no parity wait; a newer one supersedes an older one on its way', () => {
    const one = new Played(OFF).runs('staging', FOREIGN).merges(A).look();
    expect(one.current).toMatchObject({ release: A, stage: 'staging' });
    one.merges(B).look();
    expect(one.find(A)).toMatchObject({ stage: 'superseded', carriedBy: `api.${B}` });
    const deployed = one.deeds().flatMap((deed) => (deed.do === 'deploy' ? [deed.deployment.tag] : []));
    expect(deployed).toEqual([A, B]);
    one.merges(C).ends('succeeded').look();
    expect(one.current).toMatchObject({ release: C, stage: 'staging' });
  });

  it('the end of a superseded one’s deployment is not the newer one’s', () => {
    const one = new Played(OFF).merges(A).look();
    const old = one.current?.staging ?? '';
    one.merges(B).look();
    one.step((draft) => events.deploymentEnded(draft, { id: old, outcome: 'succeeded', verified: true }));
    expect(one.look().current).toMatchObject({ release: B, stage: 'staging' });
  });

  it('tests run and are shown; approve under the same conditions; a newer one waits for production', () => {
    const one = at('awaiting-approval', OFF);
    expect(one.runs('production', FOREIGN).approve(A)?.code).toBe('PRODUCTION_MOVED');
    expect(one.runs('production', LIVE).approve(A)).toBeUndefined();
    one.merges(B).look();
    expect(one.find(B)?.waitingFor?.code).toBe('PROMOTION_RUNNING');
    expect(one.ends('succeeded').look().current).toMatchObject({ release: B, stage: 'staging' });
  });

  it('stops its tests with it', () => {
    const one = at('testing', OFF).merges(B).look();
    expect(one.deeds()[0]).toMatchObject({ do: 'stopTests', promotion: `api.${A}` });
    expect(one.find(A)?.tests).toMatchObject({ state: 'inconclusive' });
  });

  it('locked: none starts', () => {
    expect(new Played(OFF).lock().merges(A).look().current).toBeUndefined();
  });
});

describe('merges', () => {
  it('stand in the order of the branch, however they come, and each once', () => {
    const one = new Played(EVERY).lock().merges(C).merges(A).merges(C, B).merges(A);
    expect(one.q.waiting.map(({ release }) => release)).toEqual([A, B, C]);
  });

  it('once seen, whatever their end, are not added again', () => {
    const one = at('staging').ends('failed').look().merges(A).look();
    expect(one.q.waiting).toEqual([]);
    const cancelled = new Played().lock().merges(A);
    cancelled.reject(A);
    expect(cancelled.merges(A).q.waiting).toEqual([]);
  });

  it('a forced push brings other commits at the same places', () => {
    const one = at('testing').merges(B).look();
    const rewritten = 'd'.repeat(40);
    one.branch = [LIVE, A, rewritten];
    one.merges(rewritten).look();
    expect(one.find(B)?.stage).toBe('cancelled');
    expect(one.find(rewritten)?.stage).toBe('queued');
  });

  it('long ago are remembered by their place', () => {
    const one = new Played().lock();
    const shas = Array.from({ length: 520 }, (_, at) => at.toString(16).padStart(40, '0'));
    one.branch = shas;
    one.merges(...shas);
    expect(one.q.seen).toHaveLength(500);
    expect(one.q.seenTo).toBe(20);
    expect(one.q.waiting).toHaveLength(520);
    one.merges(...shas.slice(0, 30));
    expect(one.q.waiting).toHaveLength(520);
    expect(viewOf(one.q)).toMatchObject({ waitingCount: 520, waiting: { length: 50 } });
  });

  it('the same release once more has an id of its own', () => {
    const one = at('testing').runs('staging', B).look();
    one.resolve('adopt');
    one.reject(B);
    one.look().runs('staging', B).look();
    expect(one.resolve('adopt')).toBeUndefined();
    expect(one.current?.id).toMatch(new RegExp(`^api\\.${B}\\.\\d+$`));
    expect(new Set([one.current, ...one.q.recent].map((each) => each?.id)).size).toBe(
      1 + one.q.recent.length,
    );
  });
});

describe('a read', () => {
  it('that began before the last event decides nothing', () => {
    const one = new Played().merges(A);
    const read = one.observation();
    one.merges(B);
    const { q } = one;
    expect(one.step((draft) => decide(draft, read))).toBe(false);
    expect(one.q).toEqual(q);
  });

  it('that came to nothing is tried again, and what waits says why', () => {
    const gone = { code: 'NOT_FOUND', message: 'sluice.yaml has no promotion of api' } as const;
    const failed = (one: Played): Played => {
      one.step((draft) => unread(draft, gone));
      return one;
    };
    const queued = failed(new Played().merges(A));
    expect(queued.waits).toBe('NOT_FOUND');
    expect(queued.q.look).toBe(false);
    expect(events.nextTime(queued.q)).toBe(Date.parse(START) + 2_000);
    expect(queued.look().current?.stage).toBe('staging');
    expect(failed(at('awaiting-approval')).look().waits).toBe('APPROVAL');
  });

  it('brings the settings as sluice.yaml has them now', () => {
    const one = at('awaiting-approval');
    one.settings = { ...one.settings, ...AUTOMATIC };
    expect(one.look().current?.stage).toBe('production');
  });
});

describe('nothing waits silently', () => {
  const settings = { remindAfterMs: 60 * MINUTE, escalateAfterMs: 240 * MINUTE };

  it('first who merged, then the maintainers are told, each once', () => {
    const one = at('awaiting-approval', settings);
    expect(events.nextTime(one.q)).toBe(Date.parse(START) + 60 * MINUTE);
    one.later(59 * MINUTE).step(events.timePasses);
    expect(one.told()).toEqual([]);
    one.later(MINUTE).step(events.timePasses);
    one.later(MINUTE).step(events.timePasses);
    expect(one.told()).toEqual([['waiting', A]]);
    expect(events.nextTime(one.q)).toBe(Date.parse(START) + 240 * MINUTE);
    one.later(200 * MINUTE).step(events.timePasses);
    one.later(200 * MINUTE).step(events.timePasses);
    expect(one.told()).toEqual([['escalated', A]]);
    expect(events.nextTime(one.q)).toBeUndefined();
  });

  it('another wait is told anew, from its own beginning', () => {
    const one = at('awaiting-approval', settings);
    one.later(300 * MINUTE).step(events.timePasses);
    one.runs('staging', LIVE).look();
    expect(one.told()).toEqual([['escalated', A]]);
    expect(one.q.current?.waitingFor).toMatchObject({ code: 'STAGING_MOVED', since: one.now });
    one.later(60 * MINUTE).step(events.timePasses);
    expect(one.told()).toEqual([['waiting', A]]);
  });

  const AWAY: [string, (one: Played) => void][] = [
    ['AWS', (one) => (one.staging = { unreadable: { code: 'AWS_DOWN', message: 'no' } })],
    ['the source', (one) => (one.isSourceAway = true)],
    ['the version endpoint', (one) => (one.staging = {})],
  ];
  it.each(AWAY)('%s being away for a moment does not begin the wait at the button anew', (_words, leave) => {
    const one = at('awaiting-approval', settings);
    const since = one.now;
    for (let hour = 0; hour < 10; hour += 1) {
      const { staging } = one;
      leave(one);
      one
        .later(30 * MINUTE)
        .look()
        .step(events.timePasses);
      expect(one.current?.waitingFor?.code).not.toBe('APPROVAL');
      Object.assign(one, { staging, isSourceAway: false });
      one
        .later(30 * MINUTE)
        .look()
        .step(events.timePasses);
      expect(one.current?.waitingFor).toMatchObject({ code: 'APPROVAL', since });
    }
    expect(one.told()).toEqual([
      ['waiting', A],
      ['escalated', A],
    ]);
  });

  it('one after the other being away neither', () => {
    const one = at('awaiting-approval', settings);
    const since = one.now;
    const { staging } = one;
    for (const [, leave] of AWAY) {
      leave(one);
      one.later(MINUTE).look();
    }
    Object.assign(one, { staging, isSourceAway: false });
    expect(one.later(MINUTE).look().current?.waitingFor).toMatchObject({ code: 'APPROVAL', since });
  });

  it('nor the wait of a start, at the queue and at everything in it', () => {
    const one = new Played({ ...settings, ...EVERY }).runs('staging', FOREIGN).merges(A).look();
    const since = one.now;
    one.later(MINUTE).merges(B).look();
    const later = one.now;
    one.later(MINUTE).step((draft) => unread(draft, { code: 'NOT_FOUND', message: 'no' }));
    expect(one.q.waitingFor).toMatchObject({ code: 'NOT_FOUND', since: one.now });
    one.later(MINUTE).isSourceAway = true;
    expect(one.look().waits).toBe('GITHUB_DOWN');
    one.later(MINUTE).isSourceAway = false;
    expect(one.look().q.waitingFor).toMatchObject({ code: 'ENVIRONMENTS_DIFFER', since });
    expect(one.q.waiting.map(({ waitingFor }) => waitingFor?.since)).toEqual([since, later]);
  });

  it('what a person did meanwhile does begin it anew', () => {
    const one = at('awaiting-approval', settings);
    one.isSourceAway = true;
    one.later(MINUTE).look().lock().look();
    one.isSourceAway = false;
    one.later(MINUTE).unlock().look();
    expect(one.current?.waitingFor).toMatchObject({ code: 'APPROVAL', since: one.now });
    const back = at('awaiting-approval', settings);
    back.isSourceAway = true;
    back.later(MINUTE).look();
    back.isSourceAway = false;
    back.approve(A);
    back.later(MINUTE).ends('rejected', 'PRODUCTION_MOVED').look();
    expect(back.current?.waitingFor).toMatchObject({ code: 'APPROVAL', since: back.now });
  });

  it('of a start that is held up, everybody is told once who merged what waits; the maintainers once', () => {
    const one = new Played({ ...settings, ...EVERY }).runs('staging', FOREIGN);
    const merges = [A, B, C].map((sha) => ({ ...one.mergeOf(sha), mergedBy: sha === B ? 'bob' : 'alice' }));
    one.step((draft) => events.mergesCame(draft, { head: C, merges }));
    one
      .look()
      .later(60 * MINUTE)
      .step(events.timePasses);
    expect(one.told()).toEqual([
      ['waiting', C],
      ['waiting', B],
    ]);
    one.later(180 * MINUTE).step(events.timePasses);
    expect(one.told()).toEqual([['escalated', C]]);
  });

  it('tests that run are no such wait; a report that is waited for is', () => {
    const running = at('testing', settings);
    expect(events.nextTime(running.q)).toBeUndefined();
    expect(viewOf(running.q).state).toBe('busy');
    const tests = { kind: 'report', attempts: 1, timeoutMs: 600 * MINUTE } as const;
    const awaited = at('testing', { ...settings, tests });
    awaited.later(60 * MINUTE).step(events.timePasses);
    expect(awaited.told()).toEqual([['waiting', A]]);
  });

  it('a report that does not come in time makes the attempt inconclusive', () => {
    const tests = { kind: 'report', attempts: 1, timeoutMs: 30 * MINUTE } as const;
    const one = at('testing', { tests });
    expect(events.nextTime(one.q)).toBe(Date.parse(START) + 30 * MINUTE);
    one.later(29 * MINUTE).step(events.timePasses);
    expect(one.current?.tests?.state).toBe('running');
    one.later(MINUTE).step(events.timePasses);
    expect(one.look().current?.waitingFor).toMatchObject({ code: 'TESTS_INCONCLUSIVE' });
    expect(one.current?.tests?.attempts[0]?.detail).toContain('no report');
  });

  it('what cannot be read is read less and less often, at most every five minutes', () => {
    const one = new Played();
    one.staging = { unreadable: { code: 'AWS_DOWN', message: 'no' } };
    one.merges(A).look();
    const pauses: number[] = [];
    for (let times = 0; times < 10; times += 1) {
      const due = events.nextTime(one.q) ?? 0;
      pauses.push(due - Date.parse(one.now));
      one.later(due - Date.parse(one.now)).step(events.timePasses);
      one.look();
    }
    expect(pauses.slice(0, 3)).toEqual([2_000, 4_000, 8_000]);
    expect(pauses.at(-1)).toBe(5 * MINUTE);
    expect(one.q.waitingFor?.since).toBe(START);
  });

  it('one that is wanted already is not waited for', () => {
    const one = new Played();
    one.isSourceAway = true;
    one.merges(A).look().later(3_000).step(events.timePasses);
    expect(one.q.look).toBe(true);
    expect(events.nextTime(one.q) ?? Infinity).toBeGreaterThan(Date.parse(one.now));
  });
});

describe('state', () => {
  it.each([
    ['idle', () => new Played()],
    ['busy', () => at('staging')],
    ['busy', () => at('testing')],
    ['waiting', () => at('awaiting-approval')],
    ['busy', () => at('production')],
    ['idle', () => at('staging').ends('failed').look()],
    ['locked', () => at('awaiting-approval').lock()],
    ['waiting', () => at('awaiting-approval').runs('staging', LIVE).look()],
  ] as const)('%s', (state, make) => expect(viewOf(make().q).state).toBe(state));

  it('keeps the latest keys', () => {
    let q: PromotionState = new Played().q;
    for (let at = 0; at < 310; at += 1) q = remembered(q, `key${at}`, 'f');
    expect(q.keys).toHaveLength(300);
    expect(q.keys.at(-1)?.key).toBe('key309');
  });

  it('in the memo is small, and knows the merges that came late as well', () => {
    const one = new Played(EVERY).lock().merges(C).merges(B);
    const memo = forMemo(one.q);
    expect(memo).toMatchObject({ recent: [], keys: [], lock: one.q.lock, waiting: one.q.waiting });
    const anew = new Played(EVERY);
    anew.q = { ...anew.q, ...memo };
    // B and C are known; A, whose webhook was late, is not.
    anew.merges(A, B, C);
    expect(anew.q.waiting.map(({ release }) => release)).toEqual([A, B, C]);
  });

  it('judges without changing anything', () => {
    const { q } = at('awaiting-approval');
    const before = JSON.stringify(q);
    commands.judgeReject(q, { ...BOB, release: A, reason: 'x' });
    judgeResolve(q, { ...BOB, choice: 'adopt', reason: 'x' });
    expect(JSON.stringify(q)).toBe(before);
  });
});
