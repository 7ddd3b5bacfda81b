import { heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deployment, Target } from '../../domain/deployment.js';
import { deploymentId, rollbackWorkflowId } from '../../domain/ids.js';
import type { DeploymentEnded } from '../../domain/messages.js';
import { MEMO, QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import type { RollbackRequest } from '../../domain/rollback.js';
import { createLanes } from '../support/lanes.js';
import { request } from '../support/requests.js';
import type { Calls, Script } from '../support/scripted.js';
import { eventually, failing, script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

let temporal: TestTemporal;
let lanes: ReturnType<typeof createLanes>;
let workers: { stop(): Promise<void> };
let acts: Script;
const calls: Calls = [];
let target: Target;
let count = 0;

const T = 'a'.repeat(40);
const LIVE = 'f'.repeat(40);

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
beforeEach(() => {
  calls.splice(0);
  count += 1;
  target = { app: `app${count}`, environment: 'production' };
});
afterEach(() => Object.assign(acts, script()));

const rollbackOf = (change: Partial<RollbackRequest> = {}): RollbackRequest => {
  const of = { ...target, ...change };
  const { limits, queuedAt } = request();
  return {
    ...{ id: deploymentId(of, `back${count}`), app: of.app, environment: of.environment },
    ...{ actor: 'alice', reason: 'errors', queuedAt, limits },
    ...change,
  };
};

const handleOf = ({ app, environment }: Target) =>
  temporal.client.workflow.getHandle(rollbackWorkflowId({ app, environment }, `back${count}`));

async function start(asked: RollbackRequest, tuning = {}) {
  const workflowId = rollbackWorkflowId(asked, `back${count}`);
  await temporal.client.workflow.start(WORKFLOW.rollback, {
    workflowId,
    taskQueue: QUEUE.main,
    args: [asked, tuning],
  });
  const handle = handleOf(asked);
  return { handle, result: () => handle.result() as Promise<Deployment> };
}

const run = async (change: Partial<RollbackRequest> = {}) => (await start(rollbackOf(change))).result();
const names = (): string[] => calls.map(({ name }) => name).filter((name) => name !== 'deliver');
const inputOf = (name: string) => calls.find((call) => call.name === name)?.input;
const memoOf = async (of: Target = target) =>
  (await handleOf(of).describe()).memo?.[MEMO.deployment] as Deployment;
const bad = async (of = target) => (await lanes.view(of)).bad;
const laneExists = (): Promise<boolean> =>
  lanes
    .lane(target)
    .describe()
    .then(
      () => true,
      () => false,
    );

/** Holds the named activity until it is opened. */
function hold(name: 'planRollback' | 'validate' | 'stabilise') {
  const original = acts[name] as (input: never) => Promise<unknown>;
  let open = false;
  Object.assign(acts, {
    [name]: async (input: never) => {
      while (!open) {
        heartbeat();
        await sleep(30);
      }
      return original(input);
    },
  });
  return () => {
    open = true;
  };
}

describe('a rollback of production', () => {
  it('asks who, plans, marks the live release bad, and then deploys the target by its digests', async () => {
    const marks: unknown[] = [];
    acts.look = async (input) => {
      marks.push(await bad());
      return script().look(input);
    };
    const ended = await run({ tag: 'rel-1' });
    expect(ended).toMatchObject({ kind: 'rollback', outcome: 'succeeded', verified: true, release: T });
    expect(names().slice(0, 4)).toEqual(['authorise', 'planRollback', 'lockPromotions', 'validate']);
    expect(inputOf('lockPromotions')).toMatchObject({
      app: target.app,
      command: { by: 'alice', code: 'PRODUCTION_ROLLED_BACK', reason: 'production was rolled back: errors' },
    });
    expect(inputOf('planRollback')).toEqual({ ...target, tag: 'rel-1' });
    expect(inputOf('validate')).toMatchObject({ tag: 'rel-1', digests: expect.any(Object) as object });
    expect(marks).toEqual([
      [{ release: LIVE, tag: 'rel-2', reason: 'errors', by: 'alice', at: expect.any(String) as string }],
    ]);
    const deployed = await lanes.result(ended.id);
    expect(deployed).toMatchObject({
      ...{ id: ended.id, kind: 'rollback', tag: 'rel-1', outcome: 'succeeded' },
      parent: { type: 'rollback', id: handleOf(target).workflowId },
      warnings: [{ code: 'VARIABLES_MISSING' }],
    });
    expect(deployed.steps.find(({ name }) => name === 'build')?.state).toBe('skipped');
  });

  it('can be read as a deployment from its start', async () => {
    const open = hold('planRollback');
    const { result } = await start(rollbackOf());
    await eventually(async () =>
      expect(await memoOf()).toMatchObject({ kind: 'rollback', state: 'queued', step: 'validate' }),
    );
    open();
    expect((await result()).outcome).toBe('succeeded');
    expect(await memoOf()).toMatchObject({ state: 'finished', outcome: 'succeeded' });
  });

  it('replaces what waits, and with now stops what runs', async () => {
    const open = hold('validate');
    const [running, waiting] = [request(target), request(target)];
    await lanes.request(running);
    await lanes.request(waiting);
    acts.validate = script().validate;
    const asked = rollbackOf({ now: true });
    const { result } = await start(asked);
    expect(await lanes.result(waiting.id)).toMatchObject({ outcome: 'superseded', supersededBy: asked.id });
    expect(await lanes.result(running.id)).toMatchObject({ outcome: 'stopped' });
    expect((await result()).outcome).toBe('succeeded');
    open();
  });

  it.each([
    ['fails', { stabilise: failing('AWS_REFUSED', 'no') }, 'failed'],
    ['is rejected by its deployment', { look: failing('UNSUPPORTED_STRATEGY', 'no') }, 'rejected'],
  ] as const)('that %s later leaves the mark', async (_words, change, outcome) => {
    Object.assign(acts, change);
    expect(await run()).toMatchObject({ outcome, failure: { message: 'no' } });
    expect(await bad()).toMatchObject([{ release: LIVE }]);
  });

  it('of which nothing is known to be live marks nothing', async () => {
    acts.planRollback = async () => {
      const { plan } = await script().planRollback(target);
      const { live: _live, ...unknown } = plan!;
      return { plan: unknown };
    };
    expect((await run()).outcome).toBe('succeeded');
    expect(await bad()).toEqual([]);
  });

  it('passes override on, to the plan and to the lane', async () => {
    await lanes.lock('freeze', target);
    expect((await run({ override: true })).outcome).toBe('succeeded');
    expect(inputOf('planRollback')).toMatchObject({ override: true });
  });
});

describe('while another deployment goes before it', () => {
  const undecided = async (input: { atTurn?: boolean; tag?: string }) =>
    input.atTurn ? script().planRollback(target) : { undecided: 'production.x.running' };

  it('what is live and the target are decided at its turn, and marked before anything is deployed', async () => {
    acts.planRollback = undecided;
    const marks: unknown[] = [];
    acts.look = async (input) => {
      marks.push(await bad());
      return script().look(input);
    };
    const ended = await run();
    expect(ended).toMatchObject({ outcome: 'succeeded', release: T });
    expect(marks).toMatchObject([[{ release: LIVE, reason: 'errors', by: 'alice' }]]);
    expect(await lanes.result(ended.id)).toMatchObject({
      tag: 'rel-1',
      warnings: [{ code: 'VARIABLES_MISSING' }],
    });
    const plans = calls.filter(({ name }) => name === 'planRollback').map(({ input }) => input);
    expect(plans).toEqual([target, { ...target, atTurn: true }]);
  });

  it('one without a target by then is rejected, and nothing is marked', async () => {
    acts.planRollback = async (input) => {
      if (input.atTurn) return failing('NO_ROLLBACK_TARGET', 'none')();
      return { undecided: 'production.x.running' };
    };
    expect(await run()).toMatchObject({ outcome: 'rejected', failure: { code: 'NO_ROLLBACK_TARGET' } });
    expect(await bad()).toEqual([]);
  });

  it('the tag that was asked for stays the target', async () => {
    acts.planRollback = undecided;
    await run({ tag: 'T' });
    expect(calls.filter(({ name }) => name === 'planRollback')[1]?.input).toEqual({
      ...{ ...target, tag: 'T', atTurn: true },
    });
  });
});

describe('one that is rejected', () => {
  it.each([
    ['authorise', 'authorise', 'NOT_A_MAINTAINER'],
    ['planRollback', 'validate', 'TAG_NOT_FOUND'],
    ['planRollback', 'validate', 'NO_ROLLBACK_TARGET'],
    ['planRollback', 'validate', 'RELEASE_BAD'],
    ['planRollback', 'validate', 'TEMPLATE_NOT_FOUND'],
    ['planRollback', 'validate', 'LOCKED'],
  ] as const)('by %s leaves nothing behind but its record (%s, %s)', async (activity, step, code) => {
    Object.assign(acts, { [activity]: failing(code, 'the reason') });
    const ended = await run();
    expect(ended).toMatchObject({
      ...{ kind: 'rollback', state: 'finished', outcome: 'rejected' },
      failure: { step, code, message: 'the reason' },
      dossier: { events: [], stoppedTasks: [] },
    });
    expect(await memoOf()).toMatchObject({ outcome: 'rejected', failure: { code } });
    expect(await laneExists()).toBe(false);
    expect(names()).not.toContain('register');
  });

  it('is listed among the app’s history, and people are told', async () => {
    acts.authorise = failing('NOT_A_MAINTAINER', 'no');
    const { id } = await run();
    const query = `WorkflowType = 'rollback' AND SluiceOutcome = 'rejected' AND SluiceApp = '${target.app}' AND SluiceEnvironment = 'production' AND SluiceKind = 'rollback' AND SluiceActor = 'alice'`;
    await eventually(async () => {
      const found: string[] = [];
      for await (const one of temporal.client.workflow.list({ query })) found.push(one.workflowId);
      expect(found).toEqual([handleOf(target).workflowId]);
    });
    // The notice of the test before may arrive in this one.
    await eventually(() =>
      expect(calls.filter(({ name }) => name === 'deliver').map(({ input }) => input)).toContainEqual(
        expect.objectContaining({
          change: 'ended',
          deployment: expect.objectContaining({ id, outcome: 'rejected' }) as object,
        }),
      ),
    );
  });

  it('by a lock that came in between says so', async () => {
    const held = await lanes.lock('freeze', target);
    const ended = await run();
    expect(ended).toMatchObject({ outcome: 'rejected', failure: { code: 'LOCKED' } });
    expect(ended.failure?.message).toContain(held.reason);
  });

  it('is rejected while it waits for GitHub, if a person stops it', async () => {
    acts.authorise = async () => {
      throw ApplicationFailure.create({ type: 'GITHUB_DOWN', message: 'down' });
    };
    const { handle, result } = await start(rollbackOf());
    await eventually(async () => expect((await memoOf()).step).toBe('authorise'));
    await handle.signal(SIGNAL.stop, { actor: 'carol', reason: 'mended' });
    const ended = await result();
    expect(ended).toMatchObject({ outcome: 'stopped', failure: { step: 'authorise', code: 'STOPPED' } });
    expect(ended.failure?.message).toContain('carol: mended; nothing was changed');
    expect(await laneExists()).toBe(false);
  });
});

describe('its end', () => {
  it('comes from the watchdog where its deployment was terminated', async () => {
    const open = hold('stabilise');
    const asked = rollbackOf();
    const { result } = await start(asked, { watchdogMs: 300 });
    await eventually(async () => expect((await lanes.read(asked.id)).step).toBe('stabilise'));
    await lanes.handle(asked.id).terminate('break glass');
    expect(await result()).toMatchObject({
      outcome: 'failed',
      failure: { step: 'stabilise', code: 'TERMINATED' },
    });
    open();
  });

  it('is not another deployment’s', async () => {
    const open = hold('stabilise');
    const asked = rollbackOf();
    const { handle, result } = await start(asked);
    await eventually(async () => expect((await lanes.read(asked.id)).step).toBe('stabilise'));
    const other: DeploymentEnded = { id: 'production.api.other', outcome: 'succeeded', verified: true };
    await handle.signal(SIGNAL.deploymentEnded, other);
    acts.verify = failing('NO_ANSWER', 'silent');
    open();
    expect(await result()).toMatchObject({ outcome: 'failed', failure: { code: 'NO_ANSWER' } });
  });

  it('is brought about by a stop or a cancel of the rollback itself', async () => {
    const open = hold('stabilise');
    const asked = rollbackOf();
    const { handle, result } = await start(asked);
    await eventually(async () => expect((await lanes.read(asked.id)).step).toBe('stabilise'));
    await handle.cancel();
    acts.stabilise = script().stabilise;
    expect(await result()).toMatchObject({ outcome: 'stopped', failure: { code: 'STOPPED' } });
    expect((await lanes.result(asked.id)).outcome).toBe('stopped');
    open();
  });

  it('hurts nobody where the rollback is gone', async () => {
    const open = hold('stabilise');
    const asked = rollbackOf();
    const { handle } = await start(asked);
    await eventually(async () => expect((await lanes.read(asked.id)).step).toBe('stabilise'));
    await handle.terminate('break glass');
    open();
    expect((await lanes.result(asked.id)).outcome).toBe('succeeded');
    await eventually(async () => expect((await lanes.view(target)).live?.id).toBe(asked.id));
  });
});

describe('a rollback of staging', () => {
  it('marks nothing and replaces nothing', async () => {
    const staging = { ...target, environment: 'staging' };
    const open = hold('validate');
    const [running, waiting] = [request(staging), request(staging)];
    await lanes.request(running);
    await lanes.request(waiting);
    const { result } = await start(rollbackOf({ environment: 'staging' }));
    await eventually(async () => expect((await lanes.view(staging)).waitingCount).toBe(2));
    open();
    const ended = await result();
    expect(ended.outcome).toBe('succeeded');
    const after = await lanes.result(waiting.id);
    expect(after.outcome).toBe('succeeded');
    expect(after.startedAt! > (await lanes.result(ended.id)).finishedAt!).toBe(true);
    expect(await bad(staging)).toEqual([]);
    expect(await laneExists()).toBe(false);
  });
});
