/** Pieces of made-up data in the shapes of the API: short to write, typed by `domain/`. */
import { createHash } from 'node:crypto';
import { CODES, type Code } from '../../../domain/codes.js';
import { STEPS, type StepName, type WaitingFor } from '../../../domain/deployment.js';
import type {
  Merge,
  Promotion,
  PromotionQueueView,
  Stage,
  Tests,
} from '../../../domain/promotion/promotion.js';
import type { Place, ShownDeployment, ShownRelease } from '../../../dashboard/model/types.js';

export const REPOSITORY = 'https://github.example/acme/shop';
const NOW = Date.now();
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** ISO 8601, so long ago. */
export const ago = (ms: number): string => new Date(NOW - ms).toISOString();

/** 40 hex that begin with these. */
export const commit = (start: string): string => start.padEnd(40, '0123456789abcdef');

export const waits = (code: Code, since: string, detail: string = CODES[code].text): WaitingFor => ({
  code,
  since,
  detail,
  who: CODES[code].who,
  actions: [...CODES[code].actions],
});

/** In the order of their numbers on the branch. */
export const merge = (sha: string, title: string, author: string, pullRequest: number): Merge => ({
  ...{ sha: commit(sha), title, author, pullRequest, mergedBy: author },
  position: pullRequest,
});

/** What production runs, by app. */
const LIVE: Record<string, string> = {
  ...{ frontend: '9f8e7d6', api: 'b0a7e55', thumbnails: '5ca1ab1', catalogue: '70a57ed' },
  ...{ image_proxy: 'de1e7ed', analytics: 'facade5', link_checker: 'c0de5a1', mailer: '0ff1ce5' },
  docs: 'ba5eba1',
};
export const live = (app: string): string => commit(LIVE[app] ?? '0');

const REGISTRY = '1.dkr.ecr.us-east-1.amazonaws.com';
const CONTAINERS: Record<string, Record<string, string>> = {
  api: { django: 'shop-api', nginx: 'shop-api_nginx' },
};

/** One release has one digest, whatever its tag. */
export function imagesOf(
  app: string,
  before: Of,
  after: Of,
): { container: string; before: string; after: string }[] {
  const image = (repository: string, { release, tag = release }: Of): string => {
    const digest = createHash('sha256').update(`${repository} ${release}`).digest('hex');
    return `${REGISTRY}/${repository}:${tag}@sha256:${digest}`;
  };
  return Object.entries(CONTAINERS[app] ?? { web: `shop-${app}` }).map(([container, repository]) => ({
    container,
    before: image(repository, before),
    after: image(repository, after),
  }));
}
interface Of {
  release: string;
  tag?: string;
}

export function promotion(
  app: string,
  merges: Merge[],
  stage: Stage,
  more: Partial<Promotion> = {},
): Promotion {
  const release = merges.at(-1)?.sha ?? commit('0');
  return { id: `${app}.${release}`, app, release, merges, stage, queuedAt: ago(50 * MINUTE), ...more };
}

export function queue(app: string, more: Partial<PromotionQueueView> = {}): PromotionQueueView {
  const { waiting = [] } = more;
  return {
    app,
    policy: { queue: 'latest', approval: 'required' },
    state: 'idle',
    waiting,
    waitingCount: waiting.length,
    recent: [],
    ...more,
  };
}

export const passed = (attempt = 1, url = `${REPOSITORY}/actions/runs/81`): Tests => ({
  state: 'passed',
  url,
  attempt,
  attempts: Array.from({ length: attempt }, (_, at) => ({
    attempt: at + 1,
    state: at + 1 === attempt ? 'passed' : 'failed',
    url: `${url}${at}`,
    ...(at + 1 === attempt ? {} : { detail: '2 of 148 failed: search filters by licence' }),
    startedAt: ago(38 * MINUTE - at * 9 * MINUTE),
    finishedAt: ago(31 * MINUTE - at * 9 * MINUTE),
  })),
});

