/**
 * Every way through the queue, in a small world: what must never happen does not, and from everywhere people and
 * the system can go on. `SLUICE_EXPLORE_SECONDS=600 npx vitest run test/domain/promotion/explorer.test.ts` goes
 * deeper: with more time for each part, more of it is gone through.
 */
import { describe, expect, it } from 'vitest';
import type { Settings, World } from './model.js';
import { explore } from './explorer.js';

const NOTHING: World['left'] = {
  foreign: 0,
  rebuild: 0,
  outside: 0,
  rollback: 0,
  lock: 0,
  mute: 0,
  fail: 0,
  inconclusive: 0,
};

const LATEST = { queue: 'latest', approval: 'required' } as const;

/** What may happen besides merges, successes and what people choose. */
const PARTS: [string, Partial<World['left']>, Partial<Settings>][] = [
  ['all goes well', {}, { merges: 3 }],
  ['deployments and tests fail', { fail: 2 }, {}],
  ['tests tell nothing', { inconclusive: 3 }, {}],
  ['somebody deploys beside Sluice', { foreign: 1 }, {}],
  ['staging gets another image of the same release', { rebuild: 1, fail: 2 }, { merges: 1 }],
  ['somebody deploys through Sluice', { outside: 1 }, {}],
  ['somebody fails to deploy through Sluice', { outside: 1, fail: 1 }, { merges: 1 }],
  ['production is rolled back', { rollback: 1 }, {}],
  ['production is rolled back beside a failure', { rollback: 1, fail: 1 }, { merges: 1 }],
  ['the queue is locked', { lock: 1, fail: 1 }, {}],
  ['an endpoint tells nothing', { mute: 1 }, {}],
  ['every merge', { fail: 1, lock: 1 }, { policy: { ...LATEST, queue: 'every-merge' } }],
  ['the queue is off', { fail: 1 }, { policy: { ...LATEST, queue: 'off' } }],
  ['approved by itself', { rollback: 1, fail: 1 }, { policy: { ...LATEST, approval: 'automatic' } }],
  ['no tests', { foreign: 1, fail: 1 }, { tests: false }],
];

const SECONDS = Number(process.env['SLUICE_EXPLORE_SECONDS'] || 0) || 2 * PARTS.length;

describe('everything that can happen to a promotion queue', () => {
  it.each(PARTS)(
    '%s',
    (_words, left, settings) => {
      const found = explore(
        { policy: LATEST, merges: 2, tests: true, ...settings, left: { ...NOTHING, ...left } },
        { ms: (SECONDS * 1_000) / PARTS.length, worlds: 5_000_000 },
      );
      expect(found.broken).toBeUndefined();
      expect(found.stuck?.way).toBeUndefined();
      expect([...found.stages]).toContain('production');
      expect(found.worlds).toBeGreaterThan(100);
    },
    SECONDS * 1_000 + 20_000,
  );
});
