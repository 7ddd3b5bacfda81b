/** What a person chooses where the environments differ: adopt, restore staging, override. */
import type { Unmet } from './conditions.js';
import { endCurrent, lookAfresh, nextDeploymentId, promotionOf, retire, tagOf } from './draft.js';
import type { Observation } from './read.js';
import { compareReads, isIn, releaseIn } from './read.js';
import { leave } from './start.js';
import type { Draft, PromotionState } from './state.js';
import { isActive } from './state.js';
import { nameOf, no } from './words.js';
import type { Merge, Promotion, ResolveCommand } from './promotion.js';

export function judgeResolve(q: PromotionState, { choice }: ResolveCommand): Unmet | undefined {
  const { current } = q;
  if (q.restore && choice !== 'override') {
    return no('RESTORING', `Staging is being restored (${q.restore.id}): wait for its end`);
  }
  if (choice === 'override') {
    const code = isActive(current) ? undefined : q.waitingFor?.code;
    return code === 'ENVIRONMENTS_DIFFER' || code === 'VERSION_UNKNOWN'
      ? undefined
      : no(
          'NOT_WAITING',
          'The queue does not wait for an override: nothing that could start is held up by what runs',
        );
  }
  if (current?.stage === 'staging' || current?.stage === 'production') {
    return no('NOT_WAITING', `${current.id} is being deployed to ${current.stage}: wait for its end`);
  }
  if (choice === 'restore-staging' && isActive(current)) {
    return no('NOT_WAITING', `${current.id} is under way (${current.stage}): reject it first`);
  }
  return undefined;
}

/** On a fresh read, after `judgeResolve`. @returns why not; nothing has changed then */
export function resolve(draft: Draft, command: ResolveCommand, read: Observation): Unmet | undefined {
  const refused = judgeResolve(draft.q, command) ?? read.staging.unreadable ?? read.production.unreadable;
  if (refused) return refused;
  if (command.choice === 'adopt') return adopt(draft, command, read);
  if (command.choice === 'restore-staging') return restoreStaging(draft, command, read);
  const { staging, production } = read;
  const { by, reason } = command;
  draft.q.override = { by, reason, at: draft.now, staging, production };
  lookAfresh(draft);
  return undefined;
}

function restoreStaging(draft: Draft, { by, reason }: ResolveCommand, read: Observation): Unmet | undefined {
  const { q, now, effects } = draft;
  const { production, staging } = read;
  if (compareReads(staging, production) === 'equal')
    return no('NOT_WAITING', 'Staging runs what production runs');
  const { digests } = production;
  if (!digests) return no('VERSION_UNKNOWN', 'Which images production runs is not known');
  const release = releaseIn(production) ?? '';
  const id = nextDeploymentId(draft, 'restore', release);
  q.restore = { id, by, reason, at: now };
  const tag = production.tag ?? tagOf(release);
  effects.push({
    do: 'deploy',
    deployment: {
      ...{ id, environment: 'staging', kind: 'redeploy', tag, digests, parent: q.app },
      ...{ actor: by, checkActor: true, reason },
    },
  });
  lookAfresh(draft);
  return undefined;
}

/** What staging runs becomes a promotion of its own, to be tested as it stands. */
function adopt(draft: Draft, { by, reason }: ResolveCommand, read: Observation): Unmet | undefined {
  const { q, now } = draft;
  const { staging, production, relations } = read;
  const release = releaseIn(staging);
  const { digests } = staging;
  if (release === undefined || !digests) {
    return no('VERSION_UNKNOWN', 'Which release staging runs is not known: there is nothing to adopt');
  }
  if (!relations) return no('GITHUB_DOWN', 'The repository does not answer: send it again in a moment');
  if (compareReads(staging, production) === 'equal') {
    return no('NOT_WAITING', 'Staging runs what production runs: there is nothing to adopt');
  }
  const { current } = q;
  if (isActive(current) && current.release === release && !q.work.void) {
    return no('NOT_WAITING', `Staging runs ${nameOf(release)}, which is being promoted`);
  }
  const contained = (one: Promotion): boolean => isIn(relations, { other: one.release, release });
  const carried = q.waiting.filter(contained);
  const merges: Merge[] = carried.flatMap((one) => one.merges);
  const adopted = promotionOf(draft, { release, merges });
  if (isActive(current)) {
    const how = contained(current)
      ? ({ what: 'adopt', to: 'superseded', carriedBy: adopted.id } as const)
      : ({ what: 'adopt another', to: 'rejected' } as const);
    endCurrent(draft, current, { ...how, by, reason });
  }
  for (const one of carried) leave(draft, one, { what: 'carried', to: 'superseded', carriedBy: adopted.id });
  if (q.current) retire(draft);
  Object.assign(adopted, { stage: 'testing', startedAt: now, stagedAt: now, by, reason });
  q.current = adopted;
  q.work = { tried: 0, staged: digests };
  const position = relations.positions[release];
  // What is not on the branch comes after what had started: only what starts later is newer.
  const place = position ?? q.started?.position;
  if (place !== undefined) adopted.position = place;
  if (position !== undefined && (!q.started || isIn(relations, { other: q.started.release, release }))) {
    q.started = { release, position, id: adopted.id };
  }
  delete q.known;
  delete q.override;
  lookAfresh(draft);
  return undefined;
}
