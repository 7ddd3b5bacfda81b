/** Calls of AWS and the registry that are tried again within their activity's attempt. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { isThrottling } from '../clients/aws-calls.js';
import { awsFailure } from './aws-errors.js';

const TRIES = 4;
const FIRST_PAUSE_MS = 150;

const passes = (error: unknown): boolean => !awsFailure(error, '').nonRetryable;

/**
 * For reads. An activity of a dozen reads that started all over for one of them would, while AWS throttles every
 * third call, never come to its end. Few tries and short pauses: an outage is Temporal's to wait out, and people
 * see it.
 * @param mayPass whether an error is worth another try
 * @throws the last error as it is; the reason of the activity's cancellation
 */
export async function patiently<T>(call: () => Promise<T>, mayPass = passes, tries = TRIES): Promise<T> {
  const { cancellationSignal: signal } = Context.current();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === tries || !mayPass(error)) throw error;
      // Apart from each other: those that were throttled together would come again together.
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
    }
  }
}

/**
 * For writes: a throttled one was refused and nothing was done, so it may be sent once more at once. After any
 * other failure it may have been done: the next attempt looks first (rule 2).
 */
export const unlessThrottled = <T>(call: () => Promise<T>): Promise<T> => patiently(call, isThrottling, 2);
