import { describe, expect, it } from 'vitest';
import { chartOf } from '../../dashboard/model/chart.js';
import { expectation, expectedWords } from '../../dashboard/model/expected.js';
import { merged } from '../../dashboard/model/merge.js';
import { durationOf, imageName, stopped } from '../../dashboard/model/words.js';
import { emptyWorld, KEPT, renewed, roadsOf, told } from '../../dashboard/model/world.js';
import { deployment, HOUR, MINUTE } from '../browser/fake/parts.js';
import { fakeWorld } from '../browser/fake/world.js';

const running = (unique: string) => deployment('api', 'staging', unique, { age: 1_000, at: 'stabilise' });
const ended = (unique: string, age = HOUR) => deployment('api', 'staging', unique, { age });
const tell = (world: typeof emptyWorld, data: ReturnType<typeof ended>) =>
  told(world, { name: 'deployment', data });

describe('the world that a page holds', () => {
  it('stays bounded however much is told, and keeps what is under way', () => {
    let world = tell(emptyWorld, running('first'));
    for (let at = 0; at < 5 * KEPT; at += 1) world = tell(world, ended(`past${at}`));
    expect(world.deployments.size).toBe(KEPT);
    expect(world.deployments.has('staging.api.first')).toBe(true);
    expect(world.deployments.has(`staging.api.past${5 * KEPT - 1}`)).toBe(true);
  });

  it('knows one thing once, by its newest state', () => {
    const world = tell(tell(emptyWorld, running('one1')), ended('one1'));
    expect([...world.deployments.values()].map(({ state }) => state)).toEqual(['finished']);
  });

  it('does not take back an end: what was asked for before it may come after it', () => {
    const world = tell(tell(emptyWorld, ended('one1')), running('one1'));
    expect([...world.deployments.values()].map(({ state }) => state)).toEqual(['finished']);
  });

  it('lets go of what a new beginning lacks, but for what had ended', () => {
    const before = [running('gone'), running('here'), ended('past')].reduce(tell, emptyWorld);
    const world = renewed(before, tell(emptyWorld, running('here')));
    expect([...world.deployments.keys()]).toEqual(['staging.api.past', 'staging.api.here']);
  });

  it('makes a road of every configured app, in that order, whatever is known of it', () => {
    const { settings } = fakeWorld();
    const roads = roadsOf(emptyWorld, settings);
    expect(roads.map(({ app }) => app)).toEqual(settings.apps.map(({ app }) => app));
    expect(roads.at(-1)).toMatchObject({ releaseOnly: true, hasQueue: false });
  });
});

describe('the history', () => {
  it('takes in what the stream tells, where the filter lets it, unfinished first', () => {
    const read = [ended('new1', HOUR), ended('old1', 9 * HOUR)];
    const news = new Map(
      [running('now1'), ended('mid1', 5 * HOUR), ended('past', 30 * HOUR)].map((one) => [one.id, one]),
    );
    const ids = (filter: object) => merged({ read, told: news, filter }).map(({ id }) => id.split('.')[2]);
    // What ended before all that was read belongs to a later page.
    expect(ids({})).toEqual(['now1', 'new1', 'mid1', 'old1']);
    expect(ids({ outcome: 'succeeded' })).toEqual(['new1', 'mid1', 'old1']);
    expect(ids({ app: 'frontend' })).toEqual([]);
  });

  it('charts what ended within its box, later to the right, longer above', () => {
    const long = { ...ended('long', 2 * HOUR), finishedAt: new Date(Date.now() - 90 * MINUTE).toISOString() };
    const chart = chartOf([ended('new1', HOUR), long, running('now1')], { width: 400, height: 100 });
    const [first, second] = chart?.points ?? [];
    expect(chart?.points).toHaveLength(2);
    expect(first?.x).toBe(400);
    expect(second?.x).toBe(0);
    expect(second?.y).toBeLessThan(first?.y ?? 0);
    for (const { y } of chart?.points ?? []) expect(y).toBeGreaterThanOrEqual(0);
    expect(chartOf([running('now1')], { width: 400, height: 100 })).toBeUndefined();
  });
});

describe('the expected time', () => {
  it('is the median of what succeeded here, and says when it takes longer', () => {
    const expected = expectation([ended('a1'), ended('b1'), running('c1')]);
    expect(expected).toEqual({ ms: 203_000, of: 2 });
    expect(expectation([])).toBeUndefined();
    const words = expectedWords({ ms: 203_000, of: 2 }, 60_000);
    expect(words).toBe('about 2 min left (usually 3 min, by the last 2 that succeeded here)');
    expect(expectedWords({ ms: 203_000, of: 2 }, 323_000)).toMatch(/^2 min longer than usual/);
  });
});

describe('words', () => {
  it('says durations as exactly as somebody who waits needs them', () => {
    expect(
      [300, 4_200, 75_000, 12 * MINUTE, 3 * HOUR, 3 * HOUR + 5 * MINUTE, 26 * HOUR, 50 * HOUR].map(
        durationOf,
      ),
    ).toEqual([...['0.3 s', '4 s', '75 s', '12 min', '3 h', '3 h 5 min', '1 day', '2 days']]);
    expect(durationOf(-5_000)).toBe('0.0 s');
  });

  it('makes a sentence of what the API says', () => {
    const sha = '1a2b3c4'.padEnd(40, '0');
    expect(stopped(`production runs before-sluice, which ${sha} does not contain`)).toBe(
      'production runs before-sluice, which 1a2b3c4 does not contain.',
    );
    expect(stopped('is it?')).toBe('is it?');
  });

  it('takes an image reference apart', () => {
    expect(imageName(`r.example:5000/a/b:${'1a2b3c4'.padEnd(40, '0')}@sha256:${'ab'.repeat(32)}`)).toEqual({
      ...{ name: 'b', tag: '1a2b3c4', digest: 'abababababab' },
    });
    expect(imageName('b')).toEqual({ name: 'b', tag: '', digest: '' });
  });
});
