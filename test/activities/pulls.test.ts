import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDescribeMerges } from '../../activities/github/pulls.js';
import type { Config } from '../../domain/config/config.js';
import type { Merge } from '../../domain/promotion/promotion.js';
import { failureOf } from '../support/failures.js';
import { startFakeGitHub, type Answer, type FakeGitHub } from '../support/fake-github.js';
import { activityEnvironment, configOf } from '../support/images.js';

interface Pull {
  number: number;
  title: string;
  user: { login: string } | null;
  merged: boolean;
  merged_at: string | null;
  merged_by: { login: string } | null;
  merge_commit_sha: string | null;
  base: { ref: string };
}

const sha = (letter: string): string => letter.repeat(40);
const mergeOf = (given: Partial<Merge> = {}): Merge => ({
  sha: sha('a'),
  title: 'Mend it',
  author: 'Sara S',
  position: 7,
  ...given,
});

let config: Config;
let github: FakeGitHub;
let pulls: Pull[];
/** Commit → the numbers that GitHub lists for it. */
let listed: Record<string, number[]>;

const pullOf = (given: Partial<Pull> = {}): Pull => ({
  number: 12,
  title: 'Mend the search',
  user: { login: 'sara' },
  merged: true,
  merged_at: '2026-01-02T03:04:05Z',
  merged_by: { login: 'mina' },
  merge_commit_sha: sha('a'),
  base: { ref: 'main' },
  ...given,
});

const start = async (env?: Record<string, string>): Promise<void> => {
  github = await startFakeGitHub(
    config,
    {
      'GET /pulls/*': (_, number): Answer => {
        const pull = pulls.find((one) => String(one.number) === number);
        return pull ? { body: pull } : { status: 404, body: { message: 'Not Found' } };
      },
      'GET /commits/*/pulls': (_, commit = ''): Answer => {
        const numbers = listed[commit];
        if (!numbers) return { status: 422, body: { message: `No commit found for SHA: ${commit}` } };
        return { body: numbers.map((number) => pulls.find((one) => one.number === number)) };
      },
    },
    env,
  );
};

beforeEach(async () => {
  config = configOf([]);
  pulls = [];
  listed = {};
  await start();
});
afterEach(async () => {
  await github.close();
  expect(github.wrong).toEqual([]);
});

const describeAll = async (...merges: Merge[]): Promise<Merge[]> => {
  const { describeMerges } = createDescribeMerges({ config, credentials: github.credentials });
  return await activityEnvironment().run(describeMerges, { merges });
};
const FULL = { title: 'Mend the search', author: 'sara', pullRequest: 12, mergedBy: 'mina' };

describe('describeMerges', () => {
  it('takes from GitHub what it knows of the pull request', async () => {
    pulls = [pullOf()];
    listed[sha('a')] = [12];
    expect(await describeAll(mergeOf())).toEqual([{ ...mergeOf(), ...FULL }]);
    expect(github.asked.map(({ path }) => path)).toEqual([`/commits/${sha('a')}/pulls`, '/pulls/12']);
  });

  it('asks once where the message names the pull request rightly', async () => {
    pulls = [pullOf()];
    expect(await describeAll(mergeOf({ pullRequest: 12 }))).toEqual([{ ...mergeOf(), ...FULL }]);
    expect(github.asked).toHaveLength(1);
  });

  it('does not believe a message that names another one', async () => {
    pulls = [
      pullOf(),
      pullOf({ number: 5, title: 'Another', merged_by: { login: 'mallory' }, merge_commit_sha: sha('b') }),
      pullOf({ number: 6, merged: false, merged_at: null }),
    ];
    listed[sha('a')] = [12];
    for (const pullRequest of [5, 6, 404]) {
      expect(await describeAll(mergeOf({ pullRequest }))).toEqual([{ ...mergeOf(), ...FULL }]);
    }
    listed[sha('a')] = [];
    expect(await describeAll(mergeOf({ pullRequest: 5 }))).toEqual([mergeOf({ pullRequest: 5 })]);
  });

  it('of several takes the one that this commit merged, into the branch', async () => {
    pulls = [
      pullOf({ number: 1, merge_commit_sha: sha('b') }),
      pullOf({ number: 2, base: { ref: 'release' } }),
      pullOf({ number: 3, merged_at: null, merged: false }),
      pullOf(),
    ];
    listed[sha('a')] = [1, 2, 3, 12];
    expect((await describeAll(mergeOf()))[0]?.pullRequest).toBe(12);
    // Rebased: only its last commit is the merge's own.
    listed[sha('c')] = [2, 3, 1];
    expect((await describeAll(mergeOf({ sha: sha('c') })))[0]?.pullRequest).toBe(1);
  });

  it('leaves what GitHub does not know as git tells it', async () => {
    listed[sha('a')] = [];
    pulls = [pullOf({ number: 3, user: null, merged_by: null, merge_commit_sha: sha('c') })];
    listed[sha('c')] = [3];
    const unknown = mergeOf({ sha: sha('d'), pullRequest: 9 });
    const ghost = mergeOf({ sha: sha('c') });
    expect(await describeAll(mergeOf(), unknown, ghost)).toEqual([
      mergeOf(),
      unknown,
      { ...ghost, title: 'Mend the search', pullRequest: 3 },
    ]);
  });

  it('keeps the order, and asks for few at once', async () => {
    const merges = Array.from({ length: 30 }, (_, index) =>
      mergeOf({ sha: String(index).padStart(40, '0'), position: index, pullRequest: 100 + index }),
    );
    pulls = merges.map((merge, index) =>
      pullOf({ number: 100 + index, title: `t${index}`, merge_commit_sha: merge.sha }),
    );
    expect((await describeAll(...merges)).map(({ title }) => title)).toEqual(
      merges.map((_, index) => `t${index}`),
    );
  });

  it('asks nobody without credentials', async () => {
    await github.close();
    await start({});
    expect(await describeAll(mergeOf({ pullRequest: 12 }))).toEqual([mergeOf({ pullRequest: 12 })]);
    expect(github.asked).toEqual([]);
  });

  it.each([
    ['down', { status: 502, body: {} }, 'GITHUB_DOWN'],
    ['refusing the token', { status: 401, body: { message: 'Bad credentials' } }, 'GITHUB_REFUSED'],
    ['at its limit', { status: 403, body: {}, headers: { 'x-ratelimit-remaining': '0' } }, 'GITHUB_DOWN'],
  ])('leaves it to another attempt where GitHub is %s', async (_, answer, type) => {
    github.before = () => answer;
    expect(await failureOf(describeAll(mergeOf()))).toMatchObject({ type, nonRetryable: false });
  });
});
