import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMembership } from '../../activities/github/membership.js';
import { createIdentities, type Identities } from '../../clients/identity.js';
import { isCode } from '../../domain/codes.js';
import { startGitHubStandIn, type GitHubStandIn } from '../../sandbox/github/server.js';

const HOUR = 3_600_000;
let github: GitHubStandIn;
let now: number;
let identities: Identities;

beforeEach(async () => {
  now = Date.now();
  const users = [
    { login: 'sara', token: 'ghp_sara', team: 'active' as const },
    { login: 'guest', token: 'ghp_guest' },
  ];
  github = await startGitHubStandIn({ org: 'WordPress', team: 'openverse', users });
  const options = { org: 'WordPress', team: 'openverse', token: 'ghp_guest', baseUrl: github.url };
  identities = createIdentities({ ...options, now: () => now });
});
afterEach(() => github.close());

async function failureOf(login: string): Promise<ApplicationFailure> {
  const { requireMaintainer } = createMembership({ identities, team: 'WordPress/openverse' });
  const error: unknown = await requireMaintainer(login).catch((thrown: unknown) => thrown);
  if (!(error instanceof ApplicationFailure)) throw new Error('it passed');
  expect(isCode(error.type)).toBe(true);
  expect(error.cause).toBeUndefined();
  return error;
}

describe('requireMaintainer', () => {
  it('lets a member pass', async () => {
    await expect(
      createMembership({ identities, team: 't' }).requireMaintainer('sara'),
    ).resolves.toBeUndefined();
  });

  it('asks afresh: who was removed a moment ago is refused for good', async () => {
    await identities.isMaintainer('sara');
    github.removeMember('sara');
    const failure = await failureOf('sara');
    expect(failure).toMatchObject({ type: 'NOT_A_MAINTAINER', nonRetryable: true });
    expect(failure.message).toBe('sara is not an active member of the GitHub team WordPress/openverse');
  });

  it('waits while GitHub is down, once nothing of the last 24 hours is remembered', async () => {
    await identities.isMaintainer('sara');
    await github.down();
    now += 24 * HOUR - 1;
    await createMembership({ identities, team: 't' }).requireMaintainer('sara');
    now += 1;
    expect(await failureOf('sara')).toMatchObject({
      type: 'GITHUB_DOWN',
      nonRetryable: false,
      nextRetryDelay: undefined,
    });
  });

  it('waits as long as GitHub says', async () => {
    github.fault({ kind: 'secondary-limit', retryAfter: 10, times: 1 });
    expect(await failureOf('sara')).toMatchObject({ type: 'GITHUB_DOWN', nextRetryDelay: 60_000 });
    github.fault({ kind: 'rate-limited', resetIn: 600, times: 1 });
    const { nextRetryDelay } = await failureOf('sara');
    expect(Number(nextRetryDelay)).toBeGreaterThan(590_000);
    expect(Number(nextRetryDelay)).toBeLessThan(603_000);
  });

  it('lets nobody pass while GitHub refuses Sluice’s own token, and tries again', async () => {
    github.revokeToken('ghp_guest');
    expect(await failureOf('sara')).toMatchObject({ type: 'GITHUB_REFUSED', nonRetryable: false });
  });
});
