import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIdentities, type Identities } from '../../clients/identity.js';
import { startGitHubStandIn, type GitHubStandIn } from '../../sandbox/github/server.js';

const HOUR = 3_600_000;
let github: GitHubStandIn;
let now: number;
let identities: Identities;

const make = (token: string | undefined = 'ghp_sluice', team = 'openverse-maintainers') =>
  createIdentities({ org: 'WordPress', team, token, baseUrl: github.url, timeoutMs: 300, now: () => now });

beforeEach(async () => {
  now = Date.now();
  github = await startGitHubStandIn({
    org: 'WordPress',
    team: 'openverse-maintainers',
    users: [
      { login: 'Sara', token: 'ghp_sara', team: 'active' },
      { login: 'pen', token: 'ghp_pen', team: 'pending' },
      { login: 'guest', token: 'ghp_guest' },
      { login: 'sluice-bot', token: 'ghp_sluice' },
      { login: 'weak', token: 'ghp_weak', scopes: [] },
    ],
  });
  identities = make();
});
afterEach(() => github.close());

const asked = () => github.requests().length;

describe('identify', () => {
  it('knows whose token it is, and does not ask again for a minute', async () => {
    expect(await identities.identify('ghp_sara')).toEqual({ kind: 'known', login: 'Sara', askedAt: now });
    now += 59_999;
    expect(await identities.identify('ghp_sara')).toMatchObject({ kind: 'known' });
    expect(asked()).toBe(1);
    now += 1;
    await identities.identify('ghp_sara');
    expect(asked()).toBe(2);
  });

  it('does not take a wrong or revoked token, and does not ask for it again at once', async () => {
    expect(await identities.identify('ghp_wrong')).toMatchObject({ kind: 'unauthenticated' });
    await identities.identify('ghp_wrong');
    expect(asked()).toBe(1);
    await identities.identify('ghp_sara');
    github.revokeToken('ghp_sara');
    now += 60_000;
    expect(await identities.identify('ghp_sara')).toMatchObject({ kind: 'unauthenticated' });
    await github.down();
    now += 60_000;
    expect(await identities.identify('ghp_sara')).toMatchObject({ kind: 'unauthenticated' });
  });

  it.each(['', 'a b', 'ghp_sara\r\nx: y', 'ü', 'x'.repeat(5_000)])('never sends %.20j', async (token) => {
    expect(await identities.identify(token)).toMatchObject({ kind: 'unauthenticated' });
    expect(asked()).toBe(0);
  });

  it.each([
    ['refused connections', () => github.down()],
    ['503', async () => github.fault({ kind: 'unavailable' })],
    ['502', async () => github.fault({ kind: 'bad-gateway' })],
    ['no answer in time', async () => github.fault({ kind: 'slow', delayMs: 1_000 })],
    ['a lost answer', async () => github.fault({ kind: 'lost-answer' })],
    ['a proxy’s page', async () => github.fault({ kind: 'not-json' })],
    ['the rate limit', async () => github.fault({ kind: 'rate-limited' })],
    ['the secondary limit', async () => github.fault({ kind: 'secondary-limit' })],
  ])('with %s takes the last answer for 24 hours, and none from before', async (_name, fail) => {
    const before = now;
    await identities.identify('ghp_sara');
    await fail();
    now += 24 * HOUR - 1;
    expect(await identities.identify('ghp_sara')).toEqual({ kind: 'known', login: 'Sara', askedAt: before });
    expect(await identities.identify('ghp_guest')).toMatchObject({ kind: 'github-down' });
    now += 1;
    expect(await identities.identify('ghp_sara')).toMatchObject({ kind: 'github-down' });
  });

  it('says when to ask again', async () => {
    github.fault({ kind: 'secondary-limit', retryAfter: 90, times: 1 });
    expect(await identities.identify('ghp_sara')).toMatchObject({ kind: 'github-down', afterMs: 90_000 });
  });

  it('says that GITHUB_API_URL is wrong, rather than that the person is', async () => {
    const wrong = createIdentities({
      org: 'o',
      team: 't',
      token: 'ghp_sluice',
      baseUrl: `${github.url}/api/v3`,
    });
    expect(await wrong.identify('ghp_sara')).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('GITHUB_API_URL') as string,
    });
  });
});

