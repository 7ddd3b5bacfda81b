import { RequestError } from '@octokit/request-error';
import { describe, expect, it } from 'vitest';
import { githubFailure, hasStatus } from '../../activities/github/errors.js';
import { isCode } from '../../domain/codes.js';

const errorOf = (status: number, data: unknown = {}, headers: Record<string, string> = {}): RequestError =>
  new RequestError('message', status, {
    request: {
      method: 'POST',
      url: 'https://api.github.com/x',
      headers: { authorization: 'token ghp_secret' },
    },
    response: { status, url: 'https://api.github.com/x', headers, data },
  });
const failureOf = (error: unknown, write = false) =>
  githubFailure(error, { what: 'making x', needs: 'Contents: write', as: 'GITHUB_TOKEN', write });

describe('githubFailure', () => {
  it.each([400, 404, 410, 422, 451])('%i cannot mend', (status) => {
    expect(failureOf(errorOf(status))).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
  });

  it.each([401, 403])('%i waits for who runs Sluice', (status) => {
    expect(failureOf(errorOf(status))).toMatchObject({
      type: 'GITHUB_REFUSED',
      nonRetryable: false,
      nextRetryDelay: 60_000,
    });
  });

  it('names the permission that is missing', () => {
    expect(failureOf(errorOf(403)).message).toContain('the permission “Contents: write”');
  });

  it.each([500, 502, 503, 504, 408])('%i is an outage', (status) => {
    expect(failureOf(errorOf(status))).toMatchObject({ type: 'GITHUB_DOWN', nextRetryDelay: undefined });
    expect(failureOf(errorOf(status), true)).toMatchObject({ type: 'GITHUB_DOWN', nextRetryDelay: 5_000 });
  });

  it.each([403, 429])('%i with a limit’s headers is that limit, whatever the message says', (status) => {
    const reset = String(Math.floor(Date.now() / 1_000) + 100);
    const primary = errorOf(status, {}, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset });
    expect(failureOf(primary).type).toBe('GITHUB_DOWN');
    expect(Number(failureOf(primary).nextRetryDelay)).toBeGreaterThan(98_000);
    const secondary = failureOf(errorOf(status, {}, { 'retry-after': '3' }));
    expect(secondary).toMatchObject({ type: 'GITHUB_DOWN', nextRetryDelay: 60_000 });
    expect(hasStatus(primary, status)).toBe(false);
  });

  it('tries a conflict again, and what is there already though it was not to be found', () => {
    expect(failureOf(errorOf(409))).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: false });
    const there = errorOf(422, {
      errors: [{ resource: 'Release', code: 'already_exists', field: 'tag_name' }],
    });
    expect(failureOf(there)).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: false });
  });

  it('gives GitHub’s words, scrubbed, and nothing of what was sent', () => {
    const data = {
      message: 'Validation Failed',
      errors: [
        { field: 'body', code: 'custom', message: 'too\nlong ghp_0123456789abcdefABCDEF' },
        'plain',
        { field: 'name', code: 'invalid' },
        null,
        7,
      ],
    };
    const { message, cause } = failureOf(errorOf(422, data));
    expect(message).toBe(
      'GitHub answers 422 to making x (Validation Failed; too long ***; plain; name invalid)',
    );
    expect(cause).toBeUndefined();
  });

  it.each([new TypeError('fetch failed'), new Error('x'), 'text', undefined])('%s is an outage', (error) => {
    const failure = failureOf(error);
    expect(failure.type).toBe('GITHUB_DOWN');
    expect(isCode(failure.type)).toBe(true);
  });
});
