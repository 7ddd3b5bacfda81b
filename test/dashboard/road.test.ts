import { describe, expect, it } from 'vitest';
import { possibleOf } from '../../dashboard/model/next.js';
import type { Road } from '../../dashboard/model/road.js';
import { gateOf, reachOf, sayingsOf } from '../../dashboard/model/road.js';
import type { Code } from '../../domain/codes.js';
import type { PromotionQueueView, Stage } from '../../domain/promotion/promotion.js';
import { STAGES } from '../../domain/promotion/promotion.js';
import {
  ago,
  commit,
  deployment,
  merge,
  passed,
  place,
  promotion,
  queue,
  waits,
} from '../browser/fake/parts.js';

const OLD = commit('9f8e7d6');
const merges = [merge('1a2b3c4', 'Search by collection', 'alice', 7)];

const road = (of: PromotionQueueView | undefined, more: Partial<Road> = {}): Road => ({
  app: 'api',
  releaseOnly: false,
  hasQueue: true,
  ...(of ? { queue: of } : {}),
  staging: place('api', 'staging', { release: commit('1a2b3c4') }),
  production: place('api', 'production', { release: OLD }),
  deploying: {},
  ...more,
});

const at = (stage: Stage, more: Parameters<typeof promotion>[3] = {}): PromotionQueueView =>
  queue('api', { state: 'busy', current: promotion('api', merges, stage, more) });

describe('the gate', () => {
  it('is open only for what awaits approval, and says what that stands on', () => {
    const open = at('awaiting-approval', { tests: passed(2), waitingFor: waits('APPROVAL', ago(1)) });
    expect(gateOf(road(open))).toEqual({ state: 'open', reason: 'Tests passed (attempt 2)' });
    const untested = at('awaiting-approval', { waitingFor: waits('APPROVAL', ago(1)) });
    expect(gateOf(road(untested)).reason).toMatch(/no tests are configured/);
    for (const stage of STAGES.filter((one) => one !== 'awaiting-approval')) {
      expect(gateOf(road(at(stage))).state, stage).not.toBe('open');
    }
  });

  it('stays, with its own words, for a code that is newer than the page', () => {
    const waitingFor = { ...waits('APPROVAL', ago(1)), code: 'MOON_FULL' as Code, detail: '' };
    const late = road(at('awaiting-approval', { waitingFor }));
    expect(gateOf(late)).toEqual({ state: 'shut', reason: 'Moon full' });
    expect(sayingsOf(late)[0]?.text).toBe('Moon full');
    const idle = queue('api', {
      state: 'waiting',
      waitingFor: { ...waitingFor, detail: 'the moon is full' },
    });
    expect(gateOf(road(idle)).reason).toBe('Moon full');
    expect(sayingsOf(road(idle))[0]?.text).toBe('The moon is full');
  });

  it('is shut by a lock, whatever awaits, and says whose', () => {
    const locked = { ...at('awaiting-approval'), lock: { by: 'bob', at: ago(1), reason: 'freeze' } };
    expect(gateOf(road(locked))).toEqual({ state: 'shut', reason: 'by bob' });
  });

  it('is shut where a condition does not hold, and opens by override only where that lifts it', () => {
    const waiting = (code: 'STAGING_MOVED' | 'PRODUCTION_MOVED' | 'RELEASE_BAD') =>
      gateOf(road(at('awaiting-approval', { waitingFor: waits(code, ago(1)) })));
    expect(waiting('STAGING_MOVED')).toMatchObject({ state: 'shut' });
    expect(waiting('STAGING_MOVED').byOverride).toBeUndefined();
    expect(waiting('PRODUCTION_MOVED')).toMatchObject({ state: 'shut', byOverride: true });
    expect(waiting('RELEASE_BAD')).toMatchObject({ state: 'shut', byOverride: true });
  });

  it('is shut while its queue is not known, and absent without one', () => {
    expect(gateOf(road(undefined)).state).toBe('shut');
    expect(gateOf(road(undefined, { hasQueue: false })).state).toBe('absent');
  });

  it('gives a reason in every stage', () => {
    for (const stage of STAGES) expect(gateOf(road(at(stage))).reason, stage).not.toBe('');
  });
});

