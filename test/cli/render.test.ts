import { describe, expect, it } from 'vitest';
import { Problem } from '../../cli/client.js';
import type { ShownDeployment } from '../../cli/client.js';
import {
  changedNames,
  elapsed,
  duration,
  liveLine,
  plain,
  problemLines,
  report,
  statusLines,
  Teller,
  waitLine,
} from '../../cli/render.js';
import { STEPS } from '../../domain/deployment.js';

const AT = '2026-03-01T10:00:00.000Z';
const now = new Date('2026-03-01T10:01:05.000Z');

const view = (change: Partial<ShownDeployment> = {}): ShownDeployment => ({
  id: 'staging.api.abcd1234',
  app: 'api',
  environment: 'staging',
  kind: 'deploy',
  tag: 'a'.repeat(40),
  actor: 'alice',
  state: 'running',
  step: 'stabilise',
  steps: STEPS.map((name) => ({ name, state: 'pending' })),
  warnings: [],
  queuedAt: AT,
  startedAt: AT,
  ...change,
});

const rollout = {
  ...{ desired: 2, running: 1, pending: 1, failed: 0, previousRunning: 2 },
  events: [
    { at: '2026-03-01T10:00:10.000Z', message: 'started 1 task' },
    { at: '2026-03-01T10:00:20.000Z', message: 'registered 1 target' },
  ],
  updatedAt: AT,
};

