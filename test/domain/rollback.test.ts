import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BadMark, LiveRelease } from '../../domain/messages.js';
import * as rules from '../../domain/rollback.js';
import type { RollbackPlan, RollbackRequest } from '../../domain/rollback.js';

const AT = '2026-01-01T00:00:00.000Z';
const release = (name: string): LiveRelease => ({
  ...{ id: `production.api.${name}`, release: name, tag: `rel-${name}`, digests: {}, revision: 'arn:1' },
  ...{ verified: true, at: AT, by: 'alice' },
});
const bad = (name: string): BadMark => ({ release: name, reason: 'broken', by: 'bob', at: AT });
const request: RollbackRequest = {
  ...{ id: 'production.api.abcd1234', app: 'api', environment: 'production', actor: 'alice' },
  ...{ reason: 'errors', queuedAt: AT, limits: { tellAfterMs: 1, giveUpAfterMs: 2, verifyMs: 3 } },
};
const plan: RollbackPlan = {
  ...{ tag: 'rel-1', digests: { 'openverse-api': 'sha256:1' }, release: 'r1' },
  ...{ live: { release: 'r2', tag: 'rel-2' }, warnings: [{ code: 'X', message: 'x' }] },
};

describe('the target without a tag', () => {
  const verified = ['r3', 'r2', 'r1'].map(release);
  const choose = (live: string | undefined, ...marks: string[]): string | undefined =>
    rules.chooseTarget({ verified, ...(live ? { live } : {}), bad: marks.map(bad) })?.release;

  it.each([
    ['the one before the live one', 'r3', [], 'r2'],
    ['the newest, where the live one was never verified', 'r4', [], 'r3'],
    ['an older one, where an old one is live', 'r2', [], 'r1'],
    ['passes a bad one', 'r3', ['r2'], 'r1'],
    ['none before the first', 'r1', [], undefined],
    ['none where all before are bad', 'r3', ['r1', 'r2'], undefined],
    ['the newest, where nothing is known of what is live', undefined, [], 'r3'],
  ] as const)('is %s', (_words, live, marks, target) => expect(choose(live, ...marks)).toBe(target));

  it('is never bad, never the live one, and always older than it', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'));
    const any = fc.record({
      all: names,
      live: fc.constantFrom('a', 'b', 'c', 'z'),
      marked: names,
    });
    fc.assert(
      fc.property(any, ({ all, live, marked }: { all: string[]; live: string; marked: string[] }) => {
        const target = rules.chooseTarget({ verified: all.map(release), live, bad: marked.map(bad) });
        const older = all.slice(all.indexOf(live) + 1).filter((name) => !marked.includes(name));
        expect(target?.release).toBe(older[0]);
        expect(target?.release).not.toBe(live);
      }),
    );
  });
});

describe('the deployment of a rollback', () => {
  it('has the digests of the target, the rollback as parent, and in production replaces what waits', () => {
    expect(rules.rollbackDeployment({ ...request, now: true, override: true }, { plan })).toMatchObject({
      ...{ id: request.id, kind: 'rollback', tag: 'rel-1', digests: plan.digests, warnings: plan.warnings },
      parent: { type: 'rollback', id: 'rollback/production/api/abcd1234' },
      ...{ now: true, override: true, supersedes: true, checkActor: true, reason: 'errors' },
    });
  });

  it('of staging replaces nothing', () => {
    const staging = { ...request, id: 'staging.api.abcd1234', environment: 'staging' };
    expect(rules.rollbackDeployment(staging, { plan }).supersedes).toBeUndefined();
    expect(rules.markFor(staging, plan, AT)).toBeUndefined();
  });

  it('decides at its turn, where something goes before it', () => {
    const made = rules.rollbackDeployment({ ...request, tag: 'T' }, { undecided: 'production.api.x', plan });
    expect(made).toMatchObject({ decide: true, tag: 'T' });
    expect(made.digests).toBeUndefined();
  });

  it('is readable before there is one', () => {
    const record = rules.rollbackRecord(request);
    expect(record).toMatchObject({ id: request.id, kind: 'rollback', state: 'queued', actor: 'alice' });
    expect(record).not.toHaveProperty('tag');
    expect(record).not.toHaveProperty('supersedes');
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });

  it('needs a deployment’s id', () =>
    expect(() => rules.rollbackRecord({ ...request, id: 'x' })).toThrow('no id'));
});

describe('the mark', () => {
  it('is on the live release of production, in one bounded line', () => {
    const reason = ` many\nlines\t${'x'.repeat(10_000)}`;
    const mark = rules.markFor({ ...request, reason }, plan, AT);
    expect(mark).toMatchObject({ release: 'r2', tag: 'rel-2', by: 'alice', at: AT });
    expect(mark?.reason).toMatch(/^many lines x{100,}$/);
    expect(mark?.reason.length).toBeLessThanOrEqual(500);
  });

  it('is on none where the live one is unknown, or is where it goes', () => {
    const { live: _live, ...unknown } = plan;
    expect(rules.markFor(request, unknown, AT)).toBeUndefined();
    expect(rules.markFor(request, { ...plan, release: 'r2' }, AT)).toBeUndefined();
  });
});

describe('an unknown tag', () => {
  const day = (n: number): string => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`;
  const commit = 'abc1234'.padEnd(40, '0');
  const tags = [
    { tag: 'rel-2026.01.01.00.00.00', pushedAt: day(1) },
    { tag: 'rel-2026.01.02.00.00.00', pushedAt: day(2) },
    { tag: commit, pushedAt: day(3) },
    { tag: 'latest', pushedAt: day(9) },
  ];

  it('gets the tags that may have been meant', () => {
    expect(rules.nearestTags('abc1234', tags)).toEqual([commit]);
    expect(rules.nearestTags('latset', tags)).toEqual([]);
    expect(rules.nearestTags('lates', tags)).toEqual(['latest']);
    expect(rules.nearestTags('rel-2026.01.01.00.00.01', tags)).toEqual([
      'rel-2026.01.01.00.00.00',
      'rel-2026.01.02.00.00.00',
    ]);
    expect(rules.nearestTags('x'.repeat(10_000), tags)).toEqual([]);
  });

  it('gets the newest ones, five at most', () => {
    expect(rules.recentTags(tags)[0]).toBe('latest');
    const many = Array.from({ length: 20 }, (_, i) => ({ tag: `t${i}`, pushedAt: day(i + 1) }));
    expect(rules.recentTags(many)).toEqual(['t19', 't18', 't17', 't16', 't15']);
  });

  it('is compared by a distance', () => {
    const text = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const distance = (one: string, other: string): number => rules.editDistance(one, other, 100);
        expect(distance(a, a)).toBe(0);
        expect(distance(a, b)).toBe(distance(b, a));
        expect(distance(a, b) === 0).toBe(a === b);
        expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
        expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it('is compared no further than asked for', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), fc.nat(4), (a, b, most) => {
        expect(rules.editDistance(a, b, most)).toBe(Math.min(rules.editDistance(a, b, 100), most + 1));
      }),
    );
  });
});
