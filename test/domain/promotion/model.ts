/**
 * A small world around the promotion queue: two environments, a branch, two lanes, people, and everybody else who
 * deploys. The queue in it is the real one, `domain/promotion/`; the explorer goes through everything that can
 * happen.
 */
import type { BadMark } from '../../../domain/messages.js';
import { approve, judgeApprove } from '../../../domain/promotion/approve.js';
import * as commands from '../../../domain/promotion/commands.js';
import { judgeResolve, resolve } from '../../../domain/promotion/resolve.js';
import { judgeRetry, needsRead, retry } from '../../../domain/promotion/retry.js';
import { atTurn } from '../../../domain/promotion/conditions.js';
import { decide } from '../../../domain/promotion/decide.js';
import { isOfQueue, lookAfresh } from '../../../domain/promotion/draft.js';
import * as events from '../../../domain/promotion/events.js';
import type { Observation, OwnDeployment } from '../../../domain/promotion/read.js';
import type { Draft, Effect, PromotionState } from '../../../domain/promotion/state.js';
import type { QueueSettings } from '../../../domain/promotion/read.js';
import { change, emptyQueue, isActive, ownOf, waits } from '../../../domain/promotion/state.js';
import type { Outcome } from '../../../domain/deployment.js';
import type { Code } from '../../../domain/codes.js';

export const NOW = '2026-01-01T00:00:00.000Z';

/** Releases are `r0` (what runs at first), `r1`, `r2`, … on the branch, and `x`, which is not on it. */
export interface Place {
  release: string;
  /** What stands for its digests: more than one image can hold a release. */
  image: string;
  /** Another one after each deployment that went well, and where somebody else's was rolled back. */
  primary: number;
  /** Another one after each deployment, however it went: ECS may take an old one up again, under its old id. */
  touched: number;
  /** The version endpoint and the digests tell nothing. */
  mute: boolean;
}

export interface World {
  q: PromotionState;
  /** How many merges there are. */
  head: number;
  staging: Place;
  production: Place;
  nextPrimary: number;
  bad: string[];
  /** The queue's deployments that have not ended. */
  own: { id: string; release: string; image: string; override: boolean; stopped: boolean }[];
  /** Deployments of Sluice outside the queue that hold a place. */
  outside: { staging?: string; production?: string; rollback?: string };
  /** Staging as the tests found it. */
  test?: { attempt: number } & Tested;
  /** What was tested while staging ran it. */
  passed?: Tested;
  /** How often each of these may still happen. */
  left: {
    foreign: number;
    /** Another image of the same release comes to staging, beside Sluice. */
    rebuild: number;
    outside: number;
    rollback: number;
    lock: number;
    mute: number;
    fail: number;
    inconclusive: number;
  };
}

type Tested = Pick<Place, 'release' | 'image' | 'primary' | 'touched'>;

const tested = ({ release, image, primary, touched }: Tested): Tested => ({
  release,
  image,
  primary,
  touched,
});

const isSame = (one: Tested | undefined, other: Tested): boolean =>
  JSON.stringify(one && tested(one)) === JSON.stringify(tested(other));

export interface Settings {
  policy: QueueSettings['policy'];
  merges: number;
  tests: boolean;
  left: World['left'];
}

export interface Action {
  name: string;
  /** By people or the system, and to be relied on; else somebody else's, or chance. */
  helps: boolean;
  next: World;
}

export const firstWorld = ({ left }: Settings): World => ({
  q: emptyQueue('api'),
  head: 0,
  staging: { release: 'r0', image: 'r0', primary: 1, touched: 1, mute: false },
  production: { release: 'r0', image: 'r0', primary: 2, touched: 2, mute: false },
  nextPrimary: 3,
  bad: [],
  own: [],
  outside: {},
  left,
});

