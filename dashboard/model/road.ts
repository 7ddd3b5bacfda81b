/** One app's road from `main` to production: what stands where, and what it waits for, in words. */
import type { WaitingFor } from '../../domain/deployment.js';
import type { Promotion, PromotionQueueView, Stage } from '../../domain/promotion/promotion.js';
import { textOf } from './codes.js';
import type { Place, ShownDeployment } from './types.js';
import { capital, either, plural, short } from './words.js';

export interface Road {
  app: string;
  /** It has no service: it is released and deployed nowhere. */
  releaseOnly: boolean;
  /** `promotion` stands in its configuration. */
  hasQueue: boolean;
  queue?: PromotionQueueView;
  staging?: Place;
  production?: Place;
  /** What runs in the lanes now. */
  deploying: { staging?: ShownDeployment; production?: ShownDeployment };
}

export interface Gate {
  /** `absent`: there is no such button for this app. */
  state: 'open' | 'shut' | 'passing' | 'absent';
  /** Why, in words. */
  reason: string;
  /** Only a person's override opens it. */
  byOverride?: boolean;
}

export interface Saying {
  tone: 'calm' | 'busy' | 'waits' | 'bad';
  text: string;
  since?: string;
  /** Who can end it, and how. */
  who?: string;
  actions?: string[];
}

/** Lifted by an override of the approval (design §5). */
const OVERRIDABLE = ['PRODUCTION_MOVED', 'RELEASE_BAD'];

/** Whether "Deploy to production" is unlocked, and why not. */
export function gateOf({ hasQueue, queue }: Road): Gate {
  if (!hasQueue)
    return { state: 'absent', reason: 'It has no promotion queue: it goes to production by Release' };
  if (!queue) return { state: 'shut', reason: 'What its promotion queue does is not known' };
  const { current, lock } = queue;
  const waits = queue.waitingFor ?? current?.waitingFor;
  if (current?.stage === 'production')
    return { state: 'passing', reason: `${short(current.release)} goes to production` };
  if (lock) return { state: 'shut', reason: `by ${lock.by}` };
  if (!current || isOver(current)) return { state: 'shut', reason: whyNothing(queue) };
  if (current.stage !== 'awaiting-approval') return { state: 'shut', reason: BEFORE[current.stage] ?? '' };
  if (!waits || waits.code === 'APPROVAL') return { state: 'open', reason: evidence(current) };
  const byOverride = OVERRIDABLE.includes(waits.code);
  return { state: 'shut', reason: waitsFor(waits.code), ...(byOverride ? { byOverride } : {}) };
}

const BEFORE: Partial<Record<Stage, string>> = {
  queued: 'It has to be deployed to staging first',
  staging: 'It is being deployed to staging',
  testing: 'Its tests run',
};

/** Short: the detail stands below the road. */
const waitsFor = (code: string): string => capital(textOf(code));

/** A `failed` or `rejected` one stays current until another starts. */
export const isOver = ({ stage }: Promotion): boolean =>
  stage === 'failed' ||
  stage === 'rejected' ||
  stage === 'promoted' ||
  stage === 'superseded' ||
  stage === 'cancelled';

function whyNothing({ current, waitingFor, waitingCount }: PromotionQueueView): string {
  if (current?.stage === 'failed')
    return `${short(current.release)} failed in ${current.failedStage ?? 'its last stage'}`;
  if (current?.stage === 'rejected') return `${short(current.release)} was rejected`;
  if (waitingFor) return waitsFor(waitingFor.code);
  return waitingCount > 0
    ? 'The next merge has not started yet'
    : 'Nothing is on its way: the next merge starts it';
}

/** What an approval stands on. */
export function evidence({ tests }: Promotion): string {
  if (!tests) return 'It runs on staging; no tests are configured';
  if (tests.state !== 'passed') return `Its tests: ${tests.state}`;
  return tests.attempt > 1 ? `Tests passed (attempt ${tests.attempt})` : 'Tests passed';
}

const ofWaiting = (waits: WaitingFor): Saying => ({
  tone: 'waits',
  text: capital(waits.detail || textOf(waits.code)),
  since: waits.since,
  who: waits.who,
  actions: waits.actions,
});

/** What the road does or waits for, the most pressing first; never empty. */
export function sayingsOf(road: Road): Saying[] {
  const { queue } = road;
  const said = [
    ...(queue ? ofQueue(queue) : []),
    ...[road.staging, road.production].flatMap((place) => (place ? ofLane(place) : [])),
    ...[road.deploying.staging, road.deploying.production].flatMap((one) => (one ? ofDeployment(one) : [])),
  ];
  const distinct = said.filter(({ text }, at) => said.findIndex((other) => other.text === text) === at);
  return distinct.length > 0 ? distinct : [calm(road)];
}