describe('what a road waits for, in words', () => {
  it('says what, since when, who and how', () => {
    const since = ago(60_000);
    const differ = queue('api', {
      state: 'waiting',
      waitingFor: waits('ENVIRONMENTS_DIFFER', since, 'they differ'),
    });
    expect(sayingsOf(road(differ))).toEqual([
      expect.objectContaining({ tone: 'waits', text: 'They differ', since, who: 'a maintainer' }),
    ]);
  });

  it('tells of locks of the queue and of both lanes', () => {
    const lock = { by: 'bob', at: ago(1), reason: 'freeze' };
    const lane = { lock, waiting: [], waitingCount: 0 };
    const all = road({ ...queue('api'), lock }, { staging: place('api', 'staging', { lane }) });
    expect(sayingsOf(all).map(({ text }) => text)).toEqual([
      'Promotions are locked by bob: freeze',
      'Staging is locked by bob: freeze',
    ]);
  });

  it('says why a promotion failed and that a deployment waits for a worker', () => {
    const failed = at('failed', {
      failedStage: 'testing',
      failure: { code: 'TESTS_FAILED', message: '2 failed' },
    });
    expect(sayingsOf(road(failed))[0]).toMatchObject({
      tone: 'bad',
      text: '1a2b3c4 failed in testing: 2 failed',
    });
    const stuck = deployment('api', 'staging', 'abcd', {
      age: 1,
      at: 'register',
      waitingFor: waits('NO_WORKER', ago(9)),
    });
    const said = sayingsOf(road(at('staging'), { deploying: { staging: stuck } }));
    expect(said.map(({ tone }) => tone)).toContain('waits');
  });

  it('tells known, equal and unknown releases apart when nothing is on its way', () => {
    const both = (staging: string | undefined, production: string | undefined) =>
      sayingsOf(
        road(queue('api'), {
          staging: place('api', 'staging', { release: staging }),
          production: place('api', 'production', { release: production }),
        }),
      )[0]?.text;
    expect(both(OLD, OLD)).toBe('All that was merged is in production');
    expect(both(OLD, undefined)).toBe('Which release runs on production is not known');
    expect(both(OLD, commit('2'))).toBe('Nothing is on its way');
  });
});

describe('the picture', () => {
  it('shows how far the release has come, and where it failed', () => {
    expect(reachOf(road(at('staging')))).toBe('staging');
    expect(reachOf(road(at('testing')))).toBe('tests');
    expect(reachOf(road(at('awaiting-approval')))).toBe('gate');
    expect(reachOf(road(at('failed', { failedStage: 'production' })))).toBe('production');
    const same = { staging: place('api', 'staging', { release: OLD }) };
    expect(reachOf(road(queue('api'), same))).toBe('production');
  });
});

describe('what can be done', () => {
  it('offers retry where something failed or told nothing, and not while locked', () => {
    expect(possibleOf(at('failed', { failedStage: 'staging' }))).toMatchObject({
      retry: true,
      reject: false,
    });
    const lock = { by: 'bob', at: ago(1), reason: 'freeze' };
    expect(possibleOf({ ...at('failed'), lock }).retry).toBe(false);
    const moved = at('testing', { waitingFor: waits('STAGING_MOVED', ago(1)) });
    expect(possibleOf(moved)).toEqual({ retry: true, reject: true, resolve: ['adopt'] });
  });

  it('offers override only where the queue waits for it', () => {
    expect(possibleOf(queue('api')).resolve).toEqual([]);
    const differ = queue('api', { waitingFor: waits('ENVIRONMENTS_DIFFER', ago(1)) });
    expect(possibleOf(differ).resolve).toContain('override');
    expect(possibleOf(at('rejected')).resolve).toEqual(['restore-staging']);
  });
});