const settingsOf = ({ policy, tests }: Settings): QueueSettings => ({
  policy,
  ...(tests ? { tests: { kind: 'github', attempts: 2, timeoutMs: 1 } } : {}),
  remindAfterMs: 1,
  escalateAfterMs: 2,
  limits: { tellAfterMs: 1, giveUpAfterMs: 1, verifyMs: 1 },
});

const numberOf = (release: string): number => (release.startsWith('r') ? Number(release.slice(1)) : -1);

export function observe(world: World, settings: Settings): Observation {
  const { q, head } = world;
  const releases = [...Array.from({ length: head + 1 }, (_, at) => `r${at}`), 'x'];
  const place = ({ release, image, primary, mute }: Place): Observation['staging'] => ({
    ...(mute ? {} : { release, digests: { image } }),
    primary: String(primary),
  });
  const mark = (release: string): BadMark => ({ release, reason: 'bad', by: 'bob', at: NOW });
  const { outside } = world;
  const kind = 'deploy' as const;
  return {
    epoch: q.epoch,
    settings: settingsOf(settings),
    staging: place(world.staging),
    production: place(world.production),
    lanes: {
      staging: outside.staging ? [{ id: 'staging.api.other', kind }] : [],
      production: (outside.production ?? outside.rollback) ? [{ id: 'production.api.other', kind }] : [],
    },
    bad: world.bad.map(mark),
    own: ownNow(world),
    relations: {
      head: `r${head}`,
      positions: Object.fromEntries(releases.filter((r) => r !== 'x').map((r) => [r, numberOf(r) + 1])),
      contains: Object.fromEntries(
        releases.map((r) => [
          r,
          r === 'x' ? ['x'] : releases.filter((o) => o !== 'x' && numberOf(o) <= numberOf(r)),
        ]),
      ),
    },
  };
}

/** One that waits for its turn, or gave it back for the queue's lock. */
function ownNow({ q, own }: World): OwnDeployment {
  const found = own.find(({ id }) => id === ownOf(q));
  if (!found) return {};
  const { id } = found;
  const isHeld = q.lock && id.startsWith('production');
  return { id, state: 'queued', ...(isHeld ? { waitingFor: waits('LOCKED', NOW, 'locked') } : {}) };
}

/** Deep enough: of the queue's state every change makes a copy of its own. */
const copy = (world: World): World => ({
  ...world,
  staging: { ...world.staging },
  production: { ...world.production },
  bad: [...world.bad],
  own: world.own.map((one) => ({ ...one })),
  outside: { ...world.outside },
  left: { ...world.left },
});

/** Thrown by the model where a property does not hold. */
export class Broken extends Error {}

function claim(holds: boolean, property: string): void {
  if (!holds) throw new Broken(property);
}

/** The queue changes, and what it wants done is done at once. */
function queue(world: World, work: (draft: Draft) => void): World {
  const before = world.q;
  const { state, effects } = change(before, NOW, work);
  const next = { ...copy(world), q: state };
  assertNothingLost(before, state, effects);
  for (const effect of effects) apply(next, effect);
  if (!state.look) assertNothingHangs(next);
  // Of those that have ended, only what failed can still be asked for.
  const askable = state.recent.filter(
    ({ stage, release }, at) =>
      stage === 'failed' &&
      state.recent.findIndex((o) => o.stage === 'failed' && o.release === release) === at,
  );
  next.q = { ...state, recent: askable };
  return next;
}

function assertNothingLost(before: PromotionState, after: PromotionState, effects: Effect[]): void {
  const told = effects.flatMap((one) =>
    one.do === 'tell' && one.news.change === 'ended' ? [one.news.promotion.id] : [],
  );
  const there = [after.current, ...after.waiting, ...after.recent].map((one) => one?.id);
  for (const one of [before.current, ...before.waiting]) {
    if (!one || one.stage === 'failed' || one.stage === 'rejected') continue;
    claim(there.includes(one.id), `no merge is lost: ${one.id}`);
    const now = [after.current, ...after.waiting, ...after.recent].find((other) => other?.id === one.id);
    const ended = now?.finishedAt !== undefined;
    claim(!ended || told.includes(one.id), `who ends is told: ${one.id}`);
    claim(
      now?.stage !== 'superseded' || now.carriedBy !== undefined,
      'a superseded one says what carries it',
    );
  }
}

