import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { heartbeat, sleep } from '@temporalio/activity';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Deployment, DeploymentRequest } from '../../domain/deployment.js';
import type { ValidateInput, VerdictState } from '../../domain/effects.js';
import type { Notice } from '../../domain/messages.js';
import { createLanes } from '../support/lanes.js';
import { request } from '../support/requests.js';
import type { Calls, Script } from '../support/scripted.js';
import { eventually, failing, rollout, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

let temporal: TestTemporal;
let lanes: ReturnType<typeof createLanes>;
let workers: { stop(): Promise<void> };
let acts: Script;
const calls: Calls = [];

beforeAll(async () => {
  temporal = await connect();
  lanes = createLanes(temporal.client);
  acts = script();
  workers = await scriptedWorkers(temporal, acts, calls);
});

afterAll(async () => {
  await workers.stop();
  await temporal.close();
});

beforeEach(() => calls.splice(0));
afterEach(() => Object.assign(acts, script()));

async function run(change: Partial<DeploymentRequest> = {}): Promise<Deployment> {
  const one = request(change);
  await lanes.request(one);
  return lanes.result(one.id);
}

/** Resolves `reached` at the first call, and holds the activity there until it is cancelled or released. */
function gate() {
  let reach!: () => void;
  let release!: () => void;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    release,
    async hold(): Promise<void> {
      reach();
      // Cancellation reaches an activity with the answer to a heartbeat.
      let open = false;
      void released.then(() => (open = true));
      while (!open) {
        heartbeat();
        await Promise.race([released, sleep(100)]);
      }
    },
    async holdUncancelled(): Promise<void> {
      reach();
      await released;
    },
  };
}

const names = (): string[] => calls.map(({ name }) => name).filter((name) => name !== 'deliver');
const states = (deployment: Deployment) =>
  Object.fromEntries(deployment.steps.map(({ name, state }) => [name, state]));

describe('a deployment that succeeds', () => {
  it('runs its steps in order and is verified', async () => {
    const ended = await run();
    expect(ended).toMatchObject({
      state: 'finished',
      outcome: 'succeeded',
      verified: true,
      release: 'a'.repeat(40),
    });
    expect(names()).toEqual(['validate', 'look', 'register', 'update', 'stabilise', 'verify']);
    expect(ended.steps.every(({ state }) => state === 'done' || state === 'skipped')).toBe(true);
    expect(ended.dossier).toBeUndefined();
  });

  it('is live in its lane afterwards, and verified there', async () => {
    const ended = await run();
    const view = await eventually(async () => {
      const lane = await lanes.view();
      expect(lane.live?.id).toBe(ended.id);
      return lane;
    });
    expect(view.verified[0]).toMatchObject({ id: ended.id, by: 'alice' });
    expect(view.running).toBeUndefined();
  });

  it('that could not be verified succeeds, and is not counted as verified', async () => {
    acts.verify = async () => ({ verified: false, detail: 'no version endpoint is configured' });
    const ended = await run();
    expect(ended).toMatchObject({ outcome: 'succeeded', verified: false });
    const view = await eventually(async () => {
      const lane = await lanes.view();
      expect(lane.live?.id).toBe(ended.id);
      return lane;
    });
    expect(view.verified.map(({ id }) => id)).not.toContain(ended.id);
  });

  it('keeps the warnings of validate and look', async () => {
    const look = acts.look;
    acts.look = async (input) => ({
      ...(await look(input)),
      warnings: [{ code: 'NO_CIRCUIT_BREAKER', message: 'off' }],
    });
    expect((await run()).warnings).toEqual([{ code: 'NO_CIRCUIT_BREAKER', message: 'off' }]);
  });

  it('tells people that it started and how it ended', async () => {
    const ended = await run();
    await eventually(() => {
      const told = calls
        .filter(({ name }) => name === 'deliver')
        .map(({ input }) => input as Notice)
        // Those of the test before may still be on their way.
        .filter(({ deployment }) => deployment.id === ended.id);
      expect(told.map(({ change }) => change)).toEqual(['started', 'ended']);
      expect(told[1]).toMatchObject({ deployment: { id: ended.id, outcome: 'succeeded' } });
    });
  });

  it('is not held up by a message that cannot be delivered', async () => {
    acts.deliver = failing('GITHUB_DOWN', 'no');
    expect((await run()).outcome).toBe('succeeded');
  });
});

