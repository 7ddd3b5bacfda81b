/** A service that runs something else than Sluice's last success there. */
import type { Target, Warning } from './deployment.js';
import type { LiveRelease } from './messages.js';
import { shortTag } from './summary.js';

export interface DriftInput extends Target {
  /** What the lane remembers of its last success. */
  live: LiveRelease | undefined;
  /** Task definition ARN of PRIMARY, where it has settled. */
  revision: string | undefined;
  /** A deployment runs there: what differs is its doing. */
  busy: boolean;
  hasPromotion: boolean;
  now: Date;
}

/** A view of ECS may be older than the lane's by as much. */
const TELLS_AFTER_MS = 10_000;

export function driftOf(input: DriftInput): Warning | undefined {
  const { app, environment, live, revision, busy, now } = input;
  if (!live || !revision || busy || live.revision === revision) return undefined;
  if (now.getTime() - Date.parse(live.at) < TELLS_AFTER_MS) return undefined;
  const message =
    `${app} on ${environment} runs ${nameOf(revision)}; the last deployment that succeeded there, ${live.id} ` +
    `(${shortTag(live.tag)}, by ${live.by}), was ${nameOf(live.revision)}. ${wayOut(input)}`;
  return { code: 'DRIFT', message };
}

/** `family:revision` of an ARN. */
const nameOf = (arn: string): string => arn.split('/').pop() ?? arn;

const wayOut = ({ app, environment, hasPromotion }: DriftInput): string =>
  hasPromotion
    ? `sluice promote status ${app} says what the queue waits for; sluice promote resolve ${app} ends it`
    : `Deploy what should run: sluice deploy ${app} ${environment} --tag …, or sluice rollback ${app} ${environment}`;
