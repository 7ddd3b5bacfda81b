import { describe, expect, it } from 'vitest';
import { detectionSeconds } from '../../../domain/rollout/detection.js';
import type { Stabilised } from '../../../domain/effects.js';
import { rollout } from '../../support/scripted.js';

const NOW = '2026-01-01T00:01:00.000Z';
const seen = (messages: [string, string][], verdict: Stabilised['verdict'] = 'stable'): Stabilised => ({
  verdict,
  message: 'as read',
  rollout: { ...rollout, events: messages.map(([at, message]) => ({ at, message })) },
});
const STEADY = '(service web) has reached a steady state.';

describe('how soon the end of a rollout was seen', () => {
  it('counts from the last time that ECS said so', () => {
    const messages: [string, string][] = [
      ['2026-01-01T00:00:10.000Z', STEADY],
      ['2026-01-01T00:00:59.500Z', '(service web) (deployment ecs-svc/1) deployment completed.'],
      ['2026-01-01T00:00:59.900Z', '(service web) has started 1 tasks'],
    ];
    expect(detectionSeconds(seen(messages), NOW)).toBe(0.5);
    expect(detectionSeconds(seen(messages, 'rolled-back'), NOW)).toBe(0.5);
  });

  it('is never negative, however the clocks differ', () => {
    expect(detectionSeconds(seen([['2026-01-01T00:01:03.000Z', STEADY]]), NOW)).toBe(0);
  });

  it('is unknown where ECS said nothing, and for what has not come to rest', () => {
    expect(detectionSeconds(seen([]), NOW)).toBeUndefined();
    expect(detectionSeconds(seen([[NOW, STEADY]], 'timed-out'), NOW)).toBeUndefined();
    expect(detectionSeconds(seen([[NOW, STEADY]], 'superseded'), NOW)).toBeUndefined();
  });
});