function assertNothingHangs({ q, own, test }: World): void {
  const { current } = q;
  if (!isActive(current)) return;
  const isDeployed = own.some(({ id }) => id === current.staging || id === current.production);
  const isTested = test !== undefined && test.attempt === events.runningAttempt(current)?.attempt;
  claim(
    isDeployed || isTested || current.waitingFor !== undefined,
    'an active promotion has a deployment under way, tests that run, or a reason why it waits',
  );
}

function apply(world: World, effect: Effect): void {
  const { q } = world;
  if (effect.do === 'deploy') {
    const { id, environment, override = false, kind, digests } = effect.deployment;
    claim(isOfQueue(id), 'the queue knows its own deployments');
    const release = kind === 'redeploy' ? world.production.release : (q.current?.release ?? '');
    if (environment === 'staging' && q.settings?.policy.queue !== 'off') {
      claim(world.own.length === 0, 'a deployment of the queue to staging overlaps none of its other ones');
      claim(
        kind === 'redeploy' ? !isActive(q.current) : q.current?.stage === 'staging',
        'staging moves between promotions',
      );
    }
    if (environment === 'production')
      claim(q.current?.approval !== undefined, 'production is deployed on an approval');
    world.own.push({ id, release, image: digests?.['image'] ?? release, override, stopped: false });
  }
  if (effect.do === 'stop') for (const one of world.own) if (one.id === effect.id) one.stopped = true;
  if (effect.do === 'test') {
    world.test = { attempt: effect.attempt, ...tested(world.staging) };
  }
  if (effect.do === 'stopTests') delete world.test;
}

/** @param what undefined: it is rolled back to what ran before */
function deployed(
  world: World,
  environment: 'staging' | 'production',
  what: Pick<Place, 'release' | 'image'> | undefined,
): void {
  world[environment] = {
    ...world[environment],
    ...what,
    primary: world.nextPrimary,
    touched: world.nextPrimary,
  };
  world.nextPrimary += 1;
}

/** As it is built for a merge. */
const built = (release: string): Pick<Place, 'release' | 'image'> => ({ release, image: release });

export function actionsOf(world: World, settings: Settings): Action[] {
  const actions: Action[] = [];
  const add = (name: string, helps: boolean, next: () => World): void =>
    void actions.push({ name, helps, next: next() });
  const spend = (what: keyof World['left'], from: World): World => {
    const next = copy(from);
    next.left[what] -= 1;
    return next;
  };
  system(world, settings, add, spend);
  others(world, settings, add, spend);
  people(world, settings, add, spend);
  return actions;
}

type Add = (name: string, helps: boolean, next: () => World) => void;
type Spend = (what: keyof World['left'], from: World) => World;

function system(world: World, settings: Settings, add: Add, spend: Spend): void {
  const { q, left } = world;
  if (q.look) add('read', true, () => read(world, settings));
  if (world.head < settings.merges) {
    add('merge', false, () => {
      const head = world.head + 1;
      const sha = `r${head}`;
      const merge = { sha, title: sha, author: 'ann', position: head + 1 };
      return queue({ ...copy(world), head }, (draft) =>
        events.mergesCame(draft, { head: sha, merges: [merge] }),
      );
    });
  }
  for (const one of world.own) ownDeployment(world, settings, one, add, spend);
  if (world.test) {
    const { attempt, ...found } = world.test;
    // Of one that moved away and came back nothing can be seen.
    const { staging } = world;
    const same =
      isSame(found, { ...staging, touched: found.touched }) &&
      !staging.mute &&
      staging.release === q.current?.release;
    const ended = (state: 'passed' | 'failed' | 'inconclusive') => (): World => {
      const next = copy(world);
      delete next.test;
      if (state === 'passed') next.passed = found;
      const report = { promotion: q.current?.id ?? '', attempt, state, detail: state };
      return queue(next, (draft) => events.testsEnded(draft, report));
    };
    if (same) add('tests pass', true, ended('passed'));
    if (same && left.fail > 0) add('tests fail', false, () => spend('fail', ended('failed')()));
    if (!same) add('tests tell nothing', true, ended('inconclusive'));
    else if (left.inconclusive > 0)
      add('tests tell nothing', false, () => spend('inconclusive', ended('inconclusive')()));
  }
}

