import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { githubFailure } from '../../activities/github/errors.js';
import { ConfigError } from '../../clients/config.js';
import { createCredentials } from '../../clients/github-credentials.js';
import { CredentialsError, troubleOf } from '../../clients/github.js';
import { createIdentities } from '../../clients/identity.js';
import { startGitHubStandIn, type GitHubStandIn } from '../../sandbox/github/server.js';
import { createSource, type SourceRepository } from '../support/source.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const config = { repository: { owner: 'WordPress', name: 'openverse' } };
const MINUTE = 60_000;

let github: GitHubStandIn;
let source: SourceRepository;
let now: number;

beforeEach(async () => {
  now = Date.now();
  source = await createSource();
  await source.commit({ 'README.md': 'x\n' });
  github = await startGitHubStandIn({
    org: 'WordPress',
    team: 'openverse-maintainers',
    users: [{ login: 'sara', token: 'ghp_sara', team: 'active' }],
    repository: { owner: 'WordPress', name: 'openverse', dir: source.directory },
    app: {
      id: 123,
      clientId: 'Iv1.abc',
      clientSecret: 'secret',
      key: publicKey,
      slug: 'sluice',
      installationId: 77,
      permissions: { contents: 'write', metadata: 'read', members: 'read' },
    },
  });
});
afterEach(async () => {
  await github.close();
  await source.remove();
});

const make = (env: Record<string, string>) =>
  createCredentials({ GITHUB_API_URL: github.url, ...env }, config, { now: () => now });
const app = (key = privateKey, id = '123') => make({ GITHUB_APP_ID: id, GITHUB_APP_PRIVATE_KEY: key });
const tokensAsked = () => github.requests().filter(({ path }) => path.endsWith('/access_tokens')).length;
const repo = { owner: 'WordPress', repo: 'openverse' };

describe('a token', () => {
  it('is sent as it is', async () => {
    const credentials = make({ GITHUB_TOKEN: ' ghp_sara\n' });
    expect(await credentials.token()).toBe('ghp_sara');
    expect(credentials.describe()).toBe('GITHUB_TOKEN');
    expect((await credentials.octokit().rest.users.getAuthenticated()).data.login).toBe('sara');
    expect(credentials.octokit()).toBe(credentials.octokit());
  });

  it('may be missing, which is said', async () => {
    const credentials = make({});
    expect(await credentials.token()).toBeUndefined();
    expect(credentials.describe()).toBe('GITHUB_TOKEN (not set)');
    const error: unknown = await credentials
      .octokit()
      .rest.repos.get(repo)
      .catch((thrown: unknown) => thrown);
    expect(githubFailure(error, { what: 'x', needs: 'y', as: credentials.describe() })).toMatchObject({
      type: 'GITHUB_REFUSED',
      message: expect.stringContaining('GITHUB_TOKEN (not set)') as string,
    });
  });
});

