/** How the dashboard is built once, and served: never in the way of anything, and nothing but files of ours. */
import { access, cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { buildDashboard } from '../../api/dashboard-build.js';
import { dashboardRoutes } from '../../api/dashboard.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let app: FastifyInstance | undefined;
const directories: string[] = [];
afterEach(async () => {
  await app?.close();
  for (const one of directories.splice(0)) await rm(one, { recursive: true, force: true });
});

async function served(dashboard: Promise<string>): Promise<FastifyInstance> {
  app = Fastify();
  await app.register(dashboardRoutes(dashboard));
  return app;
}

/** The sources in a folder of their own. */
async function copied(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-dashboard-'));
  directories.push(root);
  for (const folder of ['dashboard', 'domain', 'tsconfig.json'])
    await cp(join(ROOT, folder), join(root, folder), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  return root;
}

const built = async (root: string): Promise<string[]> =>
  (await readdir(join(root, 'build')).catch((): string[] => [])).filter((name) =>
    name.startsWith('dashboard-'),
  );

describe('the dashboard', () => {
  it('is built once for its sources, whole, however many ask at once; another state of them is another one', async () => {
    const root = await copied();
    const [one, two] = await Promise.all([buildDashboard({ root }), buildDashboard({ root })]);
    expect(two).toBe(one);
    expect(await built(root)).toHaveLength(1);
    for (const file of ['index.html', 'index.html.br']) await access(join(one ?? '', file));
    await writeFile(join(root, 'dashboard', 'styles', 'base.css'), 'body { color: red }');
    expect(await buildDashboard({ root })).not.toBe(one);
    expect(await built(root)).toHaveLength(2);
  });

  it('leaves nothing half where it cannot be built', async () => {
    const root = await copied();
    await writeFile(join(root, 'dashboard', 'main.tsx'), 'this is no program');
    await expect(buildDashboard({ root })).rejects.toThrow();
    expect(await built(root)).toEqual([]);
  });

  it('says that it is being built, comes by itself then, and says so where it cannot be', async () => {
    let fail = (_: Error): void => undefined;
    const dashboard = new Promise<string>((_resolve, reject) => (fail = reject));
    const at = await served(dashboard);
    const before = await at.inject('/');
    expect(before.statusCode).toBe(503);
    expect(before.body).toMatch(/being built/);
    expect(before.body).toMatch(/http-equiv="refresh"/);
    fail(new Error('no bundler'));
    await dashboard.catch(() => undefined);
    const after = await at.inject('/history');
    expect([after.statusCode, after.body]).toEqual([503, expect.stringMatching(/could not be built/)]);
    expect(after.body).not.toMatch(/refresh|no bundler/);
  });

  it('is served with a strict policy and nothing within the page; its files for long, the page never', async () => {
    const at = await served(buildDashboard());
    await expect.poll(async () => (await at.inject('/')).statusCode).toBe(200);
    const page = await at.inject('/deployments/staging.api.abcd');
    expect(page.headers['cache-control']).toBe('no-cache');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/default-src 'none'.*script-src 'self';.*frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe|data:|\*/);
    expect(page.body).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son[a-z]+=/);
    const [script = ''] = /\/assets\/[^"]+\.js/.exec(page.body) ?? [];
    const asset = await at.inject({ url: script, headers: { 'accept-encoding': 'br' } });
    expect(asset.headers['content-encoding']).toBe('br');
    expect(asset.headers['content-type']).toMatch(/javascript/);
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.rawPayload.length).toBeLessThan(100_000);
  });

  it('gives nothing but its own files', async () => {
    const at = await served(buildDashboard());
    await expect.poll(async () => (await at.inject('/')).statusCode).toBe(200);
    for (const url of [
      '/assets/none.js',
      '/assets/../index.html',
      '/assets/%2e%2e/%2e%2e/package.json',
      '/assets/..%2f..%2f..%2fpackage.json',
    ]) {
      const { statusCode, body } = await at.inject(url);
      expect([400, 403, 404], url).toContain(statusCode);
      expect(body).not.toContain('devDependencies');
    }
  });
});