function read(world: World, settings: Settings): World {
  const next = queue(world, (draft) => {
    claim(decide(draft, observe(world, settings)), 'a read that began after the last event counts');
  });
  const { q } = next;
  if (q.look) return next;
  for (const one of q.waiting) claim(one.waitingFor !== undefined, 'whatever waits says why');
  const { current } = q;
  if (current?.stage === 'testing' || current?.stage === 'awaiting-approval') {
    claim(current.waitingFor !== undefined, `whatever waits says why: ${current.stage}`);
  }
  return next;
}

function ownDeployment(
  world: World,
  settings: Settings,
  { id, release, image, override, stopped }: World['own'][number],
  add: Add,
  spend: Spend,
): void {
  const { q, left } = world;
  const environment = id.startsWith('production') ? 'production' : 'staging';
  const end = (from: World, outcome: Outcome, code?: Code): World => {
    const next = copy(from);
    next.own = next.own.filter((one) => one.id !== id);
    const failure = code ? { step: 'validate' as const, code, message: code } : undefined;
    const more = {
      ...(failure ? { failure } : {}),
      ...(outcome === 'succeeded' ? { release, digests: { image } } : {}),
    };
    return queue(next, (draft) => events.deploymentEnded(draft, { id, outcome, verified: true, ...more }));
  };
  // Also one that waits: by hand, or for a rollback of staging, as `reject` does.
  if (environment === 'production') add('somebody stops it', true, () => end(world, 'stopped'));
  // Rollbacks go first; what else waits may have come before it or after it.
  if (environment === 'production' && world.outside.rollback) return;
  if (environment === 'production') {
    const turn = atTurn(q, id, observe(world, settings));
    if (turn.answer === 'wait') return;
    if (turn.answer === 'reject')
      return add(`production is turned away: ${turn.code}`, true, () => end(world, 'rejected', turn.code));
    const { passed, staging } = world;
    claim(
      !settings.tests || (isSame(passed, staging) && passed?.release === release && passed.image === image),
      'production changes by the queue only to digests that were tested while staging ran them',
    );
    claim(staging.release === release && staging.image === image, 'production gets what staging runs');
    claim(override || !world.bad.includes(release), 'a bad release never goes without override');
  } else if (world.bad.includes(release) && !override) {
    return add('staging refuses a bad release', true, () => end(world, 'rejected', 'RELEASE_BAD'));
  }
  const succeed = (): World => {
    const next = copy(world);
    deployed(next, environment, { release, image });
    return end(next, 'succeeded');
  };
  if (stopped) add(`${environment} is stopped`, true, () => end(world, 'stopped'));
  add(`${environment} succeeds`, true, succeed);
  if (left.fail > 0) {
    add(`${environment} rolls back`, false, () => {
      const next = spend('fail', world);
      deployed(next, environment, undefined);
      return end(next, 'rolled-back');
    });
  }
}

