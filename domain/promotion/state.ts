/**
 * What a promotion queue keeps: plain JSON, handed over at continue-as-new. `v` is raised when its meaning
 * changes. The rules are in `events.ts` (what happens), `decide.ts` (what a fresh read
 * decides) and `commands.ts` (what people ask for); their rows are `table.ts`.
 */
import type { Code } from '../codes.js';
import { CODES } from '../codes.js';
import type { WaitingFor } from '../deployment.js';
import type { Lock, PromotionNews } from '../messages.js';
import type { EnvironmentRead, Evidence, QueueSettings } from './read.js';
import type {
  Merge,
  Promotion,
  PromotionPolicy,
  PromotionQueueView,
  QueueState,
  Stage,
  TestState,
} from './promotion.js';

/** A wait that another one covers, and how far people were told of it. */
export interface Aside {
  code: Code;
  since: string;
  told?: 1 | 2;
}

/** What is known of the current promotion and is nobody's to see. */
export interface Work {
  /** Repository → digest that staging was given; from the evidence on, what it was found to run. */
  staged?: Record<string, string>;
  /** What the tests see, or saw (rule 6). */
  evidence?: Evidence;
  /** Production as it was when the evidence was taken. */
  production?: EnvironmentRead;
  /** Staging has moved: no evidence counts any more until it was deployed and tested again. */
  void?: true;
  /** How the last attempt of the tests ended; a fresh read has yet to say what follows. */
  verdict?: Exclude<TestState, 'running'>;
  /** Attempts since testing last began. */
  tried: number;
  /** It is rejected as soon as its staging deployment has ended. */
  rejecting?: { by: string; reason: string };
  /** Why its last production deployment was turned away, where no read can tell that it would be again. */
  refused?: { code: Code; message: string };
  /** People were told that it is unlocked. */
  unlocked?: true;
  /** Of the promotion's `waitingFor`. */
  aside?: Aside;
}

/** Why the environments may differ, and how they stood then; without `staging` the next read fills it in. */
export interface Known {
  why: 'ended' | 'rolled-back';
  staging?: EnvironmentRead;
  production?: EnvironmentRead;
}

export interface Override {
  by: string;
  reason: string;
  at: string;
  staging: EnvironmentRead;
  production: EnvironmentRead;
}

export interface Restore {
  /** Deployment id. */
  id: string;
  by: string;
  reason: string;
  at: string;
}

export interface SeenKey {
  key: string;
  fingerprint: string;
  /** What locking and unlocking answered with; the other commands answer with the queue as it is. */
  lock?: Lock;
}

export interface PromotionState {
  v: 1;
  app: string;
  settings?: QueueSettings;
  lock?: Lock;
  /** Head of the branch up to which merges were looked for. */
  head?: string;
  /** A `failed` or `rejected` one stays until another starts. */
  current?: Promotion;
  /** Of `current`. */
  work: Work;
  /** In the order of the branch. */
  waiting: Promotion[];
  /** Newest first. */
  recent: Promotion[];
  restore?: Restore;
  known?: Known;
  override?: Override;
  /** Why nothing starts. */
  waitingFor?: WaitingFor;
  /** Of `waitingFor`. */
  aside?: Aside;
  /** The newest release that has started: merges that it contains never start. */
  started?: { release: string; position: number; id: string };
  /** Merges that came, whatever became of them, in the order of the branch. */
  seen: Pick<Merge, 'sha' | 'position'>[];
  /** Up to this position everything counts as seen. */
  seenTo: number;
  /** Counts what is made: deployments, and promotions of the same release. */
  sequence: number;
  /** A read that began before this number was reached decides nothing. */
  epoch: number;
  /** A fresh read is wanted. */
  look: boolean;
  /** ISO 8601: something could not be read, and is read again then. `times`: how often in a row. */
  again?: { at: string; times: number };
  /** How far people were told of the present wait: 1 who merged, 2 the maintainers. */
  told?: { code: string; since: string; level: 1 | 2 };
  /** Oldest first. */
  keys: SeenKey[];
}

export const emptyQueue = (app: string): PromotionState => ({
  v: 1,
  app,
  work: { tried: 0 },
  waiting: [],
  recent: [],
  seen: [],
  seenTo: 0,
  sequence: 0,
  epoch: 0,
  look: false,
  keys: [],
});

/** What the queue wants done; the workflow does it, in order. */
export type Effect =
  | { do: 'deploy'; deployment: QueueDeployment }
  | { do: 'stop'; id: string; by: string; reason: string }
  | { do: 'test'; promotion: string; attempt: number }
  | { do: 'stopTests'; promotion: string; attempt: number }
  /** A production deployment that gave its turn back looks again. */
  | { do: 'wake'; id: string }
  | { do: 'tell'; news: PromotionNews };

