import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../../domain/config/parse.js';
import { editDistance, nearest, showPath } from '../../../domain/config/problems.js';

const PROBLEM = /^f\.yaml:[1-9][0-9]*: \S/;
const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,12}$/);

const keys = [
  'repository',
  'apps',
  'api',
  'images',
  'container',
  'environments',
  'tests',
  'limits',
  'staging',
];
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 5 }, tie('leaf'), tie('list'), tie('map')),
  leaf: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double()),
  list: fc.array(tie('tree'), { maxLength: 3 }),
  map: fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), tie('tree'), { maxKeys: 6 }),
}));

describe('parseConfig', () => {
  it('answers any text with a configuration or with problems that name a line', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', ':', ' ', '\n', '-', '[', '{', '&', '*', '!', '"') }),
    );
    fc.assert(
      fc.property(text, (yaml) => {
        const parsed = parseConfig(yaml, 'f.yaml');
        expect('problems' in parsed && parsed.problems.length > 0).toBe(true);
        if ('problems' in parsed) for (const problem of parsed.problems) expect(problem).toMatch(PROBLEM);
      }),
    );
  });

  it('answers any structure so, and no line lies outside the file', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const yaml = stringify({
          repository: { owner: 1 },
          ...(typeof value === 'object' ? value : { value }),
        });
        const parsed = parseConfig(yaml, 'f.yaml');
        const lines = yaml.split('\n').length;
        const problems = 'problems' in parsed ? parsed.problems : [];
        expect(problems.length).toBeGreaterThan(0);
        for (const problem of problems) {
          expect(problem).toMatch(PROBLEM);
          expect(Number(problem.split(':')[1])).toBeLessThanOrEqual(lines);
        }
      }),
    );
  });

  it('takes every file of good names, and gives a lane to each app and environment', () => {
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(names, names, (apps, environments) => {
        const file = {
          repository: { owner: 'o', name: 'n', branch: 'main' },
          maintainers: { org: 'o', team: 't' },
          aws: { region: 'us-east-1' },
          environments: Object.fromEntries(environments.map((each) => [each, { cluster: `c-${each}` }])),
          apps: Object.fromEntries(
            apps.map((app) => [
              app,
              {
                paths: ['**'],
                images: [
                  { container: 'web', repository: `repo-${app.replaceAll(/[_-]+/g, '')}x`, context: '.' },
                ],
                environments: Object.fromEntries(
                  environments.map((each) => [each, { service: `${each}-${app}-s` }]),
                ),
              },
            ]),
          ),
        };
        const parsed = parseConfig(stringify(file), 'f.yaml');
        if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
        expect(Object.keys(parsed.config.apps).sort()).toEqual([...apps].sort());
        for (const app of Object.values(parsed.config.apps)) {
          expect(Object.keys(app.environments).sort()).toEqual([...environments].sort());
        }
      }),
    );
  });
});

describe('nearest', () => {
  const known = ['versionUrl', 'url', 'logsUrl', 'runbookUrl', 'template', 'family', 'service'];
  it.each([
    ['version_url', 'versionUrl'],
    ['verionUrl', 'versionUrl'],
    ['evrsionUrl', 'versionUrl'],
    ['famly', 'family'],
    ['URL', 'url'],
    ['services', 'service'],
    ['banana', undefined],
    ['x', undefined],
  ])('%s → %s', (word, expected) => expect(nearest(word, known)).toBe(expected));

  it('finds a known word again', () => {
    for (const word of known) expect(nearest(word, known)).toBe(word);
  });
});

describe('editDistance', () => {
  it('is zero for the same, symmetric, and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });

  it('counts a swap of neighbours once', () => expect(editDistance('tset', 'test')).toBe(1));
});

describe('showPath', () => {
  it('reads like the key in the file', () => {
    expect(showPath(['apps', 'api', 'images', 0, 'repository'])).toBe('apps.api.images[0].repository');
    expect(showPath(['apps', 'a.b', 'x y'])).toBe('apps["a.b"]["x y"]');
    expect(showPath([])).toBe('');
  });
});
