import { describe, expect, it } from 'vitest';
import { createMembers } from '../../activities/reconcile/members.js';
import type { Credentials } from '../../clients/github-credentials.js';
import { environment } from '../support/ecs.js';
import { failureOf } from '../support/failures.js';
import { testConfig } from '../support/github-world.js';

const HOUR = 3_600_000;

function world({ isAnybody = true } = {}) {
  const state = {
    ...{ now: Date.parse('2026-01-02'), asked: [] as string[], listed: 0 },
    list: async (): Promise<string[]> => ['sara', 'bob'],
  };
  const credentials = {
    token: async () => (isAnybody ? 'ghp_x' : undefined),
    describe: () => 'GITHUB_TOKEN',
    octokit: () => ({
      rest: {
        teams: {
          listMembersInOrg: async () => {
            state.listed += 1;
            return { data: (await state.list()).map((login) => ({ login })) };
          },
        },
      },
    }),
  } as unknown as Credentials;
  const { rememberMembers } = createMembers({
    ...{ config: testConfig(), credentials, now: () => state.now },
    identities: {
      isMaintainer: async (login) => {
        state.asked.push(login);
        return { kind: 'member', askedAt: state.now };
      },
    },
  });
  return { state, pass: () => environment().run<[], void, () => Promise<void>>(rememberMembers) };
}

describe('rememberMembers', () => {
  it('asks for each member of the team, again after an hour', async () => {
    const { state, pass } = world();
    await pass();
    expect(state.asked).toEqual(['sara', 'bob']);
    state.now += HOUR - 1;
    await pass();
    expect(state.listed).toBe(1);
    state.now += 1;
    await pass();
    expect(state.asked).toEqual(['sara', 'bob', 'sara', 'bob']);
  });

  it('does nothing without credentials', async () => {
    const { state, pass } = world({ isAnybody: false });
    await pass();
    expect(state.listed).toBe(0);
  });

  it('is tried again by the next pass where GitHub does not answer', async () => {
    const { state, pass } = world();
    state.list = () => Promise.reject(new Error('no'));
    expect((await failureOf(pass())).type).toBe('GITHUB_DOWN');
    state.list = async () => ['sara'];
    await pass();
    expect(state.asked).toEqual(['sara']);
  });
});