describe('isMaintainer', () => {
  it.each([
    ['Sara', 'member'],
    ['sara', 'member'],
    ['pen', 'not-a-member'],
    ['guest', 'not-a-member'],
    ['nobody', 'not-a-member'],
  ])('%s: %s', async (login, kind) => {
    expect(await identities.isMaintainer(login)).toEqual({ kind, askedAt: now });
  });

  it.each(['', '..', '../members', 'a/b', 'a b', '-a', 'a'.repeat(101)])(
    'does not ask for %j',
    async (login) => {
      expect(await identities.isMaintainer(login)).toMatchObject({ kind: 'not-a-member' });
      expect(asked()).toBe(0);
    },
  );

  it('remembers for a minute, unless it is to be fresh', async () => {
    await identities.isMaintainer('Sara');
    github.removeMember('Sara');
    expect(await identities.isMaintainer('SARA')).toMatchObject({ kind: 'member' });
    expect(await identities.isMaintainer('Sara', { fresh: true })).toMatchObject({ kind: 'not-a-member' });
    expect(await identities.isMaintainer('Sara')).toMatchObject({ kind: 'not-a-member' });
    expect(asked()).toBe(2);
    github.addMember('Sara');
    now += 60_000;
    expect(await identities.isMaintainer('Sara')).toMatchObject({ kind: 'member' });
  });

  it('asks with its own token, not the person’s', async () => {
    await identities.isMaintainer('Sara');
    expect(github.requests()).toMatchObject([{ login: 'sluice-bot', status: 200 }]);
  });

  it('with GitHub down takes the last answer for 24 hours, also when it is to be fresh', async () => {
    await identities.isMaintainer('Sara');
    await identities.isMaintainer('guest');
    await github.down();
    now += 24 * HOUR - 1;
    expect(await identities.isMaintainer('Sara', { fresh: true })).toMatchObject({ kind: 'member' });
    expect(await identities.isMaintainer('guest', { fresh: true })).toMatchObject({ kind: 'not-a-member' });
    expect(await identities.isMaintainer('pen')).toMatchObject({ kind: 'github-down' });
    now += 1;
    expect(await identities.isMaintainer('Sara')).toMatchObject({ kind: 'github-down' });
  });

  it.each([
    ['wrong', 'ghp_wrong', /401 to Sluice’s own GITHUB_TOKEN/],
    ['too weak', 'ghp_weak', /403 to Sluice’s own GITHUB_TOKEN/],
    ['missing', undefined, /GITHUB_TOKEN is not set/],
    ['no token at all', 'a\nb', /GITHUB_TOKEN is not set/],
  ])('lets nobody in while its own token is %s', async (_name, token, message) => {
    const options = { org: 'WordPress', team: 'openverse-maintainers', baseUrl: github.url, now: () => now };
    const answer = await createIdentities({ ...options, token }).isMaintainer('Sara');
    expect(answer).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(message) as string,
    });
  });

  it('does not fall back on what it remembers when GitHub refuses it', async () => {
    await identities.isMaintainer('Sara');
    github.revokeToken('ghp_sluice');
    expect(await identities.isMaintainer('Sara', { fresh: true })).toMatchObject({ kind: 'misconfigured' });
  });

  it('lets nobody in for a team that it does not see', async () => {
    expect(await make('ghp_sluice', 'other').isMaintainer('Sara')).toMatchObject({ kind: 'not-a-member' });
  });

  it('keeps the answer to the later question where the earlier one comes late', async () => {
    github.fault({ kind: 'slow', delayMs: 200, times: 1 });
    github.removeMember('Sara');
    const early = identities.isMaintainer('Sara', { fresh: true });
    now += 10;
    github.addMember('Sara');
    expect(await identities.isMaintainer('Sara', { fresh: true })).toMatchObject({ kind: 'member' });
    github.removeMember('Sara');
    await early;
    expect(await identities.isMaintainer('Sara')).toMatchObject({ kind: 'member' });
  });
});

describe('tokens', () => {
  it('stand in no answer, and not in what is kept', async () => {
    const answers = [
      await identities.identify('ghp_sara'),
      await identities.identify('ghp_wrong'),
      await make('ghp_weak').isMaintainer('Sara'),
    ];
    await github.down();
    answers.push(await identities.identify('ghp_guest'));
    expect(inspect(answers, { depth: 10 })).not.toMatch(/ghp_/);
    expect(inspect(identities, { depth: 10, showHidden: true })).not.toMatch(/ghp_/);
  });
});
