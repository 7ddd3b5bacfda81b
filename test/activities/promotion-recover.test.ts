/** What a promotion queue that starts anew finds of its last run, while visibility lags behind. */
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createQueueMessages } from '../../activities/promotion/queue.js';
import { config } from '../api/harness.js';
import { MEMO } from '../../domain/messages.js';
import { emptyQueue } from '../../domain/promotion/state.js';

interface Run {
  runId: string;
  startTime: Date;
  /** As visibility has it, in capitals and as it is asked for. */
  listed: string;
  /** As it is. */
  status: string;
  /** The head of the branch that its memo names. */
  head?: string;
}

const run = (hour: number, runId: string, rest: Omit<Run, 'runId' | 'startTime'>): Run => ({
  ...{ runId, startTime: new Date(Date.UTC(2026, 2, 1, hour)), ...rest },
});

/** @returns the head that the run that asks, at 12 o'clock, recovers */
async function recovered(...earlier: Run[]): Promise<string | undefined> {
  const runs = [run(12, 'asks', { listed: 'RUNNING', status: 'RUNNING' }), ...earlier];
  const client = {
    workflow: {
      *list({ query }: { query: string }) {
        const isClosedOnly = query.includes(`ExecutionStatus != 'Running'`);
        for (const one of runs) {
          if (isClosedOnly && one.listed === 'RUNNING') continue;
          yield { workflowId: 'promotion/api', runId: one.runId, startTime: one.startTime };
        }
      },
      getHandle: (_id: string, runId: string) => ({
        describe: () => {
          const { status, head } = runs.find((one) => one.runId === runId) ?? {};
          const state = head === undefined ? undefined : { ...emptyQueue('api'), head };
          return Promise.resolve({
            status: { name: status },
            memo: state && { [MEMO.promotionState]: state, [MEMO.promotions]: { recent: [] } },
          });
        },
      }),
    },
  } as unknown as Client;
  return (await createQueueMessages({ client, config: config() }).recoverPromotions({ app: 'api' }))?.head;
}

const older = run(9, 'older', { listed: 'CONTINUED_AS_NEW', status: 'CONTINUED_AS_NEW', head: 'older' });

it('the run that was terminated a moment ago, although it is listed as running', async () => {
  const last = run(10, 'last', { listed: 'RUNNING', status: 'TERMINATED', head: 'last' });
  expect(await recovered(last)).toBe('last');
  expect(await recovered(older, last)).toBe('last');
});

it('the one before, where the last was ended before it could write', async () => {
  expect(await recovered(run(11, 'last', { listed: 'TERMINATED', status: 'TERMINATED' }), older)).toBe(
    'older',
  );
});

it('nothing, where none ran before', async () => {
  expect(await recovered()).toBeUndefined();
});
