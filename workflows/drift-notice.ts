/** Workflow `notice/drift/…`: tells people once that a service runs something else than it should. Nobody waits for it. */
import { log } from '@temporalio/workflow';
import type { DriftNotice } from '../domain/messages.js';
import { deliveries } from './effects.js';
import { wordsOf } from './failure.js';

const CHANNELS = ['deliverDrift', 'driftSlack'] as const;

export async function driftNotice(drift: DriftNotice): Promise<void> {
  await Promise.all(
    CHANNELS.map(async (channel) => {
      try {
        await deliveries[channel](drift);
      } catch (error) {
        log.warn('A notice was given up', { channel, error: wordsOf(error) });
      }
    }),
  );
}
