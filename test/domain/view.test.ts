import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Code } from '../../domain/codes.js';
import { CODES } from '../../domain/codes.js';
import type { Deployment, Rollout, StepName } from '../../domain/deployment.js';
import { STEPS } from '../../domain/deployment.js';
import type { LaneView, Ticket } from '../../domain/messages.js';
import { accepted, beginStep, finish, takeTurn } from '../../domain/progress.js';
import type { PendingActivity } from '../../domain/view.js';
import { overlay, queuedView, withoutLogs } from '../../domain/view.js';

const QUEUED_AT = '2026-03-01T10:00:00.000Z';
const STEP_AT = '2026-03-01T10:01:00.000Z';
const NOW = new Date('2026-03-01T10:02:00.000Z');
const JUST = '2026-03-01T10:01:59.000Z';
const TAG = 'a'.repeat(40);

const request = {
  ...({ id: 'staging.api.abcd1234', app: 'api', environment: 'staging', kind: 'deploy', tag: TAG } as const),
  ...{ actor: 'alice', checkActor: true, queuedAt: QUEUED_AT },
  limits: { tellAfterMs: 1, giveUpAfterMs: 1, verifyMs: 1 },
};
const queued: Deployment = accepted(request);
const running = (step: StepName): Deployment => beginStep(takeTurn(queued, QUEUED_AT), step, STEP_AT);

const pending = (type: string, change: Partial<PendingActivity> = {}): PendingActivity => ({
  ...{ type, attempt: 1, scheduledAt: JUST, startedAt: JUST },
  ...change,
});
const unstarted = (type: string, scheduledAt: string): PendingActivity => ({ type, attempt: 1, scheduledAt });
const see = (deployment: Deployment, more: Partial<Parameters<typeof overlay>[0]> = {}) =>
  overlay({ deployment, pending: [], status: 'RUNNING', now: NOW, ...more });

const ticket = (id: string): Ticket => ({
  ...{ id, kind: 'deploy', tag: TAG, actor: 'bob', queuedAt: QUEUED_AT, ready: true },
});
const lane = (change: Partial<LaneView> = {}): LaneView => ({
  ...{ app: 'api', environment: 'staging', waiting: [ticket(queued.id)], waitingCount: 1, verified: [] },
  ...change,
});
const states = ({ steps }: Deployment) => Object.fromEntries(steps.map(({ name, state }) => [name, state]));

describe('steps', () => {
  it('knows the step that runs from the pending activity, where the record is behind', () => {
    const view = see(running('validate'), { pending: [pending('stabilise')] });
    expect([view.step, view.state]).toEqual(['stabilise', 'running']);
    expect(states(view)).toEqual({
      ...{
        authorise: 'done',
        build: 'skipped',
        validate: 'done',
        look: 'done',
        register: 'done',
        update: 'done',
      },
      ...{ stabilise: 'running', verify: 'pending' },
    });
    expect(view.steps.find(({ name }) => name === 'stabilise')?.startedAt).toBe(JUST);
  });

  it('never goes back, and takes up no step that is over', () => {
    expect(see(running('verify'), { pending: [pending('look')] }).step).toBe('verify');
    const over = { ...running('stabilise') };
    over.steps = over.steps.map((one) => (one.name === 'stabilise' ? { ...one, state: 'failed' } : one));
    expect(states(see(over, { pending: [pending('stabilise')] }))['stabilise']).toBe('failed');
  });

  it('passes over activities that are no step', () => {
    const record = running('look');
    expect(see(record, { pending: [pending('dossier'), pending('deliver')] })).toEqual(record);
  });

  it('has the turn once a step behind the build runs', () => {
    expect(see(queued, { pending: [pending('validate')] }).state).toBe('running');
    const building = accepted({ ...request, commit: TAG });
    expect(see(building, { pending: [pending('buildImages')] })).toMatchObject({
      state: 'queued',
      step: 'build',
    });
  });

  it('keeps all steps, in order, whatever is pending', () => {
    const activity = fc.record({
      type: fc.constantFrom<string>(...STEPS, 'buildImages', 'dossier', 'constructor'),
      attempt: fc.integer({ min: 1, max: 9 }),
      scheduledAt: fc.constantFrom(QUEUED_AT, JUST, '2026-03-01T11:00:00.000Z'),
    });
    const record = fc.constantFrom(queued, ...STEPS.map(running));
    fc.assert(
      fc.property(record, fc.array(activity, { maxLength: 4 }), (deployment, activities) => {
        const view = see(deployment, { pending: activities, lane: lane() });
        expect(view.steps.map(({ name }) => name)).toEqual(STEPS);
        expect(view.steps.filter(({ state }) => state === 'running').length).toBeLessThanOrEqual(1);
        if (deployment.step)
          expect(STEPS.indexOf(view.step as StepName)).toBeGreaterThanOrEqual(STEPS.indexOf(deployment.step));
      }),
    );
  });
});

