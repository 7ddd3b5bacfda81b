/** What `sluice doctor` finds at GitHub of an App's permissions and of the webhook. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkGitHub } from '../../clients/doctor/github.js';
import { checkWebhook } from '../../clients/doctor/github-webhook.js';
import { Report } from '../../clients/doctor/report.js';
import { createGitHub } from '../../clients/github.js';
import { createCredentials } from '../../clients/github-credentials.js';
import { startGitHubStandIn } from '../../sandbox/github/server.js';
import { testConfig } from '../support/github-world.js';
import type { SourceRepository } from '../support/source.js';
import { createSource } from '../support/source.js';

const config = testConfig();
const told = (findings: { what: string; state: string; detail?: string }[]): string[] =>
  findings.map(({ what, state, detail }) => `${state} ${what}: ${detail ?? ''}`);

describe('a GitHub App', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  let source: SourceRepository;

  beforeAll(async () => {
    source = await createSource();
    await source.commit({ 'README.md': 'first\n' }, 'first');
  });
  afterAll(() => source.remove());

  async function examine(permissions: Record<string, 'read' | 'write'>) {
    const github = await startGitHubStandIn({
      ...{ org: 'WordPress', team: 'openverse-maintainers' },
      users: [{ login: 'sara', token: 'ghp_sara', team: 'active' }],
      repository: { owner: 'WordPress', name: 'openverse', dir: source.directory },
      app: {
        ...{ id: 123, clientId: 'Iv1.abc', clientSecret: 'secret', key: publicKey, slug: 'sluice' },
        ...{ installationId: 77, permissions },
      },
    });
    const env = { GITHUB_APP_ID: '123', GITHUB_APP_PRIVATE_KEY: privateKey, GITHUB_API_URL: github.url };
    try {
      return told(await checkGitHub({ config, credentials: createCredentials(env, config), env }));
    } finally {
      await github.close();
    }
  }

  it('with all permissions is fine', async () => {
    const found = await examine({
      ...{ metadata: 'read', contents: 'write', pull_requests: 'write' },
      ...{ deployments: 'write', members: 'read' },
    });
    expect(found.filter((line) => line.startsWith('broken'))).toEqual([]);
    expect(found).toContain(
      'ok permissions: contents: write, pull_requests: write, deployments: write, members: read',
    );
  });

  it('that lacks some is told which, and what for', async () => {
    const found = await examine({ metadata: 'read', contents: 'read', deployments: 'write' });
    expect(found).toEqual(
      expect.arrayContaining([
        'broken permissions: contents: write is missing, for GitHub Releases and the changelog’s branch',
        'broken permissions: pull_requests: write is missing, for release notes and the changelog’s pull request',
        'broken permissions: members: read is missing, for who is a maintainer',
        'broken team: WordPress/openverse-maintainers cannot be read: GitHub answers 404',
      ]),
    );
  });
});

describe('the webhook', () => {
  const hook = (change: object = {}) => ({
    ...{ id: 7, type: 'Repository', name: 'web', active: true, events: ['push', 'workflow_run'] },
    config: { url: 'https://sluice.test/webhooks/github', content_type: 'json' },
    ...change,
  });
  const delivery = (guid: string, status: number) => ({ id: 1, guid, status_code: status, event: 'push' });
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function examine(answers: { hooks?: unknown[]; deliveries?: unknown[]; status?: number }) {
    server = createServer((request, response) => {
      const body = request.url?.includes('/deliveries') ? (answers.deliveries ?? []) : (answers.hooks ?? []);
      response.writeHead(answers.status ?? 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answers.status ? { message: 'no' } : body));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const report = new Report('GitHub');
    await checkWebhook({
      octokit: createGitHub({ token: 'ghp_x', baseUrl: `http://127.0.0.1:${port}` }),
      config,
      env: { GITHUB_WEBHOOK_SECRET: 'x', SLUICE_PUBLIC_URL: 'https://sluice.test/' },
      report,
    });
    return told(report.findings);
  }

  it('that is there and delivers is fine', async () => {
    const deliveries = [delivery('a', 202), delivery('b', 202)];
    expect(await examine({ hooks: [hook()], deliveries })).toEqual([
      'ok webhook deliveries: the last 2 arrived',
    ]);
    expect(await examine({ hooks: [hook()] })).toEqual(['unchecked webhook deliveries: none yet']);
  });

  it('whose failed delivery was delivered again is fine', async () => {
    const deliveries = [delivery('a', 202), delivery('b', 202), delivery('a', 500)];
    expect(await examine({ hooks: [hook()], deliveries })).toEqual([
      'ok webhook deliveries: the last 2 arrived',
    ]);
  });

  it('whose deliveries fail is broken', async () => {
    const deliveries = [delivery('a', 401), delivery('b', 0), delivery('c', 202)];
    expect(await examine({ hooks: [hook()], deliveries })).toEqual([
      'broken webhook deliveries: 2 of the last 3 failed (401, no answer)',
    ]);
  });

  it.each([
    ['is missing', [], 'broken webhook: there is none that leads here'],
    [
      'leads elsewhere',
      [hook({ config: { url: 'https://other.test/webhooks/github', content_type: 'json' } })],
      'broken webhook: there is none that leads here',
    ],
    ['is off', [hook({ active: false })], 'broken webhook: is switched off'],
    ['lacks an event', [hook({ events: ['issues'] })], 'broken webhook: lacks the events push'],
    [
      'sends forms',
      [hook({ config: { url: 'https://sluice.test/webhooks/github', content_type: 'form' } })],
      'broken webhook: does not send JSON',
    ],
  ])('that %s is broken', async (_name, hooks, words) => {
    expect(await examine({ hooks })).toContain(words);
  });

  it('that may not be read is left unchecked', async () => {
    expect(await examine({ status: 404 })).toEqual([
      'unchecked webhook: the credentials may not read webhooks; look at the repository’s settings',
    ]);
  });
});
