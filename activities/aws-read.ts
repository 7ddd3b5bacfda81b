/** Reads of AWS, tried again within their activity's attempt. Writes never come here (rule 2). */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { awsFailure } from './aws-errors.js';

const TRIES = 4;
const FIRST_PAUSE_MS = 150;

/**
 * An activity of a dozen reads that started all over for one of them would, while AWS throttles every third
 * call, never come to its end. Few tries and short pauses: an outage is Temporal's to wait out, and people see it.
 * @throws the last error as it is; the reason of the activity's cancellation
 */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const { cancellationSignal: signal } = Context.current();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === TRIES || awsFailure(error, '').nonRetryable) throw error;
      // Apart from each other: those that were throttled together would come again together.
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
    }
  }
}