describe('live parts', () => {
  const rollout: Rollout = {
    ...{ desired: 2, running: 1, pending: 1, failed: 0, previousRunning: 2 },
    ...{ events: [], updatedAt: JUST },
  };

  it('shows the rollout and the build that are pending', () => {
    expect(see(running('stabilise'), { pending: [pending('stabilise', { rollout })] }).rollout).toEqual(
      rollout,
    );
    const build = { phase: 'push', image: 'api', lines: ['x'] };
    expect(see(queued, { pending: [pending('buildImages', { build })] }).build).toEqual(build);
  });

  it('takes output away from those who may not see it, and nothing else', () => {
    const dossier = {
      events: [],
      stoppedTasks: [],
      now: 'arn',
      lastLines: [{ source: 's', lines: ['secret'] }],
    };
    const view = { ...queued, dossier, build: { phase: 'push', lines: ['secret'] } };
    const shown = withoutLogs(view);
    expect(JSON.stringify(shown)).not.toContain('secret');
    expect(shown).toEqual({
      ...queued,
      build: { phase: 'push' },
      dossier: { events: [], stoppedTasks: [], now: 'arn' },
    });
    expect(withoutLogs(queued)).toEqual(queued);
    expect(view.dossier.lastLines).toHaveLength(1);
  });
});

describe('why it waits', () => {
  const failure = (type: string, message = 'words') => ({
    attempt: 3,
    startedAt: undefined,
    lastFailure: { type, message },
  });

  it.each(['AWS_DOWN', 'FOREIGN_DEPLOYMENT', 'GITHUB_DOWN'] as Code[])(
    'says %s of an attempt that failed',
    (code) => {
      const view = see(running('look'), { pending: [pending('look', failure(code))] });
      expect(view.waitingFor).toEqual({
        ...{ code, since: STEP_AT, detail: 'words', who: CODES[code].who },
        actions: [...CODES[code].actions],
      });
    },
  );

  it('counts a watch as waiting only between its attempts, since its last news', () => {
    const rollout = { desired: 1, updatedAt: '2026-03-01T10:01:30.000Z' } as Rollout;
    const between = pending('stabilise', { ...failure('AWS_DOWN'), rollout });
    expect(see(running('stabilise'), { pending: [between] }).waitingFor?.since).toBe(rollout.updatedAt);
    const again = { ...between, startedAt: JUST };
    expect(see(running('stabilise'), { pending: [again] }).waitingFor).toBeUndefined();
    expect(
      see(running('look'), { pending: [pending('look', { ...failure('AWS_DOWN'), startedAt: JUST })] })
        .waitingFor,
    ).toMatchObject({ code: 'AWS_DOWN' });
  });

  it.each([undefined, 'TypeError', 'constructor'])('makes no code of the failure %s', (type) => {
    const lastFailure = { ...(type ? { type } : {}), message: 'x' };
    const view = see(running('look'), { pending: [pending('look', { attempt: 2, lastFailure })] });
    expect(view.waitingFor).toBeUndefined();
  });

  it('misses a worker after 5 s, never sooner, nor while the next attempt is in the future', () => {
    const at = (ms: number) => new Date(NOW.getTime() - ms).toISOString();
    const after = (ms: number) =>
      see(running('look'), { pending: [unstarted('look', at(ms))] }).waitingFor?.code;
    expect([after(-9_000), after(5_000), after(5_001)]).toEqual([undefined, undefined, 'NO_WORKER']);
    const build = see(queued, { pending: [unstarted('buildImages', at(6_000))] });
    expect(build.waitingFor?.code).toBe('NO_BUILD_WORKER');
    expect(see(running('look'), { workflowTaskSince: at(6_000) }).waitingFor?.code).toBe('NO_WORKER');
    expect(see(running('look'), { workflowTaskSince: at(4_000) }).waitingFor).toBeUndefined();
  });

  it('keeps what the record itself says', () => {
    const waitingFor = { code: 'AWS_DOWN', since: STEP_AT, detail: 'd', who: 'w', actions: [] } as const;
    const record = { ...running('look'), waitingFor: { ...waitingFor, actions: [] } };
    expect(see(record).waitingFor).toEqual(waitingFor);
  });
});

