import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, newWatch, nextReadIn, resumedWatch } from '../../../domain/rollout/rollout.js';
import type { DeploymentRead, Ours, ServiceRead } from '../../../domain/rollout/rollout.js';
import {
  deployment,
  iso,
  OLD,
  oldOne,
  OURS,
  ours,
  read,
  recorded,
  revision,
  watchReads,
} from '../../support/reads.js';

const BACK = 'ecs-svc/3333';
const back = (change: Partial<DeploymentRead> = {}): DeploymentRead =>
  deployment({ id: BACK, revision: revision(7), createdAt: iso(100), ...change });
const completed = deployment({ rolloutState: 'COMPLETED' });
const begun = read(1, [deployment({ running: 0 }), oldOne()]);
const failedOurs = deployment({ status: 'ACTIVE', rolloutState: 'FAILED', running: 0, failed: 10 });
const event = (seconds: number, message: string) => ({
  id: `${seconds} ${message}`,
  at: iso(seconds),
  message: `(service api) ${message}`,
});
const theirs = (n: number): DeploymentRead =>
  deployment({ id: 'ecs-svc/4444', revision: revision(n), createdAt: iso(50) });

type Row = [name: string, verdict: string | undefined, reads: ServiceRead[], whose?: Partial<Ours>];

const ROWS: Row[] = [
  ['ours PRIMARY and COMPLETED, alone', 'stable', [begun, read(2, [completed])]],
  ['COMPLETED while another still drains', undefined, [begun, read(2, [completed, oldOne({ running: 1 })])]],
  [
    'COMPLETED while another still has a pending task',
    undefined,
    [read(2, [completed, oldOne({ running: 0, pending: 1 })])],
  ],
  ['COMPLETED, and the others’ tasks are gone', 'stable', [read(2, [completed, oldOne({ running: 0 })])]],
  [
    'all running, but not COMPLETED',
    undefined,
    [read(2, [deployment()]), read(3, [deployment()]), read(4, [deployment()])],
  ],
  ['no rolloutState, one quiet read', undefined, [read(2, [deployment({ rolloutState: undefined })])]],
  [
    'no rolloutState, two quiet reads',
    'stable',
    [read(2, [deployment({ rolloutState: undefined })]), read(3, [deployment({ rolloutState: undefined })])],
  ],
  [
    'no rolloutState, two quiet reads that do not follow each other',
    undefined,
    [
      read(2, [deployment({ rolloutState: undefined })]),
      read(3, [deployment({ rolloutState: undefined, running: 1 })]),
      read(4, [deployment({ rolloutState: undefined })]),
    ],
  ],
  [
    'no rolloutState, not alone',
    undefined,
    [2, 3, 4].map((s) => read(s, [deployment({ rolloutState: undefined }), oldOne({ running: 0 })])),
  ],
  ['ECS rolls back', undefined, [begun, read(9, [back({ running: 0 }), failedOurs])]],
  [
    'ECS rolled back, and what was COMPLETED is back',
    'rolled-back',
    [begun, read(9, [back({ running: 0 }), failedOurs]), read(10, [back({ rolloutState: 'COMPLETED' })])],
  ],
  [
    'the old deployment itself is PRIMARY again',
    'rolled-back',
    [begun, read(9, [oldOne({ status: 'PRIMARY' }), failedOurs])],
  ],
  [
    'rolled back at once, between two reads, ours gone from the list',
    'rolled-back',
    [
      begun,
      read(90, [back({ rolloutState: 'COMPLETED' })], {
        events: [
          event(60, 'rolling back to deployment ecs-svc/3333.'),
          event(59, `(deployment ${OURS}) deployment failed: tasks failed to start.`),
        ],
      }),
    ],
  ],
  [
    'ours never seen, but an event names it',
    'rolled-back',
    [
      read(20, [back({ rolloutState: 'COMPLETED' })], {
        events: [event(-30, `(deployment ${OURS}) deployment failed: tasks failed to start.`)],
      }),
    ],
  ],
  [
    'the reason of the new PRIMARY tells it',
    'rolled-back',
    [
      begun,
      read(9, [back({ reason: `ECS deployment circuit breaker: rolling back to deploymentId ${BACK}.` })]),
      read(10, [back({ rolloutState: 'COMPLETED' })]),
    ],
  ],
  [
    'rolled back without rolloutState',
    'rolled-back',
    [
      begun,
      read(9, [back(), failedOurs]),
      ...[10, 11].map((s) => read(s, [back({ rolloutState: undefined })])),
    ],
  ],
  [
    'the rollback FAILED',
    'rollback-failed',
    [begun, read(9, [back({ running: 0 }), failedOurs]), read(10, [back({ rolloutState: 'FAILED' })])],
  ],
  [
    'rolled back, but something else has taken the place',
    'rollback-failed',
    [
      begun,
      read(9, [back({ running: 0 }), failedOurs]),
      read(10, [theirs(9)]),
      read(11, [{ ...theirs(9), rolloutState: 'COMPLETED' }]),
    ],
  ],
  [
    'FAILED and PRIMARY, no rollback',
    'tasks-failed',
    [read(9, [deployment({ rolloutState: 'FAILED' })], { rollback: false })],
  ],
  [
    'FAILED and PRIMARY, nothing to go back to',
    'tasks-failed',
    [read(9, [deployment({ rolloutState: 'FAILED' })])],
    { wayBack: undefined },
  ],
  [
    'FAILED and PRIMARY, a rollback may begin',
    undefined,
    [read(9, [deployment({ rolloutState: 'FAILED' })]), read(10, [deployment({ rolloutState: 'FAILED' })])],
  ],
  [
    'FAILED and PRIMARY, no rollback begins',
    'tasks-failed',
    [read(9, [deployment({ rolloutState: 'FAILED' })]), read(25, [deployment({ rolloutState: 'FAILED' })])],
  ],
  ['another revision', 'superseded', [begun, read(51, [theirs(9)]), read(52, [theirs(9)])]],
  [
    'the same old revision, without evidence',
    'superseded',
    [begun, read(51, [theirs(7)]), read(52, [theirs(7)])],
  ],
  [
    'our revision, deployed again by somebody',
    'superseded',
    [begun, read(51, [theirs(8)]), read(52, [{ ...theirs(8), rolloutState: 'COMPLETED' }])],
  ],
  [
    'somebody’s, completed',
    'superseded',
    [
      begun,
      read(51, [{ ...theirs(9), rolloutState: 'COMPLETED' }]),
      read(52, [{ ...theirs(9), rolloutState: 'COMPLETED' }]),
    ],
  ],
  ['one read ahead of its evidence', undefined, [begun, read(9, [back()])]],
  [
    'the evidence comes a read later',
    'rolled-back',
    [begun, read(9, [back()]), read(10, [back({ rolloutState: 'COMPLETED' }), failedOurs])],
  ],
  ['the service is missing', 'service-gone', [read(2, [], { status: 'MISSING' })]],
  ['the service is INACTIVE, ours COMPLETED', 'service-gone', [read(2, [completed], { status: 'INACTIVE' })]],
  ['the service is DRAINING', 'service-gone', [begun, read(2, [deployment()], { status: 'DRAINING' })]],
  [
    'desired 0, COMPLETED',
    'stable',
    [read(2, [deployment({ rolloutState: 'COMPLETED', running: 0 })], { desired: 0 })],
  ],
  [
    'desired 0, never COMPLETED',
    'stable',
    [2, 3].map((s) =>
      read(s, [deployment({ running: 0, desired: 0 }), oldOne({ running: 0 })], { desired: 0 }),
    ),
  ],
  [
    'desired 0, tasks still stop',
    undefined,
    [2, 3].map((s) => read(s, [deployment({ running: 0 }), oldOne({ running: 1 })], { desired: 0 })),
  ],
  [
    'desired 0, ours FAILED',
    'tasks-failed',
    [read(3, [deployment({ running: 0, rolloutState: 'FAILED' })], { desired: 0, rollback: false })],
  ],
  [
    'scaled out during the rollout',
    undefined,
    [2, 3].map((s) => read(s, [deployment({ rolloutState: undefined })], { desired: 3 })),
  ],
  [
    'scaled out, and all of them run',
    'stable',
    [2, 3].map((s) => read(s, [deployment({ rolloutState: undefined, running: 3 })], { desired: 3 })),
  ],
  ['ours not there yet', undefined, [2, 30, 59].map((s) => read(s, [oldOne({ status: 'PRIMARY' })]))],
  ['ours never appears', 'superseded', [2, 60, 61].map((s) => read(s, [oldOne({ status: 'PRIMARY' })]))],
  [
    'ours not there yet, and what ran was itself a rollback',
    undefined,
    [2, 3].map((s) =>
      read(s, [
        oldOne({
          status: 'PRIMARY',
          rolloutState: 'IN_PROGRESS',
          reason: 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1111.',
        }),
      ]),
    ),
  ],
  [
    'what ran was itself a rollback, and somebody replaces ours later',
    'superseded',
    [
      read(1, [
        oldOne({
          status: 'PRIMARY',
          reason: 'ECS deployment circuit breaker: rolling back to deploymentId x.',
        }),
      ]),
      read(2, [deployment()]),
      read(51, [theirs(7)]),
      read(52, [{ ...theirs(7), rolloutState: 'COMPLETED' }]),
    ],
  ],
  ['a read begun before the update’s answer', undefined, [read(-1, [completed])]],
  ['adopted: found by its revision', 'stable', [read(2, [completed])], { deployment: undefined }],
  [
    'a way back, by revision: its old deployment is not yet PRIMARY',
    undefined,
    [2, 3, 4].map((s) => read(s, [deployment({ id: 'ecs-svc/9', revision: revision(8) }), oldOne()])),
    { revision: revision(7), deployment: undefined, wayBack: undefined },
  ],
  [
    'a way back, by revision: the new deployment COMPLETED',
    'stable',
    [
      read(2, [deployment({ id: 'ecs-svc/9' }), oldOne()]),
      read(3, [back(), failedOurs]),
      read(4, [back({ rolloutState: 'COMPLETED' })]),
    ],
    { revision: revision(7), deployment: undefined, wayBack: undefined },
  ],
  ['no PRIMARY at all', undefined, [begun, read(2, []), read(3, [])]],
];

