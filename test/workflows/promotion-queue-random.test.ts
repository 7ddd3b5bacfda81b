/**
 * Long random histories: the real workflow, on a real server, keeps the state that the pure rules make of what came to
 * it. Races between events, commands and reads are part of it; how they fell is read from the workflow's history.
 */
import * as fc from 'fast-check';
import { isGrpcServiceError, ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObserveInput } from '../../activities/promotion/index.js';
import type { Outcome } from '../../domain/deployment.js';
import { promotionWorkflowId } from '../../domain/ids.js';
import type { OutsideEnd } from '../../domain/messages.js';
import { SIGNAL } from '../../domain/messages.js';
import type { Effect, PromotionState, QueueDeployment } from '../../domain/promotion/state.js';
import { forMemo, isActive } from '../../domain/promotion/state.js';
import { Recomputed } from '../support/promotion-history.js';
import { LIVE, MERGES, moveTo, promotionWorlds } from '../support/promotion-world.js';
import type { PromotionActs, QueueAt } from '../support/promotion-world.js';
import { eventually } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

const ENDLESS = 10 ** 11;
const FOREIGN = 'f'.repeat(40);
const OUTCOMES: Outcome[] = ['succeeded', 'succeeded', 'succeeded', 'failed', 'rolled-back', 'rejected'];

let temporal: TestTemporal;
let worlds: Awaited<ReturnType<typeof promotionWorlds>>;
const asked = new Map<string, QueueDeployment[]>();

beforeAll(async () => {
  temporal = await connect();
  worlds = await promotionWorlds(temporal);
  const { observePromotion } = worlds.acts;
  Object.assign(worlds.acts, {
    // They are no workflows here: no read tells of one, so none is taken after a while only.
    observePromotion: async (input: ObserveInput) => {
      const { own: _own, ...read } = await observePromotion(input);
      return read;
    },
    // Deployments end when the history says so.
    requestDeployment: async (request: QueueDeployment & { app: string }) => {
      asked.set(request.app, [...(asked.get(request.app) ?? []), request]);
      return { id: request.id, position: 0, again: false };
    },
    stopDeployment: async () => undefined,
  } satisfies Partial<Record<keyof PromotionActs | 'requestDeployment', unknown>>);
});
afterAll(async () => {
  await worlds.stop();
  await temporal.close();
});

/** `pick` chooses among what is there. */
type Step =
  | { what: 'merge' | 'tests' | 'deployment' | 'outside' | 'rollback'; pick: number }
  | {
      what: 'approve' | 'override' | 'reject' | 'cancel' | 'retry' | 'resolve' | 'lock' | 'unlock';
      pick: number;
    };

interface Round {
  events: Step[];
  commands: Step[];
  settles: boolean;
}

const pick = fc.nat(1_000);
const stepOf = (...names: Step['what'][]) =>
  fc.record({ what: fc.constantFrom(...names), pick }) as fc.Arbitrary<Step>;
/** Events all at once, then commands all at once: their order among themselves is what the history shows. */
const rounds = fc.array(
  fc.record({
    events: fc.array(stepOf('merge', 'tests', 'deployment', 'deployment', 'tests', 'outside', 'rollback'), {
      maxLength: 3,
    }),
    settles: fc.boolean(),
    commands: fc.array(
      stepOf(
        'approve',
        'approve',
        'override',
        'reject',
        'cancel',
        'retry',
        'resolve',
        'lock',
        'unlock',
        'unlock',
      ),
      { maxLength: 2 },
    ),
  }),
  { minLength: 15, maxLength: 25 },
);

/** Every history begins with what goes well as far as production, and has a waiting merge there. */
const ROAD: Round[] = (
  [
    [{ what: 'merge', pick: 0 }],
    [{ what: 'deployment', pick: 0 }],
    [{ what: 'tests', pick: 0 }],
    [
      { what: 'merge', pick: 1 },
      { what: 'approve', pick: 0 },
    ],
  ] satisfies Step[][]
).map((steps) => ({
  events: steps.filter(({ what }) => what !== 'approve'),
  commands: steps.filter(({ what }) => what === 'approve'),
  settles: true,
}));

const from = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(list.length, 1)];

