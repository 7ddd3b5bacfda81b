import { describe, expect, it } from 'vitest';
import { appsTouched } from '../../../domain/merges/paths.js';

const touched = (patterns: string[], ...files: string[]): boolean =>
  appsTouched({ api: patterns })(files).has('api');

describe('appsTouched', () => {
  it('names every app that a file belongs to, and no other', () => {
    const apps = appsTouched({ api: ['api/**', 'docker/nginx/**'], frontend: ['frontend/**'], all: ['**'] });
    expect([...apps(['api/a.py', 'README.md'])]).toEqual(['api', 'all']);
    expect([...apps(['docker/nginx/x', 'frontend/y'])]).toEqual(['api', 'frontend', 'all']);
    expect([...apps(['docs/x'])]).toEqual(['all']);
    expect([...apps([])]).toEqual([]);
    expect([...appsTouched({})(['x'])]).toEqual([]);
  });

  it.each([
    ['api/**', 'api/.env.docker', true],
    ['api/**', 'api/.github/x/y', true],
    ['**', '.gitignore', true],
    ['api/**', 'api', true],
    ['api/**', 'apis/x', false],
    ['api/**', 'x/api/y', false],
    ['**/api/**', 'x/api/y', true],
    ['api/*', 'api/x/y', false],
    ['api/*.py', 'api/x.py', true],
    ['*.md', 'docs/x.md', false],
    ['**/*.md', 'x.md', true],
    ['{api,web}/**', 'web/x', true],
    ['api/v[12]/**', 'api/v2/x', true],
    ['api/!(docs)/**', 'api/docs/x', false],
    ['api/!(docs)/**', 'api/src/x', true],
    ['package.json', 'package.json', true],
    ['package.json', 'x/package.json', false],
    ['api/**', 'api/a\nb\n/c\n', true],
    ['api/**/x.py', 'api/a\nb/x.py', true],
    ['api/**', 'api/\u{fffd}\u{fffd}', true],
    ['api/**', 'api\\x', false],
    ['api/**', 'API/x', false],
  ])('%s and %j: %s', (pattern, file, expected) => {
    expect(touched([pattern], file)).toBe(expected);
  });

  it('takes each file by itself: none fits with another’s folder', () => {
    expect(touched(['api/**'], 'ap', 'i/x')).toBe(false);
    expect(touched(['api/**'], 'docs/a', 'api/b')).toBe(true);
  });
});