describe('the verdict', () => {
  it.each(ROWS)('%s: %s', (_name, expected, reads, whose) => {
    expect(watchReads(reads, ours(whose)).verdict?.state).toBe(expected);
  });

  it('is timed-out only with a read begun past the limit, saying what ECS does now', () => {
    const whose = ours({ giveUpAt: Date.parse(iso(60)) });
    const standing = [deployment({ running: 1, pending: 1 }), oldOne()];
    expect(watchReads([begun, read(59.9, standing)], whose).verdict).toBeUndefined();
    expect(watchReads([begun, read(60, standing)], whose).verdict).toEqual({
      state: 'timed-out',
      message:
        'It did not settle in time. PRIMARY is staging-api:8 (IN_PROGRESS): 1 of 2 running, 1 pending, 2 of staging-api:7',
      now: revision(8),
    });
  });

  it('past the limit is still what is read, where that decides', () => {
    const whose = ours({ giveUpAt: Date.parse(iso(60)) });
    expect(watchReads([begun, read(4000, [completed])], whose).verdict?.state).toBe('stable');
    expect(
      watchReads([begun, read(4000, [oldOne({ status: 'PRIMARY' }), failedOurs])], whose).verdict?.state,
    ).toBe('rolled-back');
  });

  it('names what runs now', () => {
    const { verdict } = watchReads([begun, read(51, [theirs(9)]), read(52, [theirs(9)])], ours());
    expect(verdict).toMatchObject({
      now: revision(9),
      message: expect.stringContaining('staging-api:9') as string,
    });
  });

  it('asks the service deployment, where it is given', () => {
    const arn = 'arn:aws:ecs:us-east-1:1:service-deployment/c/s/x';
    const first = read(1, [deployment({ running: 0 })], { serviceDeployment: arn });
    const gone = (s: number, status: string) =>
      read(s, [back({ rolloutState: 'COMPLETED' })], { serviceDeployments: [{ arn, status }] });
    expect(watchReads([first, gone(9, 'ROLLBACK_SUCCESSFUL')], ours()).verdict?.state).toBe('rolled-back');
    expect(watchReads([first, gone(9, 'ROLLBACK_FAILED')], ours()).verdict?.state).toBe('rollback-failed');
    expect(watchReads([first, gone(9, 'STOPPED'), gone(10, 'STOPPED')], ours()).verdict?.state).toBe(
      'superseded',
    );
  });
});

