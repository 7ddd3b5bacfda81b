import { describe, expect, it } from 'vitest';
import { versioningOf } from '../../worker/versioning.js';

describe('SLUICE_WORKER_VERSIONING', () => {
  it.each([[{}], [{ SLUICE_WORKER_VERSIONING: '' }], [{ SLUICE_WORKER_VERSIONING: '0' }]])(
    'is off with %j, whatever the release is',
    (env) => expect(versioningOf({ ...env, SLUICE_RELEASE: 'r1' })).toBeUndefined(),
  );

  it('takes the release as build id', () => {
    expect(versioningOf({ SLUICE_WORKER_VERSIONING: '1', SLUICE_RELEASE: 'r1' })).toEqual({
      version: { deploymentName: 'sluice', buildId: 'r1' },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    });
  });

  it.each([
    [{ SLUICE_WORKER_VERSIONING: '1' }, 'needs SLUICE_RELEASE'],
    [{ SLUICE_WORKER_VERSIONING: 'yes', SLUICE_RELEASE: 'r1' }, 'must be 1, or not set'],
  ])('refuses %j', (env, words) => expect(() => versioningOf(env)).toThrow(words));
});