function ofQueue({ lock, waitingFor, current }: PromotionQueueView): Saying[] {
  const waits = waitingFor ?? current?.waitingFor;
  return [
    ...(lock
      ? [
          {
            tone: 'waits' as const,
            text: `Promotions are locked by ${lock.by}: ${lock.reason}`,
            since: lock.at,
            who: 'a maintainer',
            actions: ['unlock'],
          },
        ]
      : []),
    ...(current && isOver(current) ? ofOver(current) : []),
    ...(waits && waits.code !== 'LOCKED' ? [ofWaiting(waits)] : []),
    ...(current && !waits ? ofStage(current) : []),
  ];
}

function ofOver(current: Promotion): Saying[] {
  const { stage, failedStage, failure, by, reason, finishedAt, release } = current;
  if (stage === 'failed') {
    const text = `${short(release)} failed in ${failedStage ?? 'its last stage'}: ${failure?.message ?? 'no reason given'}`;
    return [
      {
        tone: 'bad',
        text,
        since: finishedAt,
        who: 'a maintainer',
        actions: ['retry', 'merge what mends it'],
      },
    ];
  }
  if (stage !== 'rejected') return [];
  return [
    {
      tone: 'calm',
      text: `${short(release)} was rejected${by ? ` by ${by}` : ''}${reason ? `: ${reason}` : ''}`,
      since: finishedAt,
    },
  ];
}

function ofStage({ stage, release, startedAt, stagedAt, approvedAt, approval, tests }: Promotion): Saying[] {
  const name = short(release);
  if (stage === 'staging')
    return [{ tone: 'busy', text: `${name} is being deployed to staging`, since: startedAt }];
  if (stage === 'testing') {
    const nth = tests && tests.attempt > 1 ? ` (attempt ${tests.attempt})` : '';
    return [
      {
        tone: 'busy',
        text: `The tests of ${name} run${nth}`,
        since: tests?.attempts.at(-1)?.startedAt ?? stagedAt,
      },
    ];
  }
  if (stage !== 'production') return [];
  return [
    {
      tone: 'busy',
      text: `${name} goes to production, approved by ${approval?.by ?? 'nobody known'}`,
      since: approvedAt,
    },
  ];
}

function ofLane({ environment, lane: { lock } }: Place): Saying[] {
  if (!lock) return [];
  return [
    {
      tone: 'waits',
      text: `${capital(environment)} is locked by ${lock.by}: ${lock.reason}`,
      since: lock.at,
      who: 'a maintainer',
      actions: ['unlock'],
    },
  ];
}

function ofDeployment(deployment: ShownDeployment): Saying[] {
  const { waitingFor, environment, tag, kind, actor, startedAt, queuedAt, parent } = deployment;
  if (waitingFor && waitingFor.code !== 'LOCKED') return [ofWaiting(waitingFor)];
  // Of a promotion's own deployment its stage tells.
  if (parent?.type === 'promotion') return [];
  const what = `${capital(kind)} of ${tag ? short(tag) : 'what runs'} to ${environment} by ${actor}`;
  return [{ tone: 'busy', text: what, since: startedAt ?? queuedAt }];
}

function calm({ releaseOnly, queue, staging, production }: Road): Saying {
  if (releaseOnly) return { tone: 'calm', text: 'It has no service: it is released, and deployed nowhere' };
  const waiting = queue?.waitingCount ?? 0;
  if (waiting > 0)
    return { tone: 'calm', text: `${plural(waiting, 'merge')} wait, the next one starts soon` };
  if (staging?.release && staging.release === production?.release) {
    return { tone: 'calm', text: 'All that was merged is in production' };
  }
  if (staging && production && (!staging.release || !production.release)) {
    return {
      tone: 'calm',
      text: `Which release runs on ${either([...(staging.release ? [] : ['staging']), ...(production.release ? [] : ['production'])])} is not known`,
    };
  }
  return { tone: 'calm', text: 'Nothing is on its way' };
}

/** How far the water stands, for the picture: stations of the road that its current release has passed. */
export type Reach = 'main' | 'staging' | 'tests' | 'gate' | 'production';

export function reachOf({ queue, staging, production }: Road): Reach {
  const stage =
    queue?.current && (queue.current.stage === 'failed' ? queue.current.failedStage : queue.current.stage);
  if (stage === 'staging') return 'staging';
  if (stage === 'testing') return 'tests';
  if (stage === 'awaiting-approval') return 'gate';
  if (stage === 'production') return 'production';
  if (staging?.release && staging.release === production?.release) return 'production';
  return queue?.current ? 'staging' : 'main';
}
