/** Form and conditions of a deployment, a redeployment or a rollback: accepted, or refused before anything is. */
import type { FastifyRequest } from 'fastify';
import type { DeploymentRequest, Target } from '../domain/deployment.js';
import { PRODUCTION } from '../domain/deployment.js';
import { badWords, knownBad } from '../domain/bad.js';
import { deploymentId } from '../domain/ids.js';
import { positionOf } from '../domain/lane.js';
import type { LaneView, Lock } from '../domain/messages.js';
import type { RollbackRequest } from '../domain/rollback.js';
import { allTargets } from './checks.js';
import type { Context } from './context.js';
import { ApiError } from './errors.js';
import { deploymentUrl } from './links.js';
import { actorOf, keyOf, uniqueOf } from './requests.js';
import { assertKeyUnused, requestDeployment } from './temporal/commands.js';
import { holdsDeployment, readLane } from './temporal/reads.js';
import { assertRollbackKeyUnused, startRollback, wasRollbackAsked } from './temporal/rollbacks.js';

interface Asked {
  context: Context;
  request: FastifyRequest;
  target: Target;
}

interface Answer {
  id: string;
  url: string;
  position: number;
}

export type WhatToDeploy = Pick<
  DeploymentRequest,
  'kind' | 'tag' | 'commit' | 'reason' | 'override' | 'retryOf' | 'current'
>;

/** @throws ApiError `LOCKED`, `RELEASE_BAD`, `KEY_REUSED`, or an outage */
export async function acceptDeployment({
  context,
  request,
  target,
  ...what
}: Asked & WhatToDeploy): Promise<Answer> {
  const { config, temporal, links } = context;
  const actor = actorOf(request);
  const unique = uniqueOf(request);
  const id = deploymentId(target, unique);
  const hasKey = keyOf(request) !== undefined;
  if (hasKey) await assertKeyUnused(temporal, unique, othersThan(context, target));
  // What was accepted before is answered as before, whatever was marked since.
  if (!what.override && !(hasKey && (await holdsDeployment(temporal, id)))) {
    await assertNotBad(context, target.app, what.tag);
  }
  const { position, again } = await requestDeployment(temporal, {
    id,
    app: target.app,
    environment: target.environment,
    ...what,
    actor,
    checkActor: true,
    queuedAt: new Date().toISOString(),
    limits: limitsOf(config),
  });
  tell({ context, request, target, kind: what.kind, id, again });
  return { id, url: deploymentUrl(links, id), position };
}

/** @throws ApiError `LOCKED`, `RELEASE_BAD`, `KEY_REUSED`, or an outage */
export async function acceptRollback(
  of: Asked & Pick<RollbackRequest, 'tag' | 'reason' | 'now' | 'override'>,
): Promise<Answer> {
  const { context, request, target, ...what } = of;
  const { config, temporal, links } = context;
  const unique = uniqueOf(request);
  const rollback: RollbackRequest = {
    id: deploymentId(target, unique),
    app: target.app,
    environment: target.environment,
    ...what,
    actor: actorOf(request),
    queuedAt: new Date().toISOString(),
    limits: limitsOf(config),
  };
  const { id } = rollback;
  const hasKey = keyOf(request) !== undefined;
  if (hasKey) await assertRollbackKeyUnused(temporal, unique, othersThan(context, target));
  const lane = await readLane(temporal, target);
  const known = hasKey && (await wasRollbackAsked(temporal, rollback));
  if (!known && !what.override) {
    if (lane?.lock) throw locked(target, lane.lock);
    if (what.tag) await assertNotBad(context, target.app, what.tag);
  }
  const { again } = known ? { again: true } : await startRollback(temporal, rollback);
  tell({ context, request, target, kind: 'rollback', id, again });
  return { id, url: deploymentUrl(links, id), position: placeOf(lane, id) };
}

/** It stands before everything that waits and is no rollback. */
function placeOf(lane: LaneView | undefined, id: string): number {
  if (!lane) return 0;
  const before = lane.waiting.filter(({ kind }) => kind === 'rollback').length + (lane.running ? 1 : 0);
  return positionOf(lane, id) ?? before;
}

/** The production lane holds the marks of both environments. Which release other tags are, `validate` finds out. */
export async function assertNotBad({ temporal }: Context, app: string, tag: string): Promise<void> {
  const lane = await readLane(temporal, { app, environment: PRODUCTION });
  const mark = lane && knownBad(lane, { tag });
  if (mark) throw new ApiError('RELEASE_BAD', badWords(mark), { ...mark });
}

export const locked = ({ app, environment }: Target, lock: Lock): ApiError =>
  new ApiError('LOCKED', `${app} on ${environment} is locked by ${lock.by}: ${lock.reason}`, { ...lock });

export const limitsOf = ({ limits }: Context['config']) => {
  const { tellAfterMs, giveUpAfterMs, verifyMs } = limits;
  return { tellAfterMs, giveUpAfterMs, verifyMs };
};

const othersThan = ({ config }: Context, target: Target): Target[] =>
  allTargets(config).filter(
    ({ app, environment }) => app !== target.app || environment !== target.environment,
  );

function tell(of: Asked & Pick<DeploymentRequest, 'kind'> & { id: string; again: boolean }): void {
  const { context, request, target, kind, id, again } = of;
  if (!again) context.metrics.accepted.inc({ ...target, kind });
  request.log.info({ id, kind, actor: actorOf(request), again }, 'accepted');
}
