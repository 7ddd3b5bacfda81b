import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { later, refuse } from '../../activities/failure.js';
import { createFailuresInterceptor } from '../../worker/failures.js';

const SECRET = 'the-database-password';

async function leaving(error: unknown): Promise<{ left: unknown; logged: unknown[] }> {
  const logged: unknown[] = [];
  const { execute } = createFailuresInterceptor({ error: (line: unknown) => void logged.push(line) });
  try {
    await execute?.({} as ActivityExecuteInput, () => {
      throw error;
    });
  } catch (left) {
    return { left, logged };
  }
  throw new Error('it did not fail');
}

describe('an error that leaves an activity', () => {
  it('keeps its code and whether it may mend, and loses its stack', async () => {
    const { left } = await leaving(refuse('TAG_NOT_FOUND', 'openverse-api has no tag x', { lastLines: [] }));
    expect(left).toMatchObject({
      type: 'TAG_NOT_FOUND',
      nonRetryable: true,
      details: [{ lastLines: [] }],
      stack: '',
    });
    const waiting = await leaving(later('AWS_DOWN', 'throttled', 5_000));
    expect(waiting.left).toMatchObject({
      type: 'AWS_DOWN',
      nonRetryable: false,
      nextRetryDelay: 5_000,
      category: 'BENIGN',
    });
    expect(waiting.logged).toEqual([]);
  });

  it('is scrubbed of what looks like a token', async () => {
    const { left } = await leaving(refuse('BUILD_FAILED', 'with ghp_0123456789abcdefghij0123456789abcdef'));
    expect((left as Error).message).toBe('with ***');
  });

  it.each([
    ['a foreign error', Object.assign(new Error(`env ${SECRET}`), { name: 'ValidationException' })],
    [
      'a failure with a type that is no code',
      ApplicationFailure.create({ type: 'Whatever', message: SECRET }),
    ],
    ['something that is no error', SECRET],
  ])('is no more than a class where it is %s', async (_what, error) => {
    const { left, logged } = await leaving(error);
    expect(left).toMatchObject({ type: 'INTERNAL', nonRetryable: false });
    expect((left as Error).cause).toBeUndefined();
    expect(JSON.stringify([left, (left as Error).message, logged])).not.toContain(SECRET);
    expect(logged).toHaveLength(1);
  });

  it('is left as it is where it is a cancellation', async () => {
    const cancelled = new CancelledFailure('stopped');
    expect((await leaving(cancelled)).left).toBe(cancelled);
  });
});