export const place = (app: string, environment: string, more: Partial<Place> = {}): Place => ({
  app,
  environment,
  desired: 2,
  running: 2,
  pending: 0,
  revision: `arn:aws:ecs:us-east-1:1:task-definition/${environment}-${app}:41`,
  lane: { waiting: [], waitingCount: 0 },
  warnings: [],
  links: {
    app: `https://${app}.${environment}.example`,
    logs: 'https://logs.example',
    runbook: 'https://runbook.example',
    ecs: 'https://console.example/ecs',
    temporal: 'https://temporal.example',
  },
  ...more,
});

/** Runs a release that Sluice deployed. */
export const runs = (release: string, for_: number, by: string): Partial<Place> => ({
  ...{ release, tag: release, since: ago(for_), by },
});

/** Seconds that each step takes. */
const PACE: Record<StepName, number> = {
  ...{ authorise: 1, build: 0, validate: 2, look: 1, register: 2, update: 1, stabilise: 190, verify: 6 },
};

interface DeploymentOptions extends Partial<ShownDeployment> {
  /** Milliseconds since its turn. */
  age: number;
  /** Where it is, or ended; absent: it went through. */
  at?: StepName;
  fails?: boolean;
}

export function deployment(
  app: string,
  environment: string,
  unique: string,
  of: DeploymentOptions,
): ShownDeployment {
  const { age, at, fails = false, ...more } = of;
  const startedAt = ago(age);
  let clock = NOW - age;
  const reached = at ? STEPS.indexOf(at) : STEPS.length;
  const steps = STEPS.map((name, index): ShownDeployment['steps'][number] => {
    if (name === 'build') return { name, state: 'skipped' };
    if (index > reached) return { name, state: fails ? 'skipped' : 'pending' };
    const begun = new Date(clock).toISOString();
    clock += PACE[name] * 1_000;
    if (index === reached && !fails) return { name, state: 'running', startedAt: begun };
    return {
      name,
      state: index === reached ? 'failed' : 'done',
      startedAt: begun,
      finishedAt: new Date(clock).toISOString(),
    };
  });
  const isOver = at === undefined || fails;
  return {
    id: `${environment}.${app}.${unique}`,
    app,
    environment,
    kind: 'deploy',
    actor: 'alice',
    state: isOver ? 'finished' : 'running',
    ...(isOver ? { outcome: fails ? ('failed' as const) : ('succeeded' as const), verified: !fails } : {}),
    ...(at ? { step: at } : {}),
    steps,
    warnings: [],
    queuedAt: ago(age + 8_000),
    startedAt,
    ...(isOver ? { finishedAt: new Date(clock).toISOString() } : {}),
    links: {
      ...place(app, environment).links,
      ...(more.tag ? { github: `${REPOSITORY}/commit/${more.tag}` } : {}),
    },
    ...more,
  };
}

export function release(app: string, date: string, more: Partial<ShownRelease> = {}): ShownRelease {
  const gitTag = `${app}-${date}`;
  return {
    id: gitTag,
    app,
    date,
    gitTag,
    imageTag: `rel-${date}`,
    tag: live(app),
    release: live(app),
    actor: 'alice',
    state: 'finished',
    outcome: 'succeeded',
    steps: (['validate', 'tag', 'deploy', 'publish', 'changelog'] as const).map((name, at) => ({
      name,
      state: 'done' as const,
      startedAt: ago(3 * DAY - at * 10_000),
      finishedAt: ago(3 * DAY - at * 10_000 - 9_000),
    })),
    warnings: [],
    requestedAt: ago(3 * DAY),
    startedAt: ago(3 * DAY),
    finishedAt: ago(3 * DAY - 4 * MINUTE),
    links: {
      release: `${REPOSITORY}/releases/tag/${gitTag}`,
      temporal: 'https://temporal.example',
    },
    ...more,
  };
}