const AWS_OURS: Ours = {
  revision: 'arn:aws:ecs:us-east-1:111122223333:task-definition/production-api:8',
  deployment: 'ecs-svc/2222222222222222222',
  wayBack: 'arn:aws:ecs:us-east-1:111122223333:task-definition/production-api:7',
  since: 1795000000000,
  giveUpAt: 1795000000000 + 3_600_000,
};

describe('AWS’s documented shapes', () => {
  it.each([
    ['completed', 'stable'],
    ['breaker-rollback', 'rolled-back'],
    ['failed-shown-late', 'rolled-back'],
    ['rollback-failed', 'rollback-failed'],
    ['breaker-without-completed', 'tasks-failed'],
    ['superseded', 'superseded'],
    ['superseded-by-the-old-revision', 'superseded'],
    ['superseded-then-theirs-rolled-back', 'superseded'],
  ])('%s: %s', (name, expected) => {
    const reads = recorded(`aws/${name}`);
    expect(watchReads(reads, AWS_OURS).verdict?.state).toBe(expected);
    // Nothing before the last read.
    expect(watchReads(reads.slice(0, -1), AWS_OURS).verdict).toBeUndefined();
  });

  it('shows each event of the rollout once', () => {
    const { watch } = watchReads(recorded('aws/completed'), AWS_OURS);
    expect(
      watch.rollout.events.map(({ message }) =>
        message.replace(/^\(service production-api\) /, '').slice(0, 20),
      ),
    ).toEqual([
      'has started 2 tasks:',
      'has begun draining c',
      'has stopped 2 runnin',
      '(deployment ecs-svc/',
      'has reached a steady',
    ]);
  });
});

