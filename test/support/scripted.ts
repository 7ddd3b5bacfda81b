/**
 * Activities that answer from a script, to reach every branch of a workflow on a real server. The messages
 * between workflows are the real ones.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { Worker } from '@temporalio/worker';
import { createLaneRecovery } from '../../activities/temporal/lane-recovery.js';
import { createMessenger } from '../../activities/temporal/messenger.js';
import { createRequests } from '../../activities/temporal/requests.js';
import type { PlanRollbackInput } from '../../activities/rollback/index.js';
import type { Target } from '../../domain/deployment.js';
import type * as effects from '../../domain/effects.js';
import type { BuiltImage, Lock, Notice } from '../../domain/messages.js';
import { QUEUE } from '../../domain/messages.js';
import type { LockCommand } from '../../domain/promotion/promotion.js';
import type { RollbackDecision } from '../../domain/rollback.js';
import type { TestTemporal } from './temporal.js';

const OLD = 'arn:aws:ecs:us-east-1:0:task-definition/staging-api:1';
const NEW = 'arn:aws:ecs:us-east-1:0:task-definition/staging-api:2';
const DIGEST = `sha256:${'d'.repeat(64)}`;

export const rollout = {
  desired: 2,
  running: 2,
  pending: 0,
  failed: 0,
  previousRunning: 0,
  events: [],
  updatedAt: '2026-01-01T00:00:00.000Z',
};

/** What each activity does; the defaults are a deployment that succeeds. */
export function script() {
  return {
    validate: async (_input: effects.ValidateInput): Promise<effects.Validated> => ({
      images: [{ containers: ['django'], repository: 'openverse-api', tag: 'a', digest: DIGEST, listed: [] }],
      release: 'a'.repeat(40),
      warnings: [],
    }),
    validateCurrent: async (_input: Target): Promise<effects.Validated> => ({
      ...{ tag: 'b'.repeat(40), release: 'b'.repeat(40), warnings: [] },
      images: [
        {
          containers: ['django'],
          repository: 'openverse-api',
          tag: 'b'.repeat(40),
          digest: DIGEST,
          listed: [],
        },
      ],
    }),
    authorise: async (_input: { actor: string }): Promise<void> => undefined,
    planRollback: async (_input: PlanRollbackInput): Promise<RollbackDecision> => ({
      plan: {
        ...{ tag: 'rel-1', digests: { 'openverse-api': DIGEST }, release: 'a'.repeat(40) },
        live: { release: 'f'.repeat(40), tag: 'rel-2' },
        warnings: [{ code: 'VARIABLES_MISSING', message: 'lacks OLD' }],
      },
    }),
    lockPromotions: async (_input: { app: string; command: LockCommand }): Promise<Lock | undefined> =>
      undefined,
    look: async (_input: { id: string }): Promise<effects.Look> => ({
      service: 'staging-api',
      cluster: 'staging-default',
      primary: 'ecs-svc/1',
      revision: OLD,
      wayBack: OLD,
      wayBackDigests: {},
      desired: 2,
      warnings: [],
    }),
    register: async (_input: effects.RegisterInput): Promise<effects.Registered> => ({
      revision: NEW,
      images: [{ container: 'django', after: `r/openverse-api:a@${DIGEST}` }],
      variables: { added: [], removed: [], changed: [] },
      secrets: { added: [], removed: [], changed: [] },
    }),
    update: async (_input: effects.UpdateInput): Promise<effects.Updated> => ({
      state: 'sent',
      deployment: 'ecs-svc/2',
      at: new Date().toISOString(),
    }),
    stabilise: async (input: effects.StabiliseInput): Promise<effects.Stabilised> => ({
      verdict: 'stable',
      message: 'stable',
      rollout,
      now: input.revision,
    }),
    glance: async (_input: effects.StabiliseInput): Promise<effects.Glance> => ({}),
    verify: async (_input: effects.VerifyInput): Promise<effects.Verified> => ({
      verified: true,
      detail: 'reports it',
    }),
    goBack: async (_input: effects.GoBackInput): Promise<effects.WentBack> => ({
      state: 'sent',
      revision: OLD,
      deployment: 'ecs-svc/3',
      at: new Date().toISOString(),
    }),
    dossier: async (_input: effects.DossierInput): Promise<effects.CollectedDossier> => ({
      events: [{ at: '2026-01-01T00:00:00.000Z', message: 'it happened' }],
      stoppedTasks: [],
      now: OLD,
    }),
    buildImages: async (_input: {
      app: string;
      commit: string;
    }): Promise<{
      images: BuiltImage[];
      kept: string[];
      lastLines: string[];
    }> => ({ images: [{ repository: 'openverse-api', digest: DIGEST }], kept: [], lastLines: [] }),
    deliver: async (_notice: Notice): Promise<void> => undefined,
  };
}

export type Script = ReturnType<typeof script>;

export const failing = (type: string, message: string, details?: object) => async (): Promise<never> => {
  throw ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    ...(details ? { details: [details] } : {}),
  });
};

/** An activity hears of its cancellation with the answer to a heartbeat that is sent. */
const PROMPT = { maxHeartbeatThrottleInterval: '100ms' } as const;

/** Every call, by name, in order. */
export type Calls = { name: string; input: unknown }[];

/** Workers for all queues. The script may be changed while they run. */
export async function scriptedWorkers(
  temporal: TestTemporal,
  acts: Script,
  calls: Calls = [],
): Promise<{ calls: Calls; stop(): Promise<void> }> {
  const told = (name: keyof Script) => async (input: never) => {
    calls.push({ name, input });
    return acts[name](input);
  };
  const scripted = Object.fromEntries(
    (Object.keys(acts) as (keyof Script)[]).map((name) => [name, told(name)]),
  );
  /** The log alone shows what people are told; other channels are scripted where they are tested. */
  const quiet = { noticeGitHub: async () => undefined, noticeSlack: async () => undefined };
  const real = {
    ...quiet,
    ...createMessenger(temporal.client),
    ...createLaneRecovery(temporal.client),
    ...createRequests(temporal.client),
  };
  const workers = await Promise.all([
    temporal.createWorker({ ...PROMPT, taskQueue: QUEUE.main, activities: { ...real, ...scripted } }),
    temporal.createWorker({ ...PROMPT, taskQueue: QUEUE.watches, workflows: false, activities: scripted }),
    temporal.createWorker({ ...PROMPT, taskQueue: QUEUE.builds, workflows: false, activities: scripted }),
  ]);
  const running = workers.map((worker: Worker) => worker.run());
  return {
    calls,
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all(running);
    },
  };
}

/** Waits for something outside, bounded; an assertion that fails is asked again until then. */
export async function eventually<T>(check: () => Promise<T> | T, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