/** One that the queue asks a lane for. */
export interface QueueDeployment {
  id: string;
  environment: 'staging' | 'production';
  kind: 'deploy' | 'promotion' | 'redeploy';
  tag: string;
  commit?: string;
  digests?: Record<string, string>;
  actor: string;
  /** Membership is asked before the first write; a merge authorises its own staging deployment (rule 11). */
  checkActor: boolean;
  override?: boolean;
  reason?: string;
  /** Promotion id; the app where it belongs to the queue itself. */
  parent: string;
}

/** One change of the queue under way; the state in it is its own to change. */
export interface Draft {
  q: PromotionState;
  effects: Effect[];
  /** ISO 8601. */
  now: string;
}

export interface Stepped {
  state: PromotionState;
  effects: Effect[];
}

/** Runs `work` on a copy of the state. */
export function change(state: PromotionState, now: string, work: (draft: Draft) => void): Stepped {
  const draft: Draft = { q: JSON.parse(JSON.stringify(state)) as PromotionState, effects: [], now };
  work(draft);
  return { state: draft.q, effects: draft.effects };
}

const ACTIVE: readonly Stage[] = ['staging', 'testing', 'awaiting-approval', 'production'];

/** *Current* as the rules mean it. */
export const isActive = (promotion: Promotion | undefined): promotion is Promotion =>
  promotion !== undefined && ACTIVE.includes(promotion.stage);

export const policyOf = (q: PromotionState): PromotionPolicy =>
  q.settings?.policy ?? { queue: 'latest', approval: 'required' };

/** Rule 9, from the table of codes. */
export const waits = (code: Code, since: string, detail: string): WaitingFor => ({
  code,
  since,
  detail,
  who: CODES[code].who,
  actions: [...CODES[code].actions],
});

/** Since when, where the same was waited for before. */
export const sinceOf = (before: WaitingFor | undefined, code: Code, now: string): string =>
  before?.code === code ? before.since : now;

/** What the whole queue waits for somebody to do; tests that run are no such wait. */
export function waitingOf(q: PromotionState): WaitingFor | undefined {
  const { current } = q;
  if (isActive(current)) {
    const { waitingFor } = current;
    return waitingFor?.code === 'TESTS_RUNNING' ? undefined : waitingFor;
  }
  return q.waitingFor;
}

function stateOf(q: PromotionState): QueueState {
  if (q.lock) return 'locked';
  if (waitingOf(q)) return 'waiting';
  return isActive(q.current) || q.restore ? 'busy' : 'idle';
}

const KEYS_KEPT = 300;

/** An accepted command's key: the same one again is answered as before. */
export const remembered = (
  q: PromotionState,
  key: string,
  fingerprint: string,
  lock?: Lock,
): PromotionState => ({
  ...q,
  keys: [...q.keys, { key, fingerprint, ...(lock ? { lock } : {}) }].slice(-KEYS_KEPT),
});

/** Id of the deployment that is under way: what the current promotion, or else a restore, waits for. */
export function ownOf({ current, restore }: PromotionState): string | undefined {
  if (current?.stage === 'staging') return current.staging;
  return current?.stage === 'production' ? current.production : restore?.id;
}

/** What a read has to tell about: `containers` are asked what they contain. */
export function asks(q: PromotionState): { releases: string[]; containers: string[]; own?: string } {
  const containers = [
    ...new Set([...(q.current ? [q.current.release] : []), ...(q.started ? [q.started.release] : [])]),
  ];
  const releases = [...new Set([...containers, ...q.waiting.map(({ release }) => release)])];
  const own = ownOf(q);
  return { releases, containers, ...(own ? { own } : {}) };
}

/** A push whose webhook is late, or a forced one, is rarely further back. */
const SEEN_IN_MEMO = 20;

/** For the memo: what a queue that starts without handed-over state needs, beside its view. */
export const forMemo = (q: PromotionState): PromotionState => ({
  ...q,
  recent: [],
  keys: [],
  seen: q.seen.slice(-SEEN_IN_MEMO),
  seenTo: Math.max(q.seenTo, q.seen.at(-SEEN_IN_MEMO - 1)?.position ?? 0),
});

const WAITING_SHOWN = 50;
const RECENT_SHOWN = 20;

export function viewOf(q: PromotionState): PromotionQueueView {
  const waitingFor = waitingOf(q);
  return {
    app: q.app,
    policy: policyOf(q),
    state: stateOf(q),
    ...(q.lock ? { lock: q.lock } : {}),
    ...(waitingFor ? { waitingFor } : {}),
    ...(q.current ? { current: q.current } : {}),
    waiting: q.waiting.slice(0, WAITING_SHOWN),
    waitingCount: q.waiting.length,
    recent: q.recent.slice(0, RECENT_SHOWN),
  };
}
