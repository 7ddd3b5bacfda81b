/** Bad releases: a mark is on the release, per app, and is overridden but never removed. */
import type { DeploymentRequest } from './deployment.js';
import type { BadMark, LaneView } from './messages.js';
import { imageTag, isCommit } from './tags.js';

export const markOf = (bad: readonly BadMark[], release: string): BadMark | undefined =>
  bad.find((mark) => mark.release === release);

/**
 * What can be told without asking the registry. Any other tag may have been moved to another release since:
 * which one it is, `validate` finds out, and the release is judged again there.
 */
export function knownBad(
  { app, bad = [], live, verified }: Pick<LaneView, 'app' | 'bad' | 'live' | 'verified'>,
  request: Pick<DeploymentRequest, 'tag' | 'digests'>,
): BadMark | undefined {
  const tag = imageTag(app, request.tag);
  const moves = !isCommit(tag) && !tag.startsWith('rel-');
  return bad.find((mark) => {
    if (request.digests) {
      const runs = [...(live ? [live] : []), ...verified].filter(({ release }) => release === mark.release);
      return runs.some(({ digests }) => sameDigests(digests, request.digests ?? {}));
    }
    return tag === mark.release || (!moves && mark.tag !== undefined && imageTag(app, mark.tag) === tag);
  });
}

function sameDigests(one: Record<string, string>, other: Record<string, string>): boolean {
  const repositories = Object.keys(one);
  return (
    repositories.length > 0 &&
    repositories.length === Object.keys(other).length &&
    repositories.every((repository) => one[repository] === other[repository])
  );
}

export const badReleases = (bad: readonly BadMark[]): string[] => bad.map(({ release }) => release);

/** In words for people. */
export const badWords = ({ release, by, at, reason }: BadMark): string =>
  `${release} was marked bad by ${by} at ${at}: ${reason}. Choose another one, or override it with a reason`;
