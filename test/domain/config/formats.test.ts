import { describe, expect, it } from 'vitest';
import { isBranch, isGitUrl, isInside, isWebUrl } from '../../../domain/config/formats.js';

const table = (test: (text: string) => boolean, good: string[], bad: string[]) => {
  it.each(good)('takes %j', (text) => expect(test(text)).toBe(true));
  it.each(bad)('refuses %j', (text) => expect(test(text)).toBe(false));
};

describe('isWebUrl', () => {
  const good = ['https://openverse.org', 'http://localhost:8080/version.json?x=1', 'HTTPS://example.org'];
  const bad = ['', 'example.org', 'ftp://example.org', 'https:example.org', 'https://', 'https://a b', '/x'];
  table(isWebUrl, good, [
    ...bad,
    'https://me:secret@example.org',
    'https://token@example.org',
    'javascript:alert(1)',
  ]);
});

describe('isGitUrl', () => {
  const good = [
    'https://github.com/a/b.git',
    'ssh://git@github.com/a/b',
    'git@github.com:a/b.git',
    'file:///srv/a',
  ];
  const bad = [
    '',
    'a/b',
    '--upload-pack=x',
    'ext::sh -c id',
    'ext::sh',
    'javascript:x',
    'https://t@github.com/a/b',
  ];
  table(
    isGitUrl,
    [...good, '/srv/a.git', 'git://example.org/a'],
    [...bad, 'https://x:t@github.com/a', '-oX@h:p'],
  );
});

describe('isInside', () => {
  table(
    isInside,
    ['.', 'api', 'docker/nginx', 'a..b/c', '..a'],
    ['', '/api', '..', 'a/../b', '../api', 'a\\b', 'a\0'],
  );
});

describe('isBranch', () => {
  const bad = [
    '',
    '-x',
    'a b',
    'a..b',
    'a.lock',
    '/a',
    'a/',
    'a//b',
    'a.',
    '.a',
    'a/.b',
    'a~1',
    'a:b',
    '@',
    'a@{1}',
  ];
  table(isBranch, ['main', 'release/2024.1', 'a-b_c', 'ümläut', 'a@b'], bad);
});
