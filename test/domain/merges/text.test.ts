import { describe, expect, it } from 'vitest';
import { mergeText } from '../../../domain/merges/text.js';
import { oneLine } from '../../../domain/one-line.js';

describe('mergeText', () => {
  it.each([
    ['Mend the search (#12)', '', { title: 'Mend the search', pullRequest: 12 }],
    [
      'Revert "Mend the search (#12)" (#15)',
      '',
      { title: 'Revert "Mend the search (#12)"', pullRequest: 15 },
    ],
    [
      'Merge pull request #7 from sara/search',
      'Mend the search\n\nmore',
      { title: 'Mend the search', pullRequest: 7 },
    ],
    [
      'Merge pull request #7 from sara/search',
      '\n',
      { title: 'Merge pull request #7 from sara/search', pullRequest: 7 },
    ],
    ['Mend #12 at last', '', { title: 'Mend #12 at last' }],
    ['Mend (#12) at last', '', { title: 'Mend (#12) at last' }],
    ['(#12)', '', { title: '(#12)' }],
    ['Mend (#0x12)', '', { title: 'Mend (#0x12)' }],
    ['', '', { title: '' }],
  ])('%s', (subject, body, expected) => {
    expect(mergeText({ subject, body })).toEqual(expected);
  });

  it('bounds a title, and cuts no character in half', () => {
    expect(oneLine(`  a \t b\n c `)).toBe('a b c');
    expect(oneLine('🚀'.repeat(200))).toBe('🚀'.repeat(200));
    expect(oneLine('🚀'.repeat(201))).toBe(`${'🚀'.repeat(199)}…`);
  });
});