describe('a GitHub App', () => {
  it('gets its installation’s token, and keeps it until shortly before it ends', async () => {
    const credentials = app();
    expect(credentials.describe()).toBe('GitHub App 123');
    const [first, again] = await Promise.all([credentials.token(), credentials.token()]);
    expect(first).toMatch(/^ghs_/);
    expect(again).toBe(first);
    await credentials.octokit().rest.repos.get(repo);
    now += 54 * MINUTE;
    expect(await credentials.token()).toBe(first);
    expect(tokensAsked()).toBe(1);
    now += 2 * MINUTE;
    expect(await credentials.token()).not.toBe(first);
    expect(tokensAsked()).toBe(2);
  });

  it('asks for another where GitHub does not take the one it has', async () => {
    const credentials = app();
    const first = await credentials.token();
    github.revokeToken(first ?? '');
    const error: unknown = await credentials
      .octokit()
      .rest.repos.get(repo)
      .catch((thrown: unknown) => thrown);
    expect(troubleOf(error, now)).toMatchObject({ kind: 'refused', status: 401 });
    expect((await credentials.octokit().rest.repos.get(repo)).data.name).toBe('openverse');
  });

  it('may be named by its client id', async () => {
    expect(await app(privateKey, 'Iv1.abc').token()).toMatch(/^ghs_/);
  });

  it.each([
    ['as it is', privateKey],
    ['with \\n for line breaks', privateKey.replaceAll('\n', '\\n')],
    ['with Windows’ line breaks', privateKey.replaceAll('\n', '\r\n')],
    ['in quotes', `"${privateKey.replaceAll('\n', '\\n')}"`],
    ['as base64', Buffer.from(privateKey).toString('base64')],
  ])('takes its key %s', async (_name, key) => {
    expect(await app(key).token()).toMatch(/^ghs_/);
  });

  it.each([
    ['a public key', createPublicKey(publicKey).export({ type: 'spki', format: 'pem' }).toString()],
    ['words', 'secret words'],
    ['the first line only', '-----BEGIN RSA PRIVATE KEY-----'],
    ['a key cut off', privateKey.slice(0, 400)],
    [
      'an elliptic key',
      generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      }).privateKey,
    ],
  ])('refuses %s in one line that does not show it', (_name, key) => {
    const error = thrownBy(() => app(key));
    expect(error.message).toMatch(/^GITHUB_APP_PRIVATE_KEY is not an RSA private key.*\.pem file[^\n]*$/);
    expect(error.message).not.toContain(key.slice(30, 60) || key);
  });

  it('wants both of its variables', () => {
    expect(thrownBy(() => make({ GITHUB_APP_ID: '1' })).message).toContain('GITHUB_APP_PRIVATE_KEY');
    expect(thrownBy(() => make({ GITHUB_APP_PRIVATE_KEY: 'x' })).message).toContain('GITHUB_APP_ID');
    expect(thrownBy(() => make({ GITHUB_TOKEN: 'a b' })).message).toMatch(/^GITHUB_TOKEN is no token/);
  });

  it('that is wrong, or not installed, is never taken for an answer to the question', async () => {
    const other = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey;
    const wrong: unknown = await app(other)
      .token()
      .catch((thrown: unknown) => thrown);
    expect(wrong).toBeInstanceOf(CredentialsError);
    expect(githubFailure(wrong, { what: 'x', needs: 'y', as: 'z' })).toMatchObject({
      type: 'GITHUB_REFUSED',
      nextRetryDelay: 60_000,
      message: expect.stringContaining('check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY') as string,
    });
    const elsewhere = createCredentials(
      { GITHUB_API_URL: github.url, GITHUB_APP_ID: '123', GITHUB_APP_PRIVATE_KEY: privateKey },
      { repository: { owner: 'Other', name: 'thing' } },
    );
    const absent: unknown = await elsewhere
      .octokit()
      .rest.repos.get(repo)
      .catch((thrown: unknown) => thrown);
    expect(troubleOf(absent, now)).toMatchObject({
      kind: 'refused',
      status: 401,
      message: expect.stringContaining('not installed on Other/thing') as string,
    });
  });

  it('with GitHub down says so, and goes on once it is there', async () => {
    const credentials = app();
    await github.down();
    const error: unknown = await credentials.token().catch((thrown: unknown) => thrown);
    expect(githubFailure(error, { what: 'x', needs: 'y', as: 'z' })).toMatchObject({ type: 'GITHUB_DOWN' });
    await github.up();
    expect(await credentials.token()).toMatch(/^ghs_/);
  });

  it('asks who is a maintainer', async () => {
    const { token, describe: describeIt } = app();
    const options = { org: 'WordPress', team: 'openverse-maintainers', baseUrl: github.url };
    const identities = createIdentities({ ...options, token, credentials: describeIt() });
    expect(await identities.isMaintainer('sara')).toMatchObject({ kind: 'member' });
    const other = createIdentities({
      ...options,
      token: app(privateKey, '999').token,
      credentials: 'GitHub App 999',
    });
    expect(await other.isMaintainer('sara')).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('Sluice’s own GitHub App 999') as string,
    });
  });

  it('shows neither key nor token', async () => {
    const credentials = app();
    const token = (await credentials.token()) ?? '';
    const seen = inspect(credentials, { depth: 12, showHidden: true });
    expect(seen).not.toContain(token);
    expect(seen).not.toContain(privateKey.slice(40, 80));
  });
});

function thrownBy(work: () => unknown): ConfigError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
