/**
 * Workflow `notice/{deployment id}`: tells people of a deployment's changes, in order, retried on its own.
 * Nobody waits for it (rule 8). It ends when it has told of the end.
 */
import { condition, defineSignal, log, setHandler } from '@temporalio/workflow';
import type { Notice } from '../domain/messages.js';
import { SIGNAL } from '../domain/messages.js';
import { deliveries } from './effects.js';

/** Longer than any deployment lives: one that was terminated never tells its end. */
const GIVEN_UP_AFTER = '7 days';

export async function notice(first?: Notice): Promise<void> {
  const waiting: Notice[] = first ? [first] : [];
  setHandler(defineSignal<[Notice]>(SIGNAL.notice), (one) => void waiting.push(one));

  for (;;) {
    if (!(await condition(() => waiting.length > 0, GIVEN_UP_AFTER, { summary: 'the next change' }))) return;
    const next = waiting.shift();
    if (!next) continue;
    try {
      await deliveries.deliver(next);
    } catch (error) {
      log.warn('A notice was given up', { change: next.change, error: String(error) });
    }
    if (next.change === 'ended' && waiting.length === 0) return;
  }
}
