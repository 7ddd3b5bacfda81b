import { describe, expect, it } from 'vitest';
import { betweenOf } from '../../dashboard/model/between.js';
import type { Road } from '../../dashboard/model/road.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { ago, commit, merge, place, promotion, queue } from '../browser/fake/parts.js';

const [ONE, TWO, THREE, FOUR] = [
  merge('1111111', 'One', 'alice', 1),
  merge('2222222', 'Two', 'bob', 2),
  merge('3333333', 'Three', 'carol', 3),
  merge('4444444', 'Four', 'dora', 4),
] as const;
const promoted = promotion('api', [ONE], 'promoted', { finishedAt: ago(1_000) });

const road = (of: Partial<PromotionQueueView> | undefined, staging?: string, production?: string): Road => ({
  ...{ app: 'api', releaseOnly: false, hasQueue: true, deploying: {} },
  ...(of ? { queue: queue('api', of) } : {}),
  staging: place('api', 'staging', staging ? { release: staging } : {}),
  production: place('api', 'production', production ? { release: production } : {}),
});
const titles = (of: Road) => betweenOf(of)?.merges.map(({ title }) => title);

describe('the commits between staging and production', () => {
  it('are what the promotion under way brings, the carried ones too, newest first', () => {
    const current = promotion('api', [TWO, THREE], 'awaiting-approval');
    expect(betweenOf(road({ current, recent: [promoted] }, THREE.sha, ONE.sha))).toEqual({
      ahead: 'staging',
      merges: [THREE, TWO],
      isComplete: true,
      range: `${ONE.sha}...${THREE.sha}`,
    });
  });

  it('are those of one that failed or was rejected, and with what mends it those of both', () => {
    for (const stage of ['failed', 'rejected'] as const) {
      const over = promotion('api', [TWO], stage);
      expect(titles(road({ current: over, recent: [promoted] }, TWO.sha, ONE.sha))).toEqual(['Two']);
      const current = promotion('api', [THREE], 'testing');
      const recent = [over, promoted];
      expect(titles(road({ current, recent }, THREE.sha, ONE.sha))).toEqual(['Three', 'Two']);
    }
  });

  it('are none of those that wait, and each once though two promotions name it', () => {
    const current = promotion('api', [TWO, THREE], 'testing');
    const carried = promotion('api', [TWO], 'superseded', { carriedBy: current.id });
    const waiting = [promotion('api', [FOUR], 'queued')];
    expect(titles(road({ current, waiting, recent: [carried, promoted] }, THREE.sha, ONE.sha))).toEqual([
      'Three',
      'Two',
    ]);
  });

  it('are at production where staging has gone back', () => {
    const recent = [promotion('api', [TWO], 'promoted'), promoted];
    expect(betweenOf(road({ recent }, ONE.sha, TWO.sha))).toMatchObject({
      ...{ ahead: 'production', merges: [TWO], isComplete: true },
      range: `${ONE.sha}...${TWO.sha}`,
    });
  });

  it('may be more than the queue knows of where production runs what it never promoted', () => {
    const current = promotion('api', [TWO, THREE], 'testing');
    const foreign = commit('f0f0f0f');
    expect(betweenOf(road({ current }, THREE.sha, foreign))).toMatchObject({
      ...{ merges: [THREE, TWO], isComplete: false },
      range: `${foreign}...${THREE.sha}`,
    });
    expect(betweenOf(road({ current }, THREE.sha, 'before-sluice'))).not.toHaveProperty('range');
  });

  it('are left to GitHub where somebody deployed past the queue, or there is none', () => {
    const foreign = commit('f0f0f0f');
    for (const of of [{ recent: [promoted] }, undefined]) {
      expect(betweenOf(road(of, foreign, ONE.sha))).toEqual({
        ...{ ahead: 'staging', merges: [], isComplete: false },
        range: `${ONE.sha}...${foreign}`,
      });
    }
  });

  it('are none where both run the same, and not known where one does not say what it runs', () => {
    expect(betweenOf(road({ recent: [promoted] }, ONE.sha, ONE.sha))).toBeUndefined();
    expect(betweenOf(road({}, undefined, ONE.sha))).toBeUndefined();
    expect(betweenOf(road({}, ONE.sha, undefined))).toBeUndefined();
    // The promotion under way has put it there.
    const current = promotion('api', [TWO], 'testing');
    expect(titles(road({ current, recent: [promoted] }, undefined, ONE.sha))).toEqual(['Two']);
    const early = promotion('api', [TWO], 'staging');
    expect(titles(road({ current: early, recent: [promoted] }, undefined, ONE.sha))).toBeUndefined();
  });
});
