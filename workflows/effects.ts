/**
 * The activities by class of reliability. Each class has a bound per attempt and one in total, and says how it
 * is cancelled: the SDK's default differs from its documentation. None is bounded by attempts: a worker's
 * restart consumes one.
 */
import type { ActivityOptions } from '@temporalio/workflow';
import type { Limits } from '../domain/deployment.js';
import { QUEUE } from '../domain/messages.js';
import type { ReleasePublishing } from '../domain/release/effects.js';
import type { BuildActivities, MainActivities, WatchActivities } from '../activities/index.js';
import { activitiesOf } from './activities-of.js';

const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' } as const;

/** A worker that dies is noticed after this long; activities of these classes heartbeat every second. */
const NOTICED_DEAD = '5s';

/**
 * Reads. The total is generous because one of them waits for somebody else's rollout to settle; what it waits
 * for stands at the pending activity. Nothing to undo: cancelled at once.
 */
const READ: ActivityOptions = {
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '6h',
  heartbeatTimeout: NOTICED_DEAD,
  retry,
  cancellationType: 'TRY_CANCEL',
};

/** Writes at AWS: looked for before they are made, so another attempt is safe. A stop lets them finish. */
const WRITE: ActivityOptions = {
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '1h',
  heartbeatTimeout: NOTICED_DEAD,
  retry,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};

/** Messages to other workflows: short, repeatable, and never in the way for long. */
const TELL: ActivityOptions = {
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1h',
  retry,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};

/** What is nice to have: given up quietly. */
const BEST_EFFORT: ActivityOptions = {
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '1m',
  heartbeatTimeout: NOTICED_DEAD,
  retry,
  cancellationType: 'TRY_CANCEL',
};

/** Somebody looks at a screen: what takes longer is said as it stands. */
const PLAN: ActivityOptions = {
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '6s',
  heartbeatTimeout: NOTICED_DEAD,
  retry,
  cancellationType: 'TRY_CANCEL',
};

/** GitHub Releases: a primary rate limit alone lasts an hour. Looked for before they are made, like all writes. */
const PUBLISH: ActivityOptions = { ...WRITE, scheduleToCloseTimeout: '6h' };

/** What people are told may be hours late, not lost: rule 8 keeps it out of the way. */
const DELIVER: ActivityOptions = {
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '24h',
  retry: { ...retry, maximumInterval: '5m' },
  cancellationType: 'TRY_CANCEL',
};

/** On its own queue, Docker beside it. Cancelled only when the process group is dead. */
const BUILD: ActivityOptions = {
  taskQueue: QUEUE.builds,
  startToCloseTimeout: '2h',
  scheduleToCloseTimeout: '24h',
  heartbeatTimeout: '15s',
  retry,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};

/** It writes nothing: cancelled at once. Its own hard limit ends it; these bounds only stand behind that. */
const watch = (limitMs: number): ActivityOptions => ({
  taskQueue: QUEUE.watches,
  startToCloseTimeout: limitMs + 60 * 60_000,
  scheduleToCloseTimeout: limitMs + 24 * 60 * 60_000,
  heartbeatTimeout: '10s',
  retry,
  cancellationType: 'TRY_CANCEL',
});

export const reads = activitiesOf<MainActivities>(READ);
/** Within an update that a person waits for: one attempt, and its answer or none. */
export const quickReads = activitiesOf<Pick<MainActivities, 'observePromotion'>>({
  startToCloseTimeout: '3s',
  scheduleToCloseTimeout: '3s',
  heartbeatTimeout: '3s',
  retry,
  cancellationType: 'TRY_CANCEL',
});
export const writes = activitiesOf<MainActivities>(WRITE);
export const tells = activitiesOf<MainActivities>(TELL);
export const bestEffort = activitiesOf<MainActivities>(BEST_EFFORT);
export const planning = activitiesOf<MainActivities>(PLAN);
export const publishing = activitiesOf<Pick<ReleasePublishing, 'publishRelease'>>(PUBLISH);
export const deliveries = activitiesOf<MainActivities>(DELIVER);
export const builds = activitiesOf<BuildActivities>(BUILD);

/** A run of tests at GitHub: looked for by its marker before it is made, so another attempt is safe. */
export const dispatches = activitiesOf<Pick<MainActivities, 'dispatchTests'>>({
  ...WRITE,
  startToCloseTimeout: '2m',
});

/** It writes nothing, and ends by itself at `until`; the bounds only stand behind that. */
export const testWatches = (leftMs: number) =>
  activitiesOf<Pick<WatchActivities, 'followTests'>>({
    ...watch(Math.max(leftMs, 0)),
    heartbeatTimeout: '30s',
  });

/** Cancelled only when the process group is dead. */
export const testCommands = (leftMs: number) =>
  activitiesOf<Pick<BuildActivities, 'runTestCommand'>>({
    ...BUILD,
    startToCloseTimeout: Math.max(leftMs, 0) + 10 * 60_000,
  });

/** The changelog holds nothing up: for how long it is tried is said where it is asked for. */
export const changelogs = (totalMs: number) =>
  activitiesOf<Pick<ReleasePublishing, 'openChangelog'>>({
    ...DELIVER,
    scheduleToCloseTimeout: totalMs,
    heartbeatTimeout: NOTICED_DEAD,
  });

/** The watches' bounds follow the limits that were fixed at acceptance. */
export const watches = (limits: Limits) => ({
  stabilise: activitiesOf<WatchActivities>(watch(limits.giveUpAfterMs)).stabilise,
  verify: activitiesOf<WatchActivities>(watch(limits.verifyMs)).verify,
});
