/** Step `validate` of a redeployment: what runs, resolved to an image tag that exists. */
import { ApplicationFailure } from '@temporalio/common';
import type { Target } from '../../domain/deployment.js';
import type { Validated } from '../../domain/effects.js';
import { isTag } from '../../domain/tags.js';
import { serviceOf } from '../ecs/service.js';
import { refuse } from '../failure.js';
import type { RollbackDeps } from './plan.js';
import { reportedRelease } from './reported.js';

/**
 * The release that the version endpoint reports, and a tag of the whole set whose images are that release.
 * @throws ApplicationFailure `RELEASE_UNKNOWN`; retryable `AWS_DOWN`, `REGISTRY_DOWN`
 */
export async function validateCurrent(deps: RollbackDeps, target: Target): Promise<Validated> {
  const { app, environment } = target;
  const reported = await reportedRelease(serviceOf(deps, target).settings.versionUrl);
  if ('unknown' in reported) {
    throw refuse(
      'RELEASE_UNKNOWN',
      `Which release ${app} runs in ${environment} is unknown: ${reported.unknown}. ${PASS}`,
    );
  }
  const { release } = reported;
  const lane = await deps.readLane({ app, environment });
  const known = [...(lane?.live ? [lane.live] : []), ...(lane?.verified ?? [])];
  const tags = [release, ...known.filter((one) => one.release === release).map(({ tag }) => tag)].filter(
    isTag,
  );
  for (const tag of new Set(tags)) {
    const validated = await ifThere(deps.validate({ app, environment, tag }));
    // A tag that was moved since names another release.
    if (validated?.release === release) return { ...validated, tag: validated.images[0]?.tag ?? tag };
  }
  throw refuse(
    'RELEASE_UNKNOWN',
    `${app} in ${environment} reports ${release.slice(0, 200)}, of which no image tag is known. ${PASS}`,
  );
}

const PASS = 'Pass a tag';

async function ifThere(validated: Promise<Validated>): Promise<Validated | undefined> {
  try {
    return await validated;
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'TAG_NOT_FOUND') return undefined;
    throw error;
  }
}
