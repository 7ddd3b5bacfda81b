import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as progress from '../../../domain/release/progress.js';
import { releaseHeadline, releaseMarkdown, releasesMarkdown } from '../../../domain/release/words.js';
import type { Release, ReleaseInput, ReleaseStepName } from '../../../domain/release/release.js';
import { RELEASE_STEPS } from '../../../domain/release/release.js';
import { noReleases } from '../../../domain/release/releases.js';

const AT = '2026-01-02T03:04:05.000Z';
const COMMIT = 'c'.repeat(40);
const DIGESTS = { 'shop-web': 'sha256:a', 'shop-nginx': 'sha256:b' };
const input: ReleaseInput = {
  request: {
    ...{ app: 'api', tag: 'v1', actor: 'alice', reason: 'because', unique: 'k', requestedAt: AT },
    ...{ releaseOnly: false, limits: { tellAfterMs: 1, giveUpAfterMs: 1, verifyMs: 1 } },
  },
  names: {
    date: '2026.01.02.03.04.05',
    gitTag: 'api-2026.01.02.03.04.05',
    imageTag: 'rel-2026.01.02.03.04.05',
  },
};
const fresh = (): Release => progress.takeTurn(progress.awaitTurn(progress.accepted(input), AT), AT);

/** With every step before `step` done. */
function upTo(step: ReleaseStepName): Release {
  let release: Release = { ...fresh(), release: COMMIT, digests: DIGESTS };
  for (const name of RELEASE_STEPS) {
    release = progress.beginStep(release, name, AT);
    if (name === step) return release;
    if (name === 'deploy') release = { ...release, deployment: 'production.api.x' };
    release = progress.finishStep(release, name, AT);
  }
  return release;
}
const failed = (step: ReleaseStepName) => ({ step, code: 'AWS_DOWN', message: 'the reason' }) as const;

describe('a release', () => {
  it('begins with a wait that says why, and goes through its steps in order', () => {
    const waits = progress.awaitTurn(progress.accepted(input), AT);
    expect(waits).toMatchObject({
      id: input.names.gitTag,
      state: 'running',
      waitingFor: { code: 'LANE_BUSY', since: AT },
    });
    expect(fresh().waitingFor).toBeUndefined();
    expect(RELEASE_STEPS.map((step) => progress.nextStep(upTo(step)))).toEqual(RELEASE_STEPS);
    const skipped = progress.skipStep(upTo('deploy'), 'deploy', AT, 'elsewhere');
    expect(progress.nextStep(skipped)).toBe('publish');
    expect(progress.nextStep(progress.finishStep(upTo('changelog'), 'changelog', AT))).toBeUndefined();
  });

  it('is blocked with step, code and actions, and goes on there without a trace of the block', () => {
    const blocked = progress.block(upTo('tag'), failed('tag'), AT);
    expect(blocked).toMatchObject({
      state: 'blocked',
      blocked: { ...failed('tag'), actions: ['retry', 'abandon'] },
      waitingFor: { code: 'AWS_DOWN', actions: ['retry', 'abandon'] },
    });
    const retried = progress.takeTurn(progress.unblock(blocked, AT), AT);
    expect(retried).toMatchObject({ state: 'running', retries: 1 });
    expect(retried.blocked ?? retried.waitingFor).toBeUndefined();
    expect(progress.nextStep(retried)).toBe('tag');
    expect(progress.beginStep(retried, 'tag', AT).steps[1]).toEqual({
      name: 'tag',
      state: 'running',
      startedAt: AT,
    });
  });

  it('is rejected only where nothing was written, and by nobody else’s retry', () => {
    const at = (
      step: ReleaseStepName,
      code: 'TAG_NOT_FOUND' | 'NOT_A_MAINTAINER',
      release = upTo(step),
    ): boolean => progress.isRejection(release, { step, code, message: '' });
    expect(at('validate', 'TAG_NOT_FOUND')).toBe(true);
    expect(at('validate', 'NOT_A_MAINTAINER')).toBe(true);
    expect(at('validate', 'NOT_A_MAINTAINER', { ...upTo('validate'), retries: 1 })).toBe(false);
    expect(at('tag', 'NOT_A_MAINTAINER')).toBe(false);
    expect(at('tag', 'TAG_NOT_FOUND')).toBe(false);
    expect(at('publish', 'NOT_A_MAINTAINER')).toBe(false);
  });

  it('that is abandoned says what exists, and what may', () => {
    const of = (step: ReleaseStepName) =>
      progress.abandon(progress.block(upTo(step), failed(step), AT), { actor: 'bob', reason: 'enough' }, AT);
    const images = Object.keys(DIGESTS).map(
      (repository) => `image tag ${repository}:${input.names.imageTag}`,
    );
    expect(of('validate').failure?.exists).toEqual([]);
    expect(of('tag').failure?.exists).toEqual(images.map((one) => `${one} (perhaps)`));
    expect(of('deploy').failure?.exists).toEqual(images);
    expect(of('publish').failure).toMatchObject({
      ...{ step: 'publish', code: 'AWS_DOWN' },
      message: 'Abandoned by bob: enough; it was blocked at publish: the reason',
      exists: [...images, 'deployment production.api.x', `GitHub Release ${input.names.gitTag} (perhaps)`],
    });
    expect(of('publish')).toMatchObject({ state: 'finished', outcome: 'abandoned', finishedAt: AT });
    expect(of('publish').steps.at(-1)).toEqual({ name: 'changelog', state: 'skipped' });
    expect(of('publish').blocked ?? of('publish').waitingFor).toBeUndefined();
  });

  it('that succeeded leaves the changelog as it stands', () => {
    const ended = progress.finish(upTo('changelog'), { outcome: 'succeeded' }, AT);
    expect(ended.steps.at(-1)?.state).toBe('running');
    expect(ended).toMatchObject({ state: 'finished', outcome: 'succeeded' });
    const warned = progress.warn(progress.warn(ended, 'CHANGELOG', 'late'), 'CHANGELOG', 'given up');
    expect(warned.warnings).toEqual([{ code: 'CHANGELOG', message: 'given up' }]);
    expect(progress.unwarn(warned, 'CHANGELOG').warnings).toEqual([]);
  });
});