describe('recorded reads of ministack', () => {
  const recordedOurs = (reads: ServiceRead[]): Ours => {
    const [first] = reads;
    const [mine, ...others] = first?.deployments ?? [];
    return {
      revision: mine?.revision ?? '',
      deployment: mine?.id,
      wayBack: others.find(({ rolloutState }) => rolloutState === 'COMPLETED')?.revision,
      since: first?.begunAt ?? 0,
      giveUpAt: Infinity,
    };
  };

  it.each([
    ['v1-to-v2', 'stable'],
    ['breaker-rollback', 'rolled-back'],
    ['missing-image-rollback', 'rolled-back'],
  ])('%s: %s, at the last read', (name, expected) => {
    const reads = recorded(`ministack/${name}`);
    expect(watchReads(reads, recordedOurs(reads)).verdict?.state).toBe(expected);
    expect(watchReads(reads.slice(0, -1), recordedOurs(reads)).verdict).toBeUndefined();
  });

  it('breaker-without-rollback: tasks-failed', () => {
    const reads = recorded('ministack/breaker-without-rollback');
    expect(watchReads(reads, recordedOurs(reads)).verdict).toMatchObject({
      state: 'tasks-failed',
      message: expect.stringContaining(
        'circuit breaker was triggered after 3 consecutive task failures',
      ) as string,
    });
  });

  it('the same without any id, as after a crash', () => {
    for (const name of ['v1-to-v2', 'breaker-rollback']) {
      const reads = recorded(`ministack/${name}`);
      const { deployment: _id, ...whose } = recordedOurs(reads);
      expect(watchReads(reads, whose).verdict?.state).toBe(name === 'v1-to-v2' ? 'stable' : 'rolled-back');
    }
  });
});

describe('the live picture', () => {
  it('counts ours and the others', () => {
    const { watch } = watchReads(
      [read(3, [deployment({ running: 1, pending: 1, failed: 4 }), oldOne()])],
      ours(),
    );
    expect(watch.rollout).toEqual({
      desired: 2,
      running: 1,
      pending: 1,
      failed: 4,
      previousRunning: 2,
      events: [],
      updatedAt: iso(3),
    });
  });

  it('keeps the number of failed tasks when ours is gone', () => {
    const { watch } = watchReads([read(3, [deployment({ failed: 4 })]), read(4, [back()])], ours());
    expect(watch.rollout).toMatchObject({ failed: 4, running: 0, previousRunning: 2 });
  });

  it('goes on from a heartbeat without showing an event again', () => {
    const events = [event(1, 'one')];
    const first = judge({ read: read(2, [deployment()], { events }), watch: newWatch(), ours: ours() }).watch;
    const again = resumedWatch(JSON.parse(JSON.stringify(first)) as typeof first);
    const next = judge({
      read: read(3, [deployment()], { events: [event(2, 'two'), ...events] }),
      watch: again,
      ours: ours(),
    });
    expect(next.watch.rollout.events.map(({ message }) => message)).toEqual([
      '(service api) one',
      '(service api) two',
    ]);
  });

  it('fits a heartbeat: bounded whatever there is', () => {
    let watch = newWatch();
    for (let n = 1; n < 400; n++) {
      const events = Array.from({ length: 100 }, (_, k) =>
        event(n + k / 1000, `${n}.${k} ${'x'.repeat(150)}`),
      ).toReversed();
      watch = judge({ read: read(n + 1, [deployment()], { events }), watch, ours: ours() }).watch;
    }
    expect(watch.rollout.events).toHaveLength(50);
    expect(JSON.stringify(watch).length).toBeLessThan(64_000);
  });

  it('is read about every second while it changes, and slower when not', () => {
    const changed = judge({
      read: read(1, [deployment({ running: 1 })]),
      watch: newWatch(),
      ours: ours(),
    }).watch;
    const at = (seconds: number): number => nextReadIn(changed, Date.parse(iso(seconds)));
    expect([1, 40, 100, 300, 900].map(at)).toEqual([800, 800, 2_000, 5_000, 10_000]);
    const nearly = judge({ read: read(1, [deployment()]), watch: newWatch(), ours: ours() }).watch;
    expect(nextReadIn(nearly, Date.parse(iso(150)))).toBe(800);
  });
});

