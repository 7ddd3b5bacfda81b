/**
 * A small world around real promotion queues, tests, deployments and lanes: what AWS, the repository and GitHub tell
 * comes from here. Each app has its own.
 */
import { heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { readOwn } from '../../activities/promotion/own.js';
import { createQueueMessages } from '../../activities/promotion/queue.js';
import type { ObserveInput, StagingForTests } from '../../activities/promotion/index.js';
import { createLaneReader } from '../../activities/temporal/requests.js';
import type { Config, TestsConfig } from '../../domain/config/config.js';
import type * as effects from '../../domain/effects.js';
import { promotionWorkflowId } from '../../domain/ids.js';
import type { PromotionNews, Ticket } from '../../domain/messages.js';
import { MEMO, QUEUE, SIGNAL, UPDATE, WORKFLOW } from '../../domain/messages.js';
import { atTurn } from '../../domain/promotion/conditions.js';
import type { TurnAnswer } from '../../domain/promotion/conditions.js';
import { isOfQueue } from '../../domain/promotion/draft.js';
import type {
  DispatchTestsInput,
  FollowTestsInput,
  Relations,
  TestCommandInput,
  TestRun,
  TestRunRef,
  TestsEnded,
} from '../../domain/promotion/effects.js';
import type { EnvironmentRead, Observation, QueueSettings } from '../../domain/promotion/read.js';
import type { PromotionState } from '../../domain/promotion/state.js';
import type { Merge, Promotion, PromotionQueueView, Stage } from '../../domain/promotion/promotion.js';
import { endedOf } from '../../domain/promotion/test-runs.js';
import type { PromotionQueueInput } from '../../workflows/promotion-queue.js';
import type { Calls } from './scripted.js';
import { eventually, script, scriptedWorkers } from './scripted.js';
import type { TestTemporal } from './temporal.js';

const MINUTE = 60_000;
export const LIVE = '0'.repeat(40);
/** On the branch, from the oldest on. */
export const MERGES = ['a', 'b', 'c', 'd', 'e'].map((one) => one.repeat(40)) as [
  ...[string, string, string, string, string],
];

const digestsOf = (release: string): Record<string, string> => ({ image: `sha256:${release}` });
const runsNow = (release: string, primary: string): EnvironmentRead => ({
  ...{ release, primary, digests: digestsOf(release), tag: release },
});

const TESTS: TestsConfig = {
  ...{ kind: 'github', workflow: 'e2e.yml', inputs: { marker: '{marker}' } },
  ...{ attempts: 2, timeoutMs: 30 * MINUTE },
};

export interface World {
  app: string;
  settings: QueueSettings;
  /** As `sluice.yaml` has them, for the tests' workflow. */
  tests: TestsConfig;
  branch: string[];
  staging: EnvironmentRead;
  production: EnvironmentRead;
  /** The repository does not answer. */
  isSourceAway: boolean;
  /** Conclusions of the runs to come; then `success`. Null: it runs until it is given one. */
  conclusions: (string | null)[];
  runs: TestRun[];
  dispatched: DispatchTestsInput[];
  told: PromotionNews[];
  /** Activities that wait: with `environment/` before the name only those of this environment. */
  held: Set<string>;
  /** Deployments to these environments are rolled back by ECS. */
  broken: Set<string>;
  deployments: number;
}

export const worldOf = (app: string, settings: Partial<QueueSettings> = {}): World => ({
  app,
  settings: {
    policy: { queue: 'latest', approval: 'required' },
    tests: { kind: 'github', attempts: 2, timeoutMs: 30 * MINUTE },
    ...{ remindAfterMs: 60 * MINUTE, escalateAfterMs: 240 * MINUTE },
    limits: { tellAfterMs: 15 * MINUTE, giveUpAfterMs: 60 * MINUTE, verifyMs: MINUTE },
    ...settings,
  },
  tests: TESTS,
  branch: [LIVE, ...MERGES],
  staging: runsNow(LIVE, 'staging-0'),
  production: runsNow(LIVE, 'production-0'),
  isSourceAway: false,
  ...{ conclusions: [], runs: [], dispatched: [], told: [], deployments: 0 },
  ...{ held: new Set<string>(), broken: new Set<string>() },
});

export function moveTo(world: World, environment: string, release: string): void {
  world.deployments += 1;
  const read = runsNow(release, `${environment}-${world.deployments}`);
  if (environment === 'staging') world.staging = read;
  else world.production = read;
}

/** What the repository tells of `releases`, when asked about these containers. */
function relationsOf({ branch }: World, { releases, containers }: ObserveInput, live: string[]): Relations {
  const known = [...new Set([...releases, ...live])];
  const on = (one: string): number => branch.indexOf(one);
  const told = [...new Set([...containers, ...live])].map((one) => [
    one,
    on(one) < 0 ? [one] : known.filter((other) => on(other) >= 0 && on(other) <= on(one)),
  ]);
  return {
    head: branch.at(-1) ?? '',
    positions: Object.fromEntries(known.filter((one) => on(one) >= 0).map((one) => [one, on(one) + 1])),
    contains: Object.fromEntries(told) as Relations['contains'],
  };
}

export function observationOf(world: World, input: ObserveInput): Observation {
  const { settings, staging, production, isSourceAway } = world;
  const live = [staging.release, production.release].filter((one) => one !== undefined);
  return {
    ...{ epoch: input.epoch, settings, staging, production, bad: [] },
    lanes: { staging: [], production: [] },
    ...(isSourceAway ? {} : { relations: relationsOf(world, input, live) }),
  };
}

/** Everything that the workflows ask, beside what `script` answers for every deployment. */
export function promotionActs(temporal: Pick<TestTemporal, 'client'>, worlds: Map<string, World>) {
  const { client } = temporal;
  const readLane = createLaneReader(client);
  const config = { apps: new Proxy({}, { get: () => ({ promotion: {} }) }) } as Config;
  const of = (app: string): World => {
    const world = worlds.get(app);
    if (!world) throw ApplicationFailure.nonRetryable(`no world of ${app}`, 'NOT_FOUND');
    return world;
  };
  const registered = new Map<string, string>();

  /** Waits while a test holds it. */
  async function gate(name: string, { app, environment }: { app: string; environment?: string }) {
    const { held } = of(app);
    while (held.has(name) || held.has(`${environment}/${name}`)) {
      heartbeat();
      await sleep(30);
    }
  }

  async function observe(input: ObserveInput): Promise<Observation> {
    const { app } = input;
    const [staging, production] = [
      await readLane({ app, environment: 'staging' }),
      await readLane({ app, environment: 'production' }),
    ];
    const outside = (view: typeof staging): Ticket[] =>
      view
        ? [...(view.running ? [view.running] : []), ...view.waiting].filter(({ id }) => !isOfQueue(id))
        : [];
    return {
      ...observationOf(of(app), input),
      own: await readOwn(client, input.own, [staging, production]),
      lanes: { staging: outside(staging), production: outside(production) },
      bad: production?.bad ?? [],
    };
  }

  const base = script();
  return {
    ...base,
    ...createQueueMessages({ client, config }),

    async observePromotion(input: ObserveInput): Promise<Observation> {
      await gate('observePromotion', input);
      return observe(input);
    },

    async promotionTurn({ app, deployment }: { app: string; deployment: string }): Promise<TurnAnswer> {
      await gate('promotionTurn', { app });
      const { memo } = await client.workflow.getHandle(promotionWorkflowId(app)).describe();
      const state = memo?.[MEMO.promotionState] as PromotionState;
      const { epoch, current, waiting } = state;
      const releases = [current, ...waiting].flatMap((one) => (one ? [one.release] : []));
      return atTurn(state, deployment, await observe({ app, epoch, releases, containers: releases }));
    },

    async readForTests({ app }: { app: string }): Promise<StagingForTests> {
      await gate('readForTests', { app });
      return { tests: of(app).tests, staging: of(app).staging, others: { other: LIVE } };
    },

    async dispatchTests(input: DispatchTestsInput): Promise<TestRunRef> {
      const world = of(input.app);
      await gate('dispatchTests', input);
      world.dispatched.push(input);
      const id = world.runs.length + 1;
      const [conclusion = 'success'] = world.conclusions.splice(0, 1);
      const url = `https://github.test/${input.app}/runs/${id}`;
      world.runs.push({ id, url, attempt: 1, status: conclusion ? 'completed' : 'in_progress', conclusion });
      return { id, url };
    },

    async followTests({ app, run }: FollowTestsInput): Promise<TestsEnded> {
      for (;;) {
        await gate('followTests', { app });
        const found = of(app).runs.find(({ id }) => id === run.id);
        const ended = found && endedOf(found);
        if (ended) return ended;
        heartbeat();
        await sleep(30);
      }
    },

    async readTestRun({ run }: { run: TestRunRef }): Promise<TestRun> {
      const [, app = ''] = new URL(run.url).pathname.split('/');
      const found = of(app).runs.find(({ id }) => id === run.id);
      if (!found) throw ApplicationFailure.nonRetryable('no such run', 'GITHUB_FAILED');
      return found;
    },

    async runTestCommand(_input: TestCommandInput): Promise<TestsEnded> {
      return { state: 'passed', detail: '3 passed' };
    },

    async tellPromotionPeople(news: PromotionNews): Promise<void> {
      of(news.promotion.app).told.push(news);
    },

    async buildImages(_input: { app: string; commit: string }) {
      return { images: [{ repository: 'image', digest: 'sha256:built' }], kept: [], lastLines: [] };
    },

    async validate({ app, environment, tag, digests }: effects.ValidateInput): Promise<effects.Validated> {
      await gate('validate', { app, environment });
      const digest = digests?.['image'] ?? `sha256:${tag}`;
      const release = digest.replace('sha256:', '');
      const images = [{ containers: ['web'], repository: 'image', tag, digest, listed: [] }];
      return { images, release, warnings: [] };
    },

    async register(input: effects.RegisterInput): Promise<effects.Registered> {
      registered.set(input.id, input.release);
      return { ...(await base.register(input)), revision: `revision/${input.id}` };
    },

    async update(input: effects.UpdateInput): Promise<effects.Updated> {
      const world = of(input.app);
      const broken = world.broken.has(input.environment);
      const before = world[input.environment as 'staging' | 'production'].release ?? '';
      moveTo(world, input.environment, broken ? before : (registered.get(input.id) ?? ''));
      return base.update(input);
    },

    async stabilise(input: effects.StabiliseInput): Promise<effects.Stabilised> {
      await gate('stabilise', input);
      const stable = await base.stabilise(input);
      if (!of(input.app).broken.has(input.environment)) return stable;
      return { ...stable, verdict: 'rolled-back', message: 'the circuit breaker rolled it back' };
    },
  };
}

export type PromotionActs = ReturnType<typeof promotionActs>;

/** Workers for all queues, and a queue for each test. */
export async function promotionWorlds(temporal: TestTemporal) {
  const worlds = new Map<string, World>();
  const acts = promotionActs(temporal, worlds);
  const calls: Calls = [];
  const workers = await scriptedWorkers(temporal, acts, calls);
  let count = 0;
  return {
    acts,
    calls,
    stop: () => workers.stop(),
    /** Starts a queue of its own. */
    async open(
      tuning: PromotionQueueInput['tuning'] = {},
      settings: Partial<QueueSettings> = {},
    ): Promise<QueueAt> {
      const queue = this.prepared(settings);
      await queue.start(tuning);
      return queue;
    },
    /** It does not run yet. */
    prepared(settings: Partial<QueueSettings> = {}): QueueAt {
      count += 1;
      const world = worldOf(`app${count}`, settings);
      worlds.set(world.app, world);
      return new QueueAt(temporal, world, calls);
    },
  };
}

/** One queue as people and other workflows meet it. */
export class QueueAt {
  private keys = 0;

  constructor(
    private readonly temporal: Pick<TestTemporal, 'client'>,
    readonly world: World,
    private readonly calls: Calls,
  ) {}

  get handle() {
    return this.temporal.client.workflow.getHandle(promotionWorkflowId(this.world.app));
  }

  async start(tuning: PromotionQueueInput['tuning'] = {}): Promise<void> {
    const { app } = this.world;
    await this.temporal.client.workflow.start(WORKFLOW.promotionQueue, {
      workflowId: promotionWorkflowId(app),
      taskQueue: QUEUE.main,
      args: [{ app, tuning }],
    });
  }

  /** How often an activity was called for this app, by its name. */
  count(name: string): number {
    const names = new RegExp(`["/]${this.world.app}["/]`);
    return this.calls.filter((call) => call.name === name && names.test(JSON.stringify(call.input))).length;
  }

  /** Merges of the world's branch come, in this order. */
  async merges(...releases: string[]): Promise<void> {
    const { branch } = this.world;
    const merges = releases.map((sha): Merge => ({
      ...{ sha, title: `Change ${sha[0]}`, author: 'ann', mergedBy: 'alice' },
      position: branch.indexOf(sha) + 1,
    }));
    await this.handle.signal(SIGNAL.merges, { head: branch.at(-1), merges });
  }

  async state(): Promise<PromotionState> {
    return (await this.handle.describe()).memo?.[MEMO.promotionState] as PromotionState;
  }

  async view(): Promise<PromotionQueueView> {
    return (await this.handle.describe()).memo?.[MEMO.promotions] as PromotionQueueView;
  }

  async find(release: string): Promise<Promotion | undefined> {
    const { current, waiting, recent } = await this.view();
    return [current, ...waiting, ...recent].find((one) => one?.release === release);
  }

  /** Waits until the latest promotion of this release is in this stage; with `code`, waiting with it. */
  async reaches(release: string, stage: Stage, code?: string): Promise<Promotion> {
    let view: PromotionQueueView | undefined;
    try {
      return await eventually(async () => {
        view = await this.view();
        const found = [view.current, ...view.waiting, ...view.recent].find((one) => one?.release === release);
        if (found?.stage === stage && (!code || found.waitingFor?.code === code)) return found;
        throw new Error(`${release.slice(0, 7)} is not in ${stage} ${code ?? ''}`);
      }, 40_000);
    } catch (error) {
      throw new Error(`${String(error)}: ${JSON.stringify(view, null, 1)}`, { cause: error });
    }
  }

  unlocked = (release: string): Promise<Promotion> => this.reaches(release, 'awaiting-approval', 'APPROVAL');

  async ask<T = PromotionQueueView>(
    update: keyof typeof UPDATE,
    body: object,
    { key, updateId }: { key?: string; updateId?: string } = {},
  ): Promise<T> {
    this.keys += 1;
    const command = { by: 'bob', key: key ?? `key${this.keys}`, ...body };
    return await this.handle.executeUpdate<T, [object]>(UPDATE[update], {
      args: [command],
      ...(updateId ? { updateId } : {}),
    });
  }

  /** The whole road of a merge that goes well. */
  async promote(release: string): Promise<Promotion> {
    await this.merges(release);
    await this.unlocked(release);
    await this.ask('approve', { release });
    return this.reaches(release, 'promoted');
  }

  /** The run at GitHub ends. */
  concludes(id: number, conclusion: string): void {
    const run = this.world.runs.find((one) => one.id === id);
    if (run) Object.assign(run, { status: 'completed', conclusion });
  }
}
