import { describe, expect, it } from 'vitest';
import type { DriftInput } from '../../domain/drift.js';
import { driftOf } from '../../domain/drift.js';

const arn = (revision: number): string => `arn:aws:ecs:us-east-1:0:task-definition/staging-api:${revision}`;
const input = (change: Partial<DriftInput> = {}): DriftInput => ({
  ...{ app: 'api', environment: 'staging', revision: arn(3), busy: false, hasPromotion: true },
  live: {
    ...{ id: 'staging.api.abcd1234', release: 'a'.repeat(40), tag: 'a'.repeat(40), digests: {} },
    ...{ revision: arn(2), verified: true, at: '2026-03-01T10:00:00.000Z', by: 'alice' },
  },
  now: new Date('2026-03-01T11:00:00.000Z'),
  ...change,
});

describe('driftOf', () => {
  it('says what runs, what Sluice did last, and the way out', () => {
    const warning = driftOf(input());
    expect(warning?.code).toBe('DRIFT');
    for (const words of [
      'staging-api:3',
      'staging-api:2',
      'staging.api.abcd1234',
      'aaaaaaa',
      'sluice promote resolve api',
    ])
      expect(warning?.message).toContain(words);
    expect(driftOf(input({ hasPromotion: false }))?.message).toContain('sluice deploy api staging');
  });

  it.each([
    ['it runs what Sluice did last', { revision: arn(2) }],
    ['a deployment runs', { busy: true }],
    ['it has not settled, or could not be read', { revision: undefined }],
    ['Sluice did nothing there yet', { live: undefined }],
    [
      'the last success is younger than the view of ECS may be',
      { now: new Date('2026-03-01T10:00:05.000Z') },
    ],
  ])('is none where %s', (_why, change) => {
    expect(driftOf(input(change))).toBeUndefined();
  });
});