function others(world: World, settings: Settings, add: Add, spend: Spend): void {
  const { left, outside } = world;
  const releases = [...Array.from({ length: world.head + 1 }, (_, at) => `r${at}`), 'x'];
  for (const environment of ['staging', 'production'] as const) {
    const busy = world.own.some(({ id }) => id.startsWith(environment));
    if (left.foreign > 0 && !busy) {
      for (const release of releases) {
        add(`somebody deploys ${release} to ${environment}`, false, () => {
          const next = spend('foreign', world);
          deployed(next, environment, built(release));
          return next;
        });
      }
    }
    if (left.rebuild > 0 && !busy && environment === 'staging') {
      add('somebody deploys another image of the same release to staging', false, () => {
        const next = spend('rebuild', world);
        const { release, image } = world.staging;
        deployed(next, 'staging', { release, image: `${image}+` });
        return next;
      });
    }
    if (left.outside > 0 && !outside[environment]) {
      for (const release of releases) {
        add(`sluice deploy ${environment} ${release}`, false, () => {
          const next = spend('outside', world);
          next.outside[environment] = release;
          return next;
        });
      }
    }
    const release = outside[environment];
    if (release) {
      add(`the deployment outside to ${environment} ends`, true, () => {
        const next = copy(world);
        deployed(next, environment, built(release));
        delete next.outside[environment];
        return outsideEnded(next, environment, 'succeeded');
      });
      if (left.fail > 0 && environment === 'staging') {
        add('ECS rolls the deployment outside to staging back', false, () => {
          const next = spend('fail', world);
          next.staging = { ...next.staging, touched: next.nextPrimary };
          next.nextPrimary += 1;
          delete next.outside.staging;
          return outsideEnded(next, environment, 'rolled-back');
        });
      }
    }
    if (left.mute > 0 || world[environment].mute) {
      add(`${environment}'s endpoint changes its voice`, false, () => {
        const next = world[environment].mute ? copy(world) : spend('mute', world);
        next[environment].mute = !next[environment].mute;
        return next;
      });
    }
  }
  // Reconcile, and every read that is tried again.
  if (!world.q.look) add('reconcile', true, () => queue(world, lookAfresh));
  rollback(world, settings, add, spend);
}

function outsideEnded(world: World, environment: 'staging' | 'production', outcome: Outcome): World {
  const ended = { id: `${environment}.api.other`, app: 'api', environment, kind: 'deploy', outcome } as const;
  return queue(world, (draft) => events.changedOutside(draft, ended));
}

function rollback(world: World, settings: Settings, add: Add, spend: Spend): void {
  const { left, outside, production } = world;
  const to = numberOf(production.release) - 1;
  if (left.rollback > 0 && !outside.rollback && to >= 0) {
    add('rollback of production is accepted', false, () => {
      const next = spend('rollback', world);
      next.bad = [...new Set([...next.bad, production.release])];
      next.outside.rollback = `r${to}`;
      const reason = { by: 'bob', key: 'k', reason: 'rolled back', code: 'PRODUCTION_ROLLED_BACK' };
      let after = queue(next, (draft) => void commands.joinLock(draft, reason));
      const waits = after.own.find(({ id }) => id.startsWith('production'));
      if (waits) {
        // What waited in the lane is superseded.
        after = { ...after, own: after.own.filter((one) => one !== waits) };
        after = queue(after, (draft) =>
          events.deploymentEnded(draft, { id: waits.id, outcome: 'superseded', verified: false }),
        );
      }
      return after;
    });
  }
  if (outside.rollback) {
    add('the rollback ends', true, () => {
      const next = copy(world);
      deployed(next, 'production', outside.rollback ? built(outside.rollback) : undefined);
      delete next.outside.rollback;
      const rolledBack = { id: 'production.api.back', app: 'api', environment: 'production' } as const;
      return queue(next, (draft) =>
        events.changedOutside(draft, { ...rolledBack, kind: 'rollback', outcome: 'succeeded' }),
      );
    });
  }
  void settings;
}