describe('duration', () => {
  it.each([
    [-5, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m 00s'],
    [3_599_000, '59m 59s'],
    [3_780_000, '1h 03m'],
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});

describe('plain', () => {
  it('lets no control character through', () => {
    expect(plain('a\u001b[31mred\u001b[0m\r\nb\u009bc')).toBe('a [31mred [0m b c');
  });
});

describe('variables that differ from what ran', () => {
  it('are named once each, secrets too, and never shown with a value', () => {
    const variables = { added: ['NEW'], removed: ['GONE'], changed: [] };
    const secrets = { added: [], removed: [], changed: ['PASSWORD'] };
    expect(changedNames(view({ variables, secrets }))).toBe('variables +NEW -GONE ~PASSWORD');
    expect(changedNames(view())).toBe('');
    const told = new Teller().next(view({ variables, secrets }), now);
    expect(told.filter((line) => line.includes('variables'))).toHaveLength(1);
  });
});

describe('Teller', () => {
  it('tells each change once, each ECS event once', () => {
    const teller = new Teller();
    expect(teller.next(view({ rollout }), now)).toEqual([
      ' 1m 05s  ECS 10:00:10 started 1 task',
      ' 1m 05s  ECS 10:00:20 registered 1 target',
      ' 1m 05s  step stabilise',
      ' 1m 05s  new 1/2, 1 starting; old 2',
    ]);
    expect(teller.next(view({ rollout }), now)).toEqual([]);
    const events = [...rollout.events.slice(1), { at: '2026-03-01T10:00:30.000Z', message: 'steady' }];
    const after = view({ rollout: { ...rollout, running: 2, pending: 0, previousRunning: 0, events } });
    expect(teller.next(after, now)).toEqual([' 1m 05s  ECS 10:00:30 steady', ' 1m 05s  new 2/2; old 0']);
  });

  it('says what is waited for, and nothing when that is over', () => {
    const teller = new Teller();
    const why = { code: 'LOCKED', since: AT, detail: 'locked by bob', who: 'a maintainer' } as const;
    const waitingFor = { ...why, actions: ['unlock'] };
    const queued = view({ state: 'queued', step: undefined, position: 2, waitingFor });
    expect(teller.next(queued, now)).toEqual([
      ' 1m 05s  queued: 2 go before it',
      ' 1m 05s  waits: locked by bob (LOCKED since 10:00 UTC); who can end it: a maintainer; how: unlock',
    ]);
    expect(teller.next(view({ step: 'look' }), now)).toEqual([' 1m 05s  step look']);
  });
});

describe('waiting', () => {
  it('needs no words for a build, and names nobody where it ends by itself', () => {
    const at = { since: AT, detail: 'why', actions: ['stop'] };
    const building = { code: 'BUILDING', who: 'nobody: it ends by itself', ...at } as const;
    const queued = view({ state: 'queued', step: 'build', waitingFor: building });
    expect(new Teller().next(queued, now).join()).not.toContain('waits');
    expect(waitLine({ waitingFor: { ...building, code: 'GITHUB_DOWN' } })).toBe(
      'waits: why (GITHUB_DOWN since 10:00 UTC); it ends by itself',
    );
  });

  it('counts from when it was asked for, also after the turn', () => {
    const startedAt = '2026-03-01T10:01:00.000Z';
    expect(elapsed(view({ state: 'queued' }), now)).toBe('1m 05s');
    expect(elapsed(view({ state: 'running', startedAt }), now)).toBe('1m 05s');
  });
});

describe('liveLine', () => {
  it('fits the terminal and holds time, step and counts', () => {
    expect(liveLine(view({ rollout }), now, 80)).toBe('1m 05s · stabilise · new 1/2, 1 starting; old 2');
    expect(liveLine(view({ rollout }), now, 20)).toHaveLength(19);
  });

  it('shows a build', () => {
    const building = view({ state: 'queued', step: 'build', build: { phase: 'push', image: 'api' } });
    expect(liveLine(building, now, 80)).toBe('1m 05s · build · push api');
  });
});

describe('report', () => {
  const finishedAt = '2026-03-01T10:02:00.000Z';

  it('is one line on success, and says what was not verified', () => {
    const done = view({ state: 'finished', outcome: 'succeeded', verified: true, finishedAt });
    expect(report(done)).toEqual(['✓ api on staging @ aaaaaaa succeeded in 2m 00s']);
    const steps = [{ name: 'verify', state: 'done', detail: 'no versionUrl' } as const];
    expect(report({ ...done, verified: false, steps })).toEqual([
      '✓ api on staging @ aaaaaaa succeeded in 2m 00s, not verified: no versionUrl',
    ]);
  });

  it('gives step, reason, what can be done and the dossier on failure', () => {
    const failed = view({
      ...{ state: 'finished', outcome: 'rolled-back', finishedAt },
      failure: { step: 'stabilise', code: 'ROLLED_BACK', message: 'circuit breaker\u001b[2J' },
      dossier: {
        events: rollout.events,
        stoppedTasks: [
          { reason: 'Essential container exited', count: 3, exitCodes: { django: 1 }, examples: [] },
        ],
        now: 'arn:1',
        lastLines: [{ source: 'django', lines: ['Traceback'] }],
      },
    });
    expect(report(failed)).toEqual([
      '✗ api on staging @ aaaaaaa rolled-back after 2m 00s',
      '  step         stabilise',
      '  reason       ECS rolled back to the previous revision [ROLLED_BACK]',
      '               circuit breaker [2J',
      '  what to do   read the dossier, or retry (a maintainer)',
      '  runs now     arn:1',
      '  stopped      3 × Essential container exited (django exited with 1)',
      '  ECS events',
      '    10:00:10 started 1 task',
      '    10:00:20 registered 1 target',
      '  last lines of django',
      '    Traceback',
    ]);
  });

  it('survives a code that is newer than it', () => {
    const failure = { step: 'look', code: 'FROM_THE_FUTURE', message: '' } as never;
    expect(report(view({ state: 'finished', outcome: 'failed', failure }))).toContain(
      '  reason       FROM_THE_FUTURE [FROM_THE_FUTURE]',
    );
  });
});

describe('problems', () => {
  it('shows a lock with reason, author and time', () => {
    const problem = new Problem(409, 'LOCKED', 'Locked', { reason: 'incident', by: 'bob', at: AT });
    expect(problemLines(problem, true)).toEqual([
      '✗ Locked [LOCKED]',
      '  reason       incident',
      '  by           bob',
      `  since        ${AT}`,
      '  what to do   unlock',
    ]);
  });

  it('asks for a token where there is none', () => {
    expect(problemLines(new Problem(401, 'UNAUTHENTICATED', 'who?', {}), false)[1]).toContain('GITHUB_TOKEN');
  });
});

describe('tables', () => {
  it('shows what runs where', () => {
    const lane = { waiting: [], waitingCount: 0 };
    const common = { environment: 'staging', links: {} };
    expect(
      statusLines([
        {
          ...common,
          app: 'api',
          release: 'b'.repeat(40),
          desired: 2,
          running: 2,
          pending: 0,
          lane,
          warnings: [],
        },
        {
          ...common,
          app: 'frontend',
          lane: { ...lane, lock: { reason: 'freeze', by: 'bob', at: AT }, waitingCount: 2 },
          warnings: [{ code: 'AWS_DOWN', message: 'ECS could not be read' }],
        },
      ]),
    ).toEqual([
      'APP       ENVIRONMENT  RELEASE  TASKS  LANE',
      'api       staging      bbbbbbb  2/2    free',
      'frontend  staging      ?        ?      locked by bob: freeze; 2 waiting',
      '',
      'frontend staging: ECS could not be read [AWS_DOWN]',
    ]);
  });
});