describe('what `releases` hears', () => {
  it('names the images once they are known to be this release’s', () => {
    const { gitTag, imageTag } = input.names;
    expect(progress.stateChange(fresh())).toEqual({
      id: gitTag,
      state: 'ready',
      round: 0,
      tags: ['v1', gitTag, imageTag],
    });
    // Found, but not claimed: they may be another release's.
    expect(progress.stateChange(upTo('validate'))).not.toHaveProperty('digests');
    expect(progress.stateChange({ ...upTo('tag'), retries: 2 })).toEqual({
      ...{ id: gitTag, state: 'ready', round: 2, digests: DIGESTS },
      tags: ['v1', gitTag, imageTag, COMMIT],
    });
  });

  it('frees them where nothing is left, also of one that was terminated', () => {
    const reject = (step: ReleaseStepName): Release =>
      progress.finish(upTo(step), { outcome: 'rejected', failure: failed(step) }, AT);
    expect(progress.stateChange(reject('validate'))).toMatchObject({
      state: 'finished',
      outcome: 'rejected',
      tags: [],
    });
    expect(progress.stateChange(upTo('validate'), true)).toMatchObject({ state: 'finished', tags: [] });
    expect(progress.stateChange(upTo('deploy'), true).tags).toContain(COMMIT);
    expect(progress.stateChange(progress.block(upTo('deploy'), failed('deploy'), AT)).state).toBe('blocked');
  });
});

describe('words', () => {
  it('are one line, and keep their form whatever they hold', () => {
    expect(releaseHeadline(input)).toBe('release api-2026.01.02.03.04.05 @ v1 by alice');
    fc.assert(
      fc.property(fc.string(), (message) => {
        const blocked = progress.block(upTo('tag'), { ...failed('tag'), message }, AT);
        const lines = releaseMarkdown(blocked).split('\n');
        expect(lines.filter((line) => line.startsWith('- '))).toHaveLength(RELEASE_STEPS.length);
        const given = progress.abandon(blocked, { actor: 'bob', reason: message }, AT);
        expect(releaseMarkdown(given)).toContain('**abandoned**');
      }),
    );
    expect(releasesMarkdown(noReleases('api'))).toBe('nothing runs');
  });
});