describe('a deployment that fails', () => {
  it.each([
    ['validate', 'TAG_NOT_FOUND', 'rejected'],
    ['look', 'UNSUPPORTED_STRATEGY', 'rejected'],
    ['look', 'SERVICE_GONE', 'failed'],
    ['register', 'NOT_A_MAINTAINER', 'rejected'],
    ['register', 'CONTAINER_MISSING', 'failed'],
    ['update', 'AWS_REFUSED', 'failed'],
    ['verify', 'RELEASE_MISMATCH', 'failed'],
  ] as const)('at %s with %s is %s, with step, reason and dossier', async (step, code, outcome) => {
    Object.assign(acts, { [step]: failing(code, 'the reason') });
    const ended = await run();
    expect(ended).toMatchObject({
      state: 'finished',
      outcome,
      failure: { step, code, message: 'the reason' },
    });
    expect(states(ended)[step]).toBe('failed');
    expect(ended.dossier).toBeDefined();
  });

  it.each([
    ['rolled-back', 'rolled-back', 'ROLLED_BACK'],
    ['rollback-failed', 'failed', 'ROLLBACK_FAILED'],
    ['tasks-failed', 'failed', 'TASKS_FAILED'],
    ['superseded', 'superseded', 'SUPERSEDED'],
    ['service-gone', 'failed', 'SERVICE_GONE'],
    ['timed-out', 'timed-out', 'TIMED_OUT'],
  ] as const)('by the verdict %s is %s', async (verdict: VerdictState, outcome, code) => {
    acts.stabilise = async () => ({ verdict, message: 'as read', rollout, now: 'arn:other' });
    const ended = await run();
    expect(ended).toMatchObject({ outcome, failure: { step: 'stabilise', code, message: 'as read' } });
    expect(ended.dossier?.events).toHaveLength(1);
    expect(states(ended)).toMatchObject({ stabilise: 'failed', verify: 'skipped' });
    expect(names()).not.toContain('goBack');
  });

  it('is superseded when somebody else’s came between look and update', async () => {
    acts.update = async () => ({ state: 'superseded', at: new Date().toISOString(), by: 'arn:theirs' });
    expect(await run()).toMatchObject({ outcome: 'superseded', supersededBy: 'arn:theirs' });
    expect(names()).not.toContain('stabilise');
  });

  it('without a dossier where none can be collected, still has its reason', async () => {
    acts.stabilise = async () => ({ verdict: 'rolled-back', message: 'as read', rollout, now: 'arn:other' });
    acts.dossier = failing('AWS_DOWN', 'no');
    expect(await run()).toMatchObject({ outcome: 'rolled-back', dossier: { stoppedTasks: [] } });
  });
});

describe('a bad release', () => {
  const marked = async (input: ValidateInput) => ({
    ...(await script().validate(input)),
    bad: 'marked bad by bob',
  });

  it('that is known only now is rejected before anything is written', async () => {
    acts.validate = marked;
    const ended = await run({ tag: 'latest' });
    expect(ended).toMatchObject({
      outcome: 'rejected',
      release: 'a'.repeat(40),
      failure: { step: 'validate', code: 'RELEASE_BAD', message: 'marked bad by bob' },
    });
    expect(states(ended)).toMatchObject({ validate: 'failed', look: 'skipped' });
    expect(names()).toEqual(['validate']);
  });

  it('goes on with an override', async () => {
    acts.validate = marked;
    expect((await run({ tag: 'latest', override: true, reason: 'we know' })).outcome).toBe('succeeded');
  });
});

describe('a redeployment of what runs', () => {
  it('finds its tag in validate, and registers and remembers that', async () => {
    const ended = await run({ kind: 'redeploy', tag: '', current: true });
    const tag = 'b'.repeat(40);
    expect(ended).toMatchObject({ outcome: 'succeeded', tag, release: tag });
    expect(names()).toEqual(['validateCurrent', 'look', 'register', 'update', 'stabilise', 'verify']);
    expect(calls.find(({ name }) => name === 'register')?.input).toMatchObject({ tag });
    await eventually(async () => expect((await lanes.view()).live).toMatchObject({ id: ended.id, tag }));
  });

  it('of an unknown release is rejected', async () => {
    acts.validateCurrent = failing('RELEASE_UNKNOWN', 'pass a tag');
    const ended = await run({ kind: 'redeploy', tag: '', current: true });
    expect(ended).toMatchObject({ outcome: 'rejected', failure: { code: 'RELEASE_UNKNOWN' } });
    expect(ended).not.toHaveProperty('tag');
  });
});

describe('what waits and is superseded', () => {
  it('does not heed it once it has its turn', async () => {
    const { reached, release, hold } = gate();
    const look = acts.look;
    acts.look = async (input) => {
      await hold();
      return look(input);
    };
    const one = request();
    await lanes.request(one);
    await reached;
    await lanes.handle(one.id).signal('superseded', { by: 'staging.api.other' });
    release();
    expect((await lanes.result(one.id)).outcome).toBe('succeeded');
  });
});

