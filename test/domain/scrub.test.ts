import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASK, scrub, scrubber } from '../../domain/scrub.js';

/** Cannot be made of the mask and its neighbours. */
const secret = fc.stringMatching(/^[A-Za-z0-9+/=_.-]{4,60}$/);

describe('scrubber', () => {
  it('lets no known secret through, whatever stands around it', () => {
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        fc.array(fc.string()),
        (secrets, around) => {
          const hide = scrubber(secrets);
          const text = around.concat(secrets).join(' ') + secrets.join('');
          for (const one of secrets) expect(hide(text)).not.toContain(one);
        },
      ),
    );
  });

  it('knows their other spellings', () => {
    const value = 'pa:ss/wörd+1';
    const hide = scrubber([value]);
    expect(hide(`url ${encodeURIComponent(value)} end`)).toBe(`url ${MASK} end`);
    expect(hide(`blob ${Buffer.from(value).toString('base64')} end`)).toBe(`blob ${MASK} end`);
    expect(scrubber(['first line\nsecond line'])('a second line b')).toBe(`a ${MASK} b`);
  });

  it('leaves short values, and everything else, readable', () => {
    expect(scrubber(['1', '', undefined])('Step 1/3 : FROM scratch')).toBe('Step 1/3 : FROM scratch');
    expect(scrubber(['\ud800'.repeat(4)])('fine')).toBe('fine');
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z0-9]{0,12}$/)),
        (words) => scrub(words.join(' ')) === words.join(' '),
      ),
    );
  });
});

describe('scrub', () => {
  const token = 'abcdefghijklmnopqrstuvwxyz0123456789';

  it.each([
    [`got ghp_${token}.`, `got ${MASK}.`],
    [`github_pat_${token}`, MASK],
    [`ghs_${token} gho_${token}`, `${MASK} ${MASK}`],
    ['key AKIAIOSFODNN7EXAMPLE!', `key ${MASK}!`],
    ['Authorization: Basic dXNlcjpwYXNz', `Authorization: ${MASK}`],
    ['"authorization":"Bearer abc"', `"authorization":"${MASK}"`],
    ['curl -H "authorization: token abc" x', `curl -H "authorization: ${MASK}" x`],
    ['Bearer abcdefgh12345', `Bearer ${MASK}`],
    ['fetch https://user:pa$$@example.org/x', `fetch https://${MASK}@example.org/x`],
    ['postgres://u:p@db:5432/x', `postgres://${MASK}@db:5432/x`],
    ['export DJANGO_SECRET_KEY=abc', `export DJANGO_SECRET_KEY=${MASK}`],
    ['--token="a b" rest', `--token=${MASK} rest`],
    [`xoxb-${token}`, MASK],
    ['eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl', MASK],
  ])('hides what %s holds', (text, hidden) => {
    expect(scrub(text)).toBe(hidden);
  });

  it.each([
    'https://example.org/user@2x.png',
    'COPY failed: stat token.txt: file does not exist',
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'maintainer=someone@example.org',
  ])('leaves %s', (text) => {
    expect(scrub(text)).toBe(text);
  });

  it('is done with a megabyte in a moment', () => {
    const started = performance.now();
    for (const part of ['a.', 'token', 'https://', 'authorization: ', 'eyJ', 'secret='])
      scrub(part.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
