/** The processes themselves: modules load otherwise there than in a test. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const GOOD = `
repository: { owner: acme, name: shop, branch: main }
maintainers: { org: acme, team: maintainers }
access: { read: public }
aws: { region: us-east-1 }
environments: { staging: { cluster: staging-default } }
apps:
  api:
    paths: ["api/**"]
    images: [{ container: django, repository: shop-api, context: api }]
    environments: { staging: { service: staging-api } }
`;

let folder: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-api-'));
  await writeFile(join(folder, 'good.yaml'), GOOD);
  await writeFile(join(folder, 'bad.yaml'), GOOD.replace('owner: acme', 'owner: 7'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function start(file: string, args: string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return { code: code as number, text };
  });
  return { child, ended, text: () => text };
}

describe('npm run api', () => {
  it.each([
    ['a bad configuration', { SLUICE_CONFIG: 'bad.yaml' }, /bad\.yaml:2: repository\.owner/],
    ['no configuration', { SLUICE_CONFIG: 'none.yaml' }, /There is no configuration at .*none\.yaml/],
    ['a bad port', { SLUICE_CONFIG: 'good.yaml', PORT: 'http' }, /PORT is "http"/],
    [
      'half of a browser sign-in',
      { SLUICE_CONFIG: 'good.yaml', GITHUB_OAUTH_CLIENT_ID: 'client-1' },
      /GITHUB_OAUTH_CLIENT_ID is set, but not GITHUB_OAUTH_CLIENT_SECRET and SESSION_SECRET/,
    ],
    [
      'a short emergency token',
      { SLUICE_CONFIG: 'good.yaml', SLUICE_EMERGENCY_TOKEN: 'too-short-to-be-one' },
      /SLUICE_EMERGENCY_TOKEN must have at least 32(?!.*too-short-to-be-one)/s,
    ],
  ])('does not start with %s, and says why without a stack', async (_name, env, words) => {
    const config = join(folder, env.SLUICE_CONFIG);
    const { code, text } = await start('api/main.ts', [], { ...env, SLUICE_CONFIG: config }).ended;
    expect(code).toBe(1);
    expect(text).toMatch(words);
    expect(text).not.toContain('    at ');
  });

  it('starts without Temporal, GitHub and AWS, answers, and ends on SIGTERM', async () => {
    const env = {
      ...{ SLUICE_CONFIG: join(folder, 'good.yaml'), PORT: '0', TEMPORAL_ADDRESS: '127.0.0.1:9' },
      GITHUB_SERVER_URL: 'https://ghe.example/',
    };
    const { child, ended, text } = start('api/main.ts', [], env);
    await expect.poll(text, { timeout: 30_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text())?.[0] ?? '';
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    const settings = await (await fetch(`${url}/api/settings`)).json();
    expect(settings).toMatchObject({ repositoryUrl: 'https://ghe.example/acme/shop' });
    await fetch(`${url}/api/me`, { headers: { authorization: 'Bearer ghp_marker-of-a-secret' } });
    const status = await start('cli/main.ts', ['history', 'nope'], { SLUICE_URL: url }).ended;
    expect(status.code).toBe(2);
    expect(status.text).toContain('There is no app "nope"; there is: api');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    expect(text()).not.toContain('marker-of-a-secret');
  });
});