describe('a watch that gets no answer', () => {
  const rollout = (updatedAt: string): Rollout => ({
    ...{ desired: 2, running: 0, pending: 2, failed: 0, previousRunning: 2, events: [], updatedAt },
  });
  const watching = (updatedAt: string) =>
    see(running('stabilise'), {
      pending: [pending('stabilise', { startedAt: STEP_AT, rollout: rollout(updatedAt) })],
    });

  it('waits for AWS, since its last read', () => {
    const since = '2026-03-01T10:01:20.000Z';
    expect(watching(since).waitingFor).toMatchObject({ code: 'AWS_DOWN', since });
  });

  it('waits for nothing while its reads come, at their slowest pace too', () => {
    expect(watching('2026-03-01T10:01:45.000Z').waitingFor).toBeUndefined();
  });
});

describe('the queue', () => {
  it('tells the position and what runs', () => {
    const view = see(queued, { lane: lane({ running: ticket('staging.api.other123') }) });
    expect(view).toMatchObject({ position: 1, waitingFor: { code: 'LANE_BUSY', since: QUEUED_AT } });
    expect(view.waitingFor?.detail).toBe('staging.api.other123 runs (aaaaaaa, by bob)');
  });

  it('tells a lock, since it is there or since it waits', () => {
    const at = (time: string) => lane({ lock: { reason: 'freeze', by: 'bob', at: time } });
    expect(see(queued, { lane: at(STEP_AT) }).waitingFor).toMatchObject({ code: 'LOCKED', since: STEP_AT });
    expect(see(queued, { lane: at('2026-01-01T00:00:00.000Z') }).waitingFor?.since).toBe(QUEUED_AT);
    expect(see(running('look'), { lane: at(STEP_AT) }).waitingFor).toBeUndefined();
  });

  it('tells that it builds, before it tells who else runs', () => {
    const building = beginStep(accepted({ ...request, commit: TAG }), 'build', STEP_AT);
    const busy = lane({ running: ticket('staging.api.other123') });
    expect(see(building, { lane: busy }).waitingFor).toMatchObject({ code: 'BUILDING', since: STEP_AT });
  });

  it('waits for those before it also while none runs', () => {
    const behind = lane({ waiting: [ticket('staging.api.first123'), ticket(queued.id)] });
    expect(see(queued, { lane: behind })).toMatchObject({
      position: 1,
      waitingFor: { detail: 'one goes before it' },
    });
    expect(see(queued, { lane: lane() })).toMatchObject({ position: 0 });
    expect(see(queued, { lane: lane() }).waitingFor).toBeUndefined();
  });

  it('has no position once it has the turn, or without its lane', () => {
    expect(see({ ...running('look'), position: 3 })).not.toHaveProperty('position');
    expect(see(queued)).not.toHaveProperty('position');
  });

  it('can be read as a ticket, before its workflow is there', () => {
    const held = lane({ running: ticket('staging.api.other123') });
    const view = queuedView(ticket(queued.id), { app: 'api', environment: 'staging', lane: held });
    expect(view).toMatchObject({ id: queued.id, state: 'queued', position: 1, actor: 'bob', tag: TAG });
  });
});

describe('the end', () => {
  const ended = finish(running('verify'), { outcome: 'succeeded', verified: true }, STEP_AT);

  it('leaves a finished record alone', () => {
    for (const status of ['RUNNING', 'COMPLETED', 'TERMINATED']) {
      expect(see(ended, { status, pending: [pending('look')] })).toEqual(ended);
    }
  });

  it.each(['TERMINATED', 'FAILED', 'TIMED_OUT', 'CANCELLED'])('tells an end from outside: %s', (status) => {
    const waiting = { ...running('look'), position: 2 };
    const view = see(waiting, { status, closedAt: JUST });
    expect(view).toMatchObject({
      ...{ state: 'finished', outcome: 'failed', finishedAt: JUST },
      failure: { step: 'look', code: 'TERMINATED' },
    });
    expect(states(view)).toMatchObject({ authorise: 'done', look: 'failed', verify: 'skipped' });
    expect(view).not.toHaveProperty('position');
  });
});

describe('a rollback', () => {
  it('that passes a lock does not wait for it', () => {
    const lock = { reason: 'freeze', by: 'bob', at: QUEUED_AT };
    const back: Ticket = { ...ticket(queued.id), kind: 'rollback', override: true };
    expect(
      see(queued, { lane: lane({ lock, running: ticket('staging.api.other'), waiting: [back] }) }),
    ).toMatchObject({
      waitingFor: { code: 'LANE_BUSY' },
    });
    expect(see(queued, { lane: lane({ lock }) })).toMatchObject({ waitingFor: { code: 'LOCKED' } });
  });

  it.each(['planRollback', 'validateCurrent'])('is at validate while %s runs', (type) => {
    expect(see(running('validate'), { pending: [pending(type)] }).step).toBe('validate');
  });
});
