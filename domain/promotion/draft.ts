/** Small changes of a queue that several of its rules make. */
import { deploymentId } from '../ids.js';
import type { PromotionNews } from '../messages.js';
import type { Draft, QueueDeployment } from './state.js';
import type { Happening } from './table.js';
import { move } from './table.js';
import { isTag } from '../tags.js';
import type { Merge, Promotion, PromotionFailure, Stage } from './promotion.js';

const RECENT_KEPT = 50;
/** Of the merges that a promotion lists. */
const MERGES_KEPT = 200;

/** Reads under way decide nothing any more, and another one is wanted. */
export function lookAfresh({ q }: Draft): void {
  q.epoch += 1;
  q.look = true;
}

export function tell({ effects, now }: Draft, change: PromotionNews['change'], promotion: Promotion): void {
  effects.push({ do: 'tell', news: { at: now, change, promotion: { ...promotion } } });
}

/** `{app}.{release}`; a later promotion of the same release has a number behind it. */
export function promotionOf(draft: Draft, of: { release: string; merges: Merge[] }): Promotion {
  const { q, now } = draft;
  const base = `${q.app}.${of.release}`;
  const all = [q.current, ...q.waiting, ...q.recent];
  const taken = (id: string): boolean => all.some((one) => one?.id === id);
  let id = base;
  // What was forgotten may have had the plain name: beyond the first the counter tells them apart.
  if (taken(id) || q.seen.some(({ sha }) => sha === of.release)) {
    q.sequence += 1;
    id = `${base}.${q.sequence}`;
  }
  return {
    id,
    app: q.app,
    release: of.release,
    merges: of.merges.slice(-MERGES_KEPT),
    stage: 'queued',
    queuedAt: now,
  };
}

/** Ends one that waits or waited, and keeps it among the recent ones. */
export function end(
  draft: Draft,
  promotion: Promotion,
  how: {
    what: Happening;
    to: Stage;
    failure?: PromotionFailure;
    carriedBy?: string;
    by?: string;
    reason?: string;
  },
): void {
  const { what, to, failure, carriedBy, by, reason } = how;
  move(draft, promotion, what, to);
  Object.assign(promotion, {
    ...(failure ? { failure } : {}),
    ...(carriedBy ? { carriedBy } : {}),
    ...(by ? { by } : {}),
    ...(reason ? { reason } : {}),
  });
  tell(draft, 'ended', promotion);
}

export function remember({ q }: Draft, promotion: Promotion): void {
  q.recent = [promotion, ...q.recent.filter(({ id }) => id !== promotion.id)].slice(0, RECENT_KEPT);
}

/** The one that was current makes room; what it leaves is in `recent`. */
export function retire(draft: Draft): void {
  const { q } = draft;
  if (!q.current) return;
  stopTests(draft);
  remember(draft, q.current);
  delete q.current;
  q.work = { tried: 0 };
}

/** Ends the current one and takes it away, except where it failed or was rejected: that stays until another starts. */
export function endCurrent(draft: Draft, current: Promotion, how: Parameters<typeof end>[2]): void {
  stopTests(draft);
  end(draft, current, how);
  if (how.to === 'failed' || how.to === 'rejected') draft.q.known = { why: 'ended' };
  else retire(draft);
  lookAfresh(draft);
}

export function stopTests({ q, effects, now }: Draft): void {
  const { current } = q;
  const running = current?.tests?.attempts.find(({ state }) => state === 'running');
  if (!current?.tests || !running) return;
  running.state = 'inconclusive';
  running.finishedAt = now;
  running.detail = 'given up: what it tested is not promoted any more';
  current.tests.state = 'inconclusive';
  effects.push({ do: 'stopTests', promotion: current.id, attempt: running.attempt });
}

const LETTERS = { staging: 's', production: 'p', restore: 'r' } as const;
const OURS = /^[^.]+\.[^.]+\.pq[spr]\d+z[0-9a-z]*$/;

/** Whether a deployment's id is one that a queue gave. */
export const isOfQueue = (id: string): boolean => OURS.test(id);

/** The part of a deployment's id that tells it from every other one of this queue. */
export function nextDeploymentId({ q }: Draft, what: keyof typeof LETTERS, release: string): string {
  q.sequence += 1;
  const environment = what === 'production' ? 'production' : 'staging';
  const readable = release
    .toLowerCase()
    .replace(/[^0-9a-z]/g, '')
    .slice(0, 12);
  return deploymentId({ app: q.app, environment }, `pq${LETTERS[what]}${q.sequence}z${readable}`);
}

/** To staging, built where the registry lacks it. */
export function deployToStaging(
  draft: Draft,
  current: Promotion,
  who: { actor: string; checkActor: boolean; override?: boolean; reason?: string },
): void {
  const { q, effects } = draft;
  const id = nextDeploymentId(draft, 'staging', current.release);
  const isMerge = current.merges.some(({ sha }) => sha === current.release);
  const { staged } = q.work;
  current.staging = id;
  q.work = { tried: 0, ...(staged ? { staged } : {}) };
  const deployment: QueueDeployment = {
    ...{ id, environment: 'staging', kind: 'deploy', parent: current.id },
    tag: tagOf(current.release),
    // What was adopted may be no commit: its digests name it.
    ...(isMerge ? { commit: current.release } : staged ? { digests: staged } : {}),
    ...{ actor: who.actor, checkActor: who.checkActor },
    ...(who.override ? { override: true } : {}),
    ...(who.reason ? { reason: who.reason } : {}),
  };
  effects.push({ do: 'deploy', deployment });
}

/** A label: what is deployed is named by digests wherever the release cannot be a tag. */
export const tagOf = (release: string): string => (isTag(release) ? release : 'promotion');

/** Who a merge's deployment is done for. */
export const mergerOf = ({ merges }: Promotion): string => {
  const last = merges.at(-1);
  return last?.mergedBy ?? last?.author ?? 'sluice';
};