describe('the warnings it was asked for with', () => {
  it('stay beside those that it finds', async () => {
    const warnings = [{ code: 'VARIABLES_MISSING', message: 'lacks OLD' }];
    expect((await run({ warnings })).warnings).toEqual(warnings);
  });
});

describe('a deployment of a commit', () => {
  const commit = 'c'.repeat(40);

  it('is built first, and takes its turn after', async () => {
    const ended = await run({ commit, tag: commit });
    expect(ended.outcome).toBe('succeeded');
    expect(names()).toEqual(['buildImages', 'validate', 'look', 'register', 'update', 'stabilise', 'verify']);
    expect(states(ended)['build']).toBe('done');
  });

  it('whose build fails has nothing to roll back, and carries the last lines', async () => {
    acts.buildImages = failing('BUILD_FAILED', 'COPY failed', { lastLines: ['Step 1', 'COPY failed'] });
    const ended = await run({ commit, tag: commit });
    expect(ended).toMatchObject({ outcome: 'failed', failure: { step: 'build', code: 'BUILD_FAILED' } });
    expect(ended.dossier?.lastLines).toEqual([{ source: 'build', lines: ['Step 1', 'COPY failed'] }]);
    expect(names()).toEqual(['buildImages']);
  });

  it('that is not on the branch is rejected', async () => {
    acts.buildImages = failing('NOT_ON_BRANCH', 'no');
    expect(await run({ commit, tag: commit })).toMatchObject({
      outcome: 'rejected',
      failure: { code: 'NOT_ON_BRANCH' },
    });
  });

  it('is built once, however many ask for it', async () => {
    const { reached, release, hold } = gate();
    const build = acts.buildImages;
    acts.buildImages = async (input) => {
      await hold();
      return build(input);
    };
    const asked = [
      request({ commit, tag: commit }),
      request({ commit, tag: commit, environment: 'production' }),
    ];
    for (const one of asked) await lanes.request(one);
    await reached;
    await eventually(async () => {
      const { raw } = await temporal.client.workflow.getHandle(`build/api/${commit}`).describe();
      expect(Number(raw.workflowExecutionInfo?.historyLength)).toBeGreaterThan(8);
    });
    release();
    const ended = await Promise.all(asked.map(({ id }) => lanes.result(id)));
    expect(ended.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
    expect(names().filter((name) => name === 'buildImages')).toHaveLength(1);
  });

  it('does not hold up what needs no build', async () => {
    const { reached, release, hold } = gate();
    const build = acts.buildImages;
    acts.buildImages = async (input) => {
      await hold();
      return build(input);
    };
    const slow = request({ commit, tag: commit });
    expect((await lanes.request(slow)).position).toBe(0);
    await reached;
    expect((await run()).outcome).toBe('succeeded');
    expect(await lanes.read(slow.id)).toMatchObject({ state: 'queued', step: 'build' });
    release();
    expect((await lanes.result(slow.id)).outcome).toBe('succeeded');
  });
});

describe('a stop', () => {
  it.each(['validate', 'look'] as const)('in %s ends it with nothing changed', async (step) => {
    const { reached, hold } = gate();
    Object.assign(acts, { [step]: hold });
    const one = request();
    await lanes.request(one);
    await reached;
    await lanes.stop(one.id);
    const ended = await lanes.result(one.id);
    expect(ended).toMatchObject({ outcome: 'stopped', failure: { step, code: 'STOPPED' } });
    expect(ended.failure?.message).toContain('carol: enough');
    expect(names()).not.toContain('goBack');
  });

  it('in register lets it finish, and sends no update', async () => {
    const { reached, release, holdUncancelled } = gate();
    const register = acts.register;
    acts.register = async (input) => {
      await holdUncancelled();
      return register(input);
    };
    const one = request();
    await lanes.request(one);
    await reached;
    await lanes.stop(one.id);
    release();
    expect(await lanes.result(one.id)).toMatchObject({ outcome: 'stopped' });
    expect(names()).not.toContain('update');
    expect(names()).not.toContain('goBack');
  });

  it.each(['update', 'stabilise', 'verify'] as const)(
    'in %s goes back, and waits until that is stable',
    async (step) => {
      const { reached, release, hold, holdUncancelled } = gate();
      const original = acts[step] as (input: never) => Promise<unknown>;
      let first = true;
      const held = async (input: never): Promise<unknown> => {
        if (first) {
          first = false;
          await (step === 'update' ? holdUncancelled() : hold());
        }
        return original(input);
      };
      Object.assign(acts, { [step]: held });
      const one = request();
      await lanes.request(one);
      await reached;
      await lanes.stop(one.id);
      release();
      const ended = await lanes.result(one.id);
      expect(ended).toMatchObject({ outcome: 'stopped', failure: { code: 'STOPPED' } });
      expect(names()).toContain('goBack');
      const watched = calls.filter(({ name }) => name === 'stabilise').at(-1)?.input as { revision: string };
      expect(watched.revision).toMatch(/:1$/);
    },
  );

  it('with nothing to go back to fails and says so', async () => {
    const { reached, hold } = gate();
    acts.stabilise = async () => {
      await hold();
      throw new Error('not reached');
    };
    acts.goBack = failing('NO_WAY_BACK', 'it runs :2');
    const one = request();
    await lanes.request(one);
    await reached;
    await lanes.stop(one.id);
    expect(await lanes.result(one.id)).toMatchObject({
      outcome: 'failed',
      failure: { code: 'NO_WAY_BACK', message: 'it runs :2' },
    });
  });

  it('while it waits for its turn takes it out of the lane', async () => {
    const { reached, release, hold } = gate();
    const validate = acts.validate;
    acts.validate = async (input) => {
      await hold();
      return validate(input);
    };
    const [first, second] = [request(), request()];
    await lanes.request(first);
    await reached;
    expect((await lanes.request(second)).position).toBe(1);
    await lanes.stop(second.id);
    expect(await lanes.result(second.id)).toMatchObject({ outcome: 'stopped', state: 'finished' });
    await eventually(async () => expect((await lanes.view()).waiting).toEqual([]));
    release();
    expect((await lanes.result(first.id)).outcome).toBe('succeeded');
  });

  it('while it builds gives up the build that nobody else waits for', async () => {
    const { reached, hold } = gate();
    let cancelled = false;
    acts.buildImages = async () => {
      try {
        await hold();
      } catch (error) {
        cancelled = true;
        throw error;
      }
      throw new Error('not reached');
    };
    const commit = 'e'.repeat(40);
    const one = request({ commit, tag: commit });
    await lanes.request(one);
    await reached;
    await lanes.stop(one.id);
    expect(await lanes.result(one.id)).toMatchObject({ outcome: 'stopped', failure: { step: 'build' } });
    await temporal.client.workflow.getHandle(`build/api/${commit}`).result();
    expect(cancelled).toBe(true);
  });

  it('is what a cancel in Temporal’s own UI becomes', async () => {
    const { reached, hold } = gate();
    acts.look = async () => {
      await hold();
      throw new Error('not reached');
    };
    const one = request();
    await lanes.request(one);
    await reached;
    await lanes.handle(one.id).cancel();
    expect(await lanes.result(one.id)).toMatchObject({ outcome: 'stopped' });
  });
});

describe('the 15 minutes', () => {
  const limits = { tellAfterMs: 1_000, giveUpAfterMs: 60_000, verifyMs: 60_000 };

  it('are told once, and the work goes on', async () => {
    const { release, hold } = gate();
    const stabilise = acts.stabilise;
    acts.stabilise = async (input) => {
      await hold();
      return stabilise(input);
    };
    const one = request({ limits });
    await lanes.request(one);
    await eventually(() =>
      expect(calls.map(({ input }) => (input as { change?: string }).change)).toContain('slow'),
    );
    expect((await lanes.read(one.id)).warnings).toMatchObject([{ code: 'SLOW' }]);
    release();
    expect((await lanes.result(one.id)).outcome).toBe('succeeded');
  });

  it('do not count while it waits for its turn', async () => {
    const { reached, release, hold } = gate();
    const validate = acts.validate;
    acts.validate = async (input) => {
      await hold();
      return validate(input);
    };
    const [first, second] = [request(), request({ limits: { ...limits, tellAfterMs: 1_500 } })];
    await lanes.request(first);
    await reached;
    await lanes.request(second);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    acts.validate = validate;
    release();
    expect((await lanes.result(second.id)).warnings).toEqual([]);
  });
});

it('takes few events of history', async () => {
  const ended = await run();
  const { raw } = await lanes.handle(ended.id).describe();
  expect(Number(raw.workflowExecutionInfo?.historyLength)).toBeLessThanOrEqual(70);
});

it('can be followed in Temporal’s UI: a line for each activity', async () => {
  const ended = await run();
  const { events = [] } = await lanes.handle(ended.id).fetchHistory();
  const lines = (events ?? [])
    .filter((event) => event.activityTaskScheduledEventAttributes)
    .map(({ userMetadata }) => String(defaultPayloadConverter.fromPayload(userMetadata?.summary ?? {})));
  expect(lines.slice(0, 3)).toEqual([
    'validate api → staging @ aaaaaaa',
    'look api → staging',
    'register api → staging @ aaaaaaa',
  ]);
  expect(lines.every((line) => line.includes('api → staging'))).toBe(true);
});