async function happens(queue: QueueAt, { what, pick: at }: Step, { current }: PromotionState): Promise<void> {
  const { world, handle } = queue;
  const waiting = asked.get(world.app) ?? [];
  if (what === 'merge') return queue.merges(...MERGES.slice(0, 1 + (at % MERGES.length)).slice(-2));
  if (what === 'tests' && current?.tests) {
    const state = from(['passed', 'passed', 'failed', 'inconclusive'] as const, at);
    const report = { promotion: current.id, attempt: current.tests.attempt, state, detail: 'as told' };
    return handle.signal(SIGNAL.testsEnded, report);
  }
  if (what === 'deployment') {
    const one = from(waiting, at);
    if (!one) return;
    waiting.splice(waiting.indexOf(one), 1);
    const outcome = from(OUTCOMES, at) ?? 'failed';
    const code = from(['STAGING_MOVED', 'NOT_A_MAINTAINER', 'UNSUPPORTED_STRATEGY'] as const, at);
    const release = one.digests?.['image']?.replace('sha256:', '') ?? one.tag;
    if (outcome === 'succeeded') moveTo(world, one.environment, release);
    const failure = outcome === 'rejected' ? { failure: { step: 'validate', code, message: 'no' } } : {};
    const digests = { image: `sha256:${release}` };
    return handle.signal(SIGNAL.deploymentEnded, {
      id: one.id,
      outcome,
      verified: true,
      digests,
      ...failure,
    });
  }
  const environment =
    what === 'rollback' ? 'production' : (from(['staging', 'production'] as const, at) ?? '');
  const kind = what === 'rollback' ? 'rollback' : 'deploy';
  if (what !== 'rollback' && what !== 'outside') return;
  moveTo(world, environment, from([LIVE, ...MERGES.slice(0, 3), FOREIGN], at) ?? LIVE);
  const ended: OutsideEnd = {
    ...{ id: `${environment}.${world.app}.other`, app: world.app, environment, kind, outcome: 'succeeded' },
  };
  return handle.signal(SIGNAL.look, ...(at % 5 === 0 ? [] : [ended]));
}

async function commanded(
  queue: QueueAt,
  { what, pick: at }: Step,
  { current, waiting, recent }: PromotionState,
): Promise<unknown> {
  const release = current?.release ?? from(recent, at)?.release ?? LIVE;
  const key = `key ${at % 40}`;
  const of = { release, reason: 'because' };
  const choice = from(['adopt', 'restore-staging', 'override'] as const, at);
  switch (what) {
    case 'approve':
    case 'override':
      return queue.ask('approve', what === 'override' ? { ...of, override: true } : { release });
    case 'reject':
      return queue.ask('reject', of, { key });
    case 'cancel':
      return queue.ask('cancel', { ...of, release: from(waiting, at)?.release ?? release }, { key });
    case 'retry':
      return queue.ask('retryPromotion', of);
    case 'resolve':
      return queue.ask('resolve', { choice, reason: 'because' });
    case 'lock':
      return queue.ask('lock', { reason: `hold ${at}` });
    default:
      return queue.ask('unlock', {});
  }
}

const FAILED_PRECONDITION = 9;

/** Refused is an answer too. What comes as the run tries to continue as new is taken by nobody: who asks, asks again. */
async function answered(sent: Promise<unknown>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    const cause = error instanceof ServiceError ? error.cause : undefined;
    const isUntaken = isGrpcServiceError(cause) && Number(cause.code) === FAILED_PRECONDITION;
    if (!(error instanceof WorkflowUpdateFailedError || isUntaken)) throw error;
  }
}

const stages = new Set<string>();

