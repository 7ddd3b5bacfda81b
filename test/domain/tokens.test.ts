import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOfClient, refusalOfKind, tokenKind } from '../../domain/tokens.js';

const REST = 'A1b2C3d4E5f6G7h8I9j0A1b2C3d4E5f6G7h8';

describe('tokenKind', () => {
  it.each([
    [`ghp_${REST}`, 'personal'],
    [`github_pat_11ABC_${REST}`, 'personal'],
    [`gho_${REST}`, 'oauth'],
    [`ghu_${REST}`, 'oauth'],
    [`ghs_${REST}`, 'installation'],
    ['ghs_12_eyJhbGciOi.eyJpc3Mi.c2ln-bmF0dXJl', 'installation'],
    [`ghr_${REST}`, 'refresh'],
    ['0123456789abcdef0123456789abcdef01234567', 'classic'],
    ['0123456789ABCDEF0123456789ABCDEF01234567', 'classic'],
    ['0123456789abcdef0123456789abcdef0123456', 'unknown'],
    ['glpat-abcdefgh', 'unknown'],
    ['GHP_abc', 'unknown'],
    ['ghp_', 'unknown'],
    ['ghp_a.b', 'unknown'],
    ['ghp', 'unknown'],
    ['', 'unknown'],
  ])('%s is %s', (token, kind) => expect(tokenKind(token)).toBe(kind));

  it('takes nothing that has no prefix of ours', () => {
    const taken = /^(?:ghp_|github_pat_|gho_|ghu_)[A-Za-z0-9_]+$/;
    fc.assert(
      fc.property(fc.string(), (text) => {
        const isTaken = refusalOfKind(tokenKind(text)) === undefined;
        expect(isTaken).toBe(taken.test(text));
      }),
    );
  });
});

describe('refusals', () => {
  it.each(['installation', 'refresh', 'classic', 'unknown'] as const)(
    '%s: says what to do instead',
    (kind) => {
      expect(refusalOfKind(kind)).toMatch(/make a personal token.*gh auth token/);
    },
  );

  it('takes an OAuth token of a listed client only', () => {
    expect(refusalOfClient('cli', ['cli', 'own'])).toBeUndefined();
    expect(refusalOfClient('CLI', ['cli'])).toContain('of another app');
    expect(refusalOfClient(undefined, ['cli'])).toContain('an app that GitHub does not name');
    expect(refusalOfClient('cli', [])).toContain('access.oauthClients');
  });
});
