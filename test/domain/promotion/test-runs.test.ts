import { describe, expect, it } from 'vitest';
import type { TestRun } from '../../../domain/promotion/effects.js';
import { endedOf, nextLookIn } from '../../../domain/promotion/test-runs.js';

const run = (given: Partial<TestRun>): TestRun => ({
  id: 1,
  url: 'https://github.example/run/1',
  attempt: 1,
  status: 'completed',
  conclusion: 'success',
  ...given,
});

describe('endedOf', () => {
  it.each(['queued', 'in_progress', 'waiting', 'requested', 'pending'])(
    'goes on while it is %s',
    (status) => {
      expect(endedOf(run({ status, conclusion: null }))).toBeUndefined();
      // A re-run keeps nothing of the conclusion before.
      expect(endedOf(run({ status, conclusion: 'failure' }))).toBeUndefined();
    },
  );

  it('goes on where it is completed and GitHub does not say how', () => {
    expect(endedOf(run({ conclusion: null }))).toBeUndefined();
  });

  it.each([
    ['success', 'passed'],
    ['failure', 'failed'],
    ...[
      'cancelled',
      'timed_out',
      'skipped',
      'neutral',
      'stale',
      'action_required',
      'startup_failure',
      'something_new',
      'constructor',
    ].map((conclusion) => [conclusion, 'inconclusive']),
  ])('%s is %s', (conclusion, state) => {
    const ended = endedOf(run({ conclusion }));
    expect(ended).toMatchObject({ state, url: 'https://github.example/run/1' });
    expect(ended?.detail).toMatch(/^[^\n]{4,120}$/);
  });

  it('counts a re-run as what it is now, and says which it was', () => {
    expect(endedOf(run({ attempt: 2 }))?.detail).toBe('passed at attempt 2 of the run');
    expect(endedOf(run({ attempt: 3, conclusion: 'failure' }))?.detail).toBe(
      'failed at attempt 3 of the run',
    );
    expect(endedOf(run({ attempt: 2, conclusion: 'cancelled' }))?.detail).toBe(
      'the run was cancelled at attempt 2 of the run',
    );
  });
});

describe('nextLookIn', () => {
  it('slows down', () => {
    expect([0, 599_999, 600_000, 3_600_000].map(nextLookIn)).toEqual([10_000, 10_000, 30_000, 30_000]);
  });
});
