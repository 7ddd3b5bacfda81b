/**
 * What a rollback goes back to, and what it leaves behind. Pure: `activities/rollback/` reads what this stands
 * on, the workflow `rollback` is the order.
 */
import { markOf } from './bad.js';
import type { Deployment, DeploymentRequest, Limits, Target, Warning } from './deployment.js';
import { PRODUCTION } from './deployment.js';
import { rollbackWorkflowId, parseDeploymentId } from './ids.js';
import type { BadMark, LiveRelease } from './messages.js';
import { accepted } from './progress.js';

/** Input of the workflow `rollback`. Holds no secret (rule 7). */
export interface RollbackRequest extends Target {
  /** Of its deployment, with which it shares `{unique}`. */
  id: string;
  /** T. Absent: the last release verified there before the live one. */
  tag?: string;
  /** GitHub login. */
  actor: string;
  reason: string;
  /** Stops the deployment that runs there. */
  now?: boolean;
  override?: boolean;
  /** ISO 8601. */
  queuedAt: string;
  limits: Limits;
}

/** What was found before anything is written, with what is live at that time. */
export interface RollbackPlan {
  /** Image tag. */
  tag: string;
  /** Repository → digest. */
  digests: Record<string, string>;
  release: string;
  /** The release that is live, where it is known and another one. */
  live?: { release: string; tag?: string };
  warnings: Warning[];
}

/**
 * `undecided`: id of a deployment that goes before it, so what is live at its turn is not known yet. Then the plan
 * is there only where a tag was asked for, to be checked as early as can be.
 */
export type RollbackDecision =
  { undecided: string; plan?: RollbackPlan } | { undecided?: never; plan: RollbackPlan };

/**
 * The request of the rollback's deployment; without a decision, as it is shown until there is one.
 * @throws Error where `request.id` is no deployment's id
 */
export function rollbackDeployment(request: RollbackRequest, decision?: RollbackDecision): DeploymentRequest {
  const plan = decision?.undecided ? undefined : decision?.plan;
  const { id, app, environment, actor, reason, now, override, queuedAt, limits } = request;
  const parsed = parseDeploymentId(id);
  if (!parsed) throw new Error(`${id} is no id of a deployment`);
  return {
    ...{ id, app, environment, kind: 'rollback', actor, checkActor: true, reason, queuedAt, limits },
    tag: plan?.tag ?? request.tag ?? '',
    ...(plan ? { digests: plan.digests, warnings: plan.warnings } : {}),
    ...(decision?.undecided ? { decide: true } : {}),
    parent: { type: 'rollback', id: rollbackWorkflowId(parsed, parsed.unique) },
    ...(override ? { override } : {}),
    ...(now ? { now } : {}),
    // What waits for staging loses nothing by coming after a rollback.
    ...(environment === PRODUCTION ? { supersedes: true } : {}),
  };
}

/** The memo of the workflow `rollback`, from its start until its deployment exists. */
export const rollbackRecord = (request: RollbackRequest): Deployment => accepted(rollbackDeployment(request));

const REASON_KEPT = 500;

/** Only production's live release is marked, and only where the rollback leaves it. */
export function markFor(
  request: Pick<RollbackRequest, 'environment' | 'actor'> & { reason?: string },
  plan: Pick<RollbackPlan, 'live' | 'release'>,
  at: string,
): BadMark | undefined {
  const { live } = plan;
  if (request.environment !== PRODUCTION || !live || live.release === plan.release) return undefined;
  const reason = (request.reason ?? '').replace(/\s+/g, ' ').trim().slice(0, REASON_KEPT);
  return { release: live.release, ...(live.tag ? { tag: live.tag } : {}), reason, by: request.actor, at };
}

/**
 * The last release verified there before the live one, never a bad one.
 * @param verified newest first, each release once
 * @param live absent: not known, and then it may be any of them
 */
export function chooseTarget(input: {
  verified: readonly LiveRelease[];
  live?: string;
  bad: readonly BadMark[];
}): LiveRelease | undefined {
  const { verified, live, bad } = input;
  // One that is live and was never verified came after all that were.
  const at = verified.findIndex(({ release }) => release === live);
  return verified.slice(at + 1).find(({ release }) => release !== live && !markOf(bad, release));
}

/** A tag of the image repository. */
export interface KnownTag {
  tag: string;
  /** ISO 8601; when the image was pushed, not when it was tagged. */
  pushedAt: string;
}

const SHOWN = 3;
const RECENT_SHOWN = 5;
/** Longer texts are no mistyped tags. */
const LONGEST = 128;

export const recentTags = (tags: readonly KnownTag[]): string[] =>
  [...tags]
    .sort((a, b) => b.pushedAt.localeCompare(a.pushedAt) || a.tag.localeCompare(b.tag))
    .slice(0, RECENT_SHOWN)
    .map(({ tag }) => tag);

/** Tags that may have been meant: those that go on as `asked` does, then those a few letters away. */
export function nearestTags(asked: string, tags: readonly KnownTag[]): string[] {
  if (asked.length > LONGEST) return [];
  const most = Math.max(1, Math.min(8, Math.floor(asked.length / 4)));
  const distanceOf = (tag: string): number =>
    asked.length >= 4 && tag.startsWith(asked) ? 0 : editDistance(asked, tag, most);
  return tags
    .map(({ tag, pushedAt }) => ({ tag, pushedAt, distance: distanceOf(tag) }))
    .filter(({ tag, distance }) => tag !== asked && distance <= most)
    .sort((a, b) => a.distance - b.distance || b.pushedAt.localeCompare(a.pushedAt))
    .slice(0, SHOWN)
    .map(({ tag }) => tag);
}

/**
 * Insertions, deletions and replacements between two texts; `most + 1` where there are more, so that a long list
 * of tags costs little.
 */
export function editDistance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > most) return most + 1;
    row = next;
  }
  return Math.min(row[other.length] ?? 0, most + 1);
}