/** What must hold with every change, whatever comes: the explorer's properties, as far as a queue can see them. */
function properties() {
  const open = new Map<string, QueueDeployment>();
  const tested = new Map<string, string | undefined>();
  return (before: PromotionState, after: PromotionState, effects: Effect[]): void => {
    if (after.current) stages.add(after.current.stage);
    const all = [after.current, ...after.waiting, ...after.recent];
    for (const one of [before.current, ...before.waiting]) {
      if (!one) continue;
      const now = all.find((other) => other?.id === one.id);
      expect(now, `no merge is lost: ${one.id}`).toBeDefined();
      if (now?.stage === 'superseded') expect(now.carriedBy).toBeDefined();
      const isOver = now?.finishedAt !== undefined && one.finishedAt === undefined;
      const told = effects.some(
        (effect) =>
          effect.do === 'tell' && effect.news.change === 'ended' && effect.news.promotion.id === one.id,
      );
      expect(told, `who ends is told, once: ${one.id}`).toBe(isOver);
    }
    const ids = all.map((one) => one?.id);
    expect(ids.length - new Set(ids).size, 'nothing is doubled').toBe(0);
    const { current, work } = after;
    if (current?.stage === 'awaiting-approval' && before.current?.stage === 'testing')
      tested.set(current.id, work.evidence?.primary);
    for (const effect of effects) {
      if (effect.do !== 'deploy') continue;
      const { id, environment, kind } = effect.deployment;
      expect(open.has(id)).toBe(false);
      open.set(id, effect.deployment);
      if (environment === 'production') {
        expect(current?.approval, 'production is deployed on an approval').toMatchObject({
          release: current?.release,
        });
        expect(tested.get(current?.id ?? ''), 'of what was tested').toBe(work.evidence?.primary);
      } else if (kind === 'redeploy') expect(isActive(current)).toBe(false);
      else expect(current?.stage).toBe('staging');
    }
    if (!after.look && !after.lock)
      for (const one of after.waiting) expect(one.waitingFor, 'whatever waits says why').toBeDefined();
  };
}

async function recomputed(queue: QueueAt, firstRun: string): Promise<{ q: PromotionState; runs: number }> {
  const { app } = queue.world;
  const model = new Recomputed(app, properties());
  let runs = 0;
  for (let runId: string | undefined = firstRun; runId; runs += 1) {
    const { events } = await temporal.client.workflow
      .getHandle(promotionWorkflowId(app), runId)
      .fetchHistory();
    runId = model.run(events ?? []);
  }
  return { q: model.q, runs };
}

/** Nothing is wanted, and nothing is under way. */
const settled = (queue: QueueAt): Promise<void> =>
  eventually(async () => {
    const { raw } = await queue.handle.describe();
    expect(raw.pendingActivities ?? []).toEqual([]);
    expect(raw.pendingWorkflowTask ?? undefined).toBeUndefined();
    expect((await queue.state()).look).toBe(false);
  }, 30_000);

/** @returns how many runs of the workflow it took */
async function lived(history: Round[], queuePolicy: 'latest' | 'every-merge'): Promise<number> {
  const queue = await worlds.open(
    { continueAfterEvents: 80, watchdogMs: ENDLESS },
    {
      policy: { queue: queuePolicy, approval: 'required' },
      tests: { kind: 'report', attempts: 2, timeoutMs: ENDLESS },
      ...{ remindAfterMs: ENDLESS, escalateAfterMs: ENDLESS },
    },
  );
  const { runId } = await queue.handle.describe();
  await eventually(async () => expect(await queue.state()).toBeDefined());
  for (const { events, commands, settles } of [...ROAD, ...history]) {
    if (settles) await settled(queue);
    const state = await queue.state();
    for (const step of events) await happens(queue, step, state);
    await Promise.all(commands.map((step) => answered(commanded(queue, step, state))));
  }
  await settled(queue);
  const [{ q, runs }, state] = [await recomputed(queue, runId), await queue.state()];
  expect(state).toEqual(JSON.parse(JSON.stringify(forMemo(q))));
  await queue.handle.terminate('seen enough');
  return runs;
}

/** As many as there is time for, and one at least. */
const FOR_MS = 20_000;

describe('random histories', () => {
  it(
    'the workflow keeps the state that the rules make of what came to it',
    { timeout: 300_000 },
    async () => {
      const seed = Number(process.env['SLUICE_SEED'] || 0) || Date.now() % 1_000_000;
      const histories = fc.sample(fc.tuple(rounds, fc.constantFrom('latest', 'every-merge')), {
        seed,
        numRuns: 20,
      });
      const end = Date.now() + FOR_MS;
      let runs = 0;
      for (const [at, [history, policy]] of histories.entries()) {
        if (Date.now() > end) break;
        try {
          runs += (await lived(history, policy)) - 1;
        } catch (error) {
          throw new Error(`history ${at} of SLUICE_SEED=${seed}: ${String(error)}`, { cause: error });
        }
      }
      expect(runs, 'continued as new').toBeGreaterThan(0);
      // How far chance takes them differs; that they go somewhere must not.
      expect([...stages]).toEqual(expect.arrayContaining(['staging', 'testing']));
    },
  );
});