function people(world: World, settings: Settings, add: Add, spend: Spend): void {
  const { q, left } = world;
  const { current } = q;
  const by = { by: 'alice', key: 'k' };
  const reason = 'because';
  const fresh = (): Observation => observe(world, settings);
  const tried = (name: string, work: (draft: Draft) => unknown): void => {
    let refused: unknown;
    const next = queue(world, (draft) => void (refused = work(draft)));
    if (refused === undefined) add(name, true, () => next);
  };
  if (current?.stage === 'awaiting-approval') {
    for (const override of [false, true]) {
      const command = { ...by, release: current.release, override, reason };
      if (judgeApprove(q, command)) continue;
      tried(`approve${override ? ' with override' : ''}`, (draft) => approve(draft, command, fresh()));
    }
  }
  for (const one of [...(current ? [current] : []), ...q.waiting]) {
    const command = { ...by, release: one.release, reason };
    if (!commands.judgeReject(q, command))
      tried(`reject ${one.release}`, (draft) => commands.reject(draft, command));
  }
  for (const one of [...(current ? [current] : []), ...q.recent]) {
    const command = { ...by, release: one.release };
    if (judgeRetry(q, command)) continue;
    const needed = needsRead(q, command) ? fresh() : undefined;
    tried(`retry ${one.release}`, (draft) => retry(draft, command, needed));
  }
  for (const choice of ['adopt', 'restore-staging', 'override'] as const) {
    const command = { ...by, choice, reason };
    if (judgeResolve(q, command)) continue;
    tried(choice, (draft) => resolve(draft, command, fresh()));
  }
  if (q.lock) add('unlock', true, () => queue(world, commands.unlock));
  else if (left.lock > 0) {
    add('lock', false, () =>
      queue(spend('lock', world), (draft) => void commands.lock(draft, { ...by, reason })),
    );
  }
}

/** Two worlds with the same key go on alike: names and times do not matter, only who is who. */
export function keyOf(world: World): string {
  const { q } = world;
  const names = new Map<string, number>();
  const primary = (one: string | number | undefined): number | undefined => {
    if (one === undefined) return undefined;
    const name = String(one);
    if (!names.has(name)) names.set(name, names.size);
    return names.get(name);
  };
  const read = (one: Observation['staging'] | undefined) =>
    one && [one.release, one.digests?.['image'], primary(one.primary)];
  const seen = (one: Tested) => [one.release, one.image, primary(one.primary), primary(one.touched)];
  const { current, work, known, override } = q;
  return JSON.stringify([
    [...seen(world.staging), world.staging.mute],
    [...seen(world.production), world.production.mute],
    [world.head, [...world.bad].sort(), world.outside, world.left],
    world.own.map(({ id, release, image, override: o, stopped }) => [
      id.split('.')[0],
      id === current?.staging || id === current?.production,
      id === q.restore?.id,
      ...[release, image, o, stopped],
    ]),
    world.test && seen(world.test),
    world.passed && seen(world.passed),
    current && [
      current.release,
      current.stage,
      current.failedStage,
      current.waitingFor?.code,
      current.tests?.state,
      current.approval?.override,
    ],
    [
      work.tried,
      work.verdict,
      work.void,
      work.rejecting !== undefined,
      work.refused?.code,
      work.staged?.['image'],
      work.unlocked,
    ],
    work.evidence && [work.evidence.release, work.evidence.digests['image'], primary(work.evidence.primary)],
    read(work.production),
    known && [known.why, read(known.staging), read(known.production)],
    override && [read(override.staging), read(override.production)],
    q.waiting.map(({ release, waitingFor }) => [release, waitingFor?.code]),
    q.recent
      .filter(({ stage }) => stage === 'failed')
      .map(({ release, failedStage }) => [release, failedStage]),
    [q.lock?.code ?? q.lock?.by, q.restore !== undefined, q.started?.release, q.look, q.waitingFor?.code],
  ]);
}

/** The newest merge has reached production, or nothing holds the queue. */
export const isGood = ({ q, head, production }: World): boolean =>
  (head > 0 && production.release === `r${head}` && q.waiting.length === 0) ||
  (!isActive(q.current) && q.waiting.length === 0 && !q.lock && !q.restore);