describe('whatever is read', () => {
  const state = fc.constantFrom('IN_PROGRESS', 'COMPLETED', 'FAILED', undefined);
  const counts = { running: fc.nat(3), pending: fc.nat(1), failed: fc.nat(5) };
  const others = fc.array(
    fc.record({
      ...counts,
      n: fc.constantFrom(7, 8, 9),
      id: fc.constantFrom(OLD, BACK, 'ecs-svc/4444'),
      rolloutState: state,
    }),
    { maxLength: 3 },
  );
  /** Ours, if it is there, is never PRIMARY. */
  const replaced = fc
    .record({
      primary: fc.record({ ...counts, n: fc.constantFrom(7, 8, 9), rolloutState: state }),
      others,
      mine: state,
      desired: fc.nat(3),
    })
    .map(({ primary, others: rest, mine, desired }) => ({
      desired,
      deployments: [
        back({ ...primary, revision: revision(primary.n) }),
        ...rest
          .filter(({ id }) => id !== BACK)
          .map(({ n, ...other }) => oldOne({ ...other, revision: revision(n) })),
        deployment({ status: 'ACTIVE', rolloutState: mine }),
      ],
    }));
  const anything = fc
    .record({
      mine: fc.record({ ...counts, rolloutState: state, status: fc.constantFrom('PRIMARY', 'ACTIVE') }),
      others,
      desired: fc.nat(3),
    })
    .map(({ mine, others: rest, desired }) => ({
      desired,
      deployments: [
        deployment(mine),
        ...rest.map(({ n, ...other }, k) =>
          oldOne({
            ...other,
            revision: revision(n),
            status: mine.status === 'ACTIVE' && k === 0 ? 'PRIMARY' : 'ACTIVE',
          }),
        ),
      ],
    }));
  const sequence = (of: fc.Arbitrary<{ desired: number; deployments: DeploymentRead[] }>) =>
    fc
      .array(of, { minLength: 1, maxLength: 8 })
      .map((list) => list.map(({ desired, deployments }, k) => read(k + 2, deployments, { desired })));

  it('a service that ECS rolled back is never stable', () => {
    fc.assert(
      fc.property(sequence(replaced), fc.boolean(), (reads, known) => {
        const whose = ours(known ? {} : { deployment: undefined });
        expect(watchReads([begun, ...reads], whose).verdict?.state).not.toBe('stable');
      }),
    );
  });

  it('reads that come twice or late change nothing', () => {
    fc.assert(
      fc.property(sequence(anything), fc.array(fc.nat(), { maxLength: 10 }), (reads, again) => {
        const disturbed = reads.flatMap((one, k) => [
          one,
          ...again
            .filter((n) => n % reads.length === k)
            .flatMap((n) => reads.slice(0, k + 1).slice(-(1 + (n % 3)))),
        ]);
        expect(watchReads(disturbed, ours())).toEqual(watchReads(reads, ours()));
      }),
    );
  });

  it('a verdict needs a read begun after the update, and timed-out one begun past the limit', () => {
    fc.assert(
      fc.property(
        sequence(anything),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
        (reads, since, limit) => {
          const whose = ours({ since: Date.parse(iso(since)), giveUpAt: Date.parse(iso(limit)) });
          const { verdict, watch } = watchReads(reads, whose);
          if (!verdict) return;
          expect(watch.memory.lastReadAt).toBeGreaterThanOrEqual(whose.since);
          if (verdict.state === 'timed-out')
            expect(watch.memory.lastReadAt).toBeGreaterThanOrEqual(whose.giveUpAt);
        },
      ),
    );
  });

  it('says the same with what was remembered written down in between', () => {
    fc.assert(
      fc.property(sequence(anything), (reads) => {
        let watch = newWatch();
        let state_: string | undefined;
        for (const one of reads) {
          const next = judge({
            read: one,
            watch: JSON.parse(JSON.stringify(watch)) as typeof watch,
            ours: ours(),
          });
          watch = next.watch;
          state_ = next.verdict?.state;
          if (state_) break;
        }
        expect(state_).toBe(watchReads(reads, ours()).verdict?.state);
      }),
    );
  });
});
