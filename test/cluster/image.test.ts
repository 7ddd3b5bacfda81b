/**
 * The image without Docker: Dockerfile linted, and its own steps run in a folder of the machine, from the files that
 * `.dockerignore` lets in. What runs is not root and may not write where the program lies.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTemporal } from '../../clients/temporal.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import type { Delivered } from '../../domain/messages.js';
import type { MergesFound } from '../../domain/promotion/effects.js';
import { freePort } from '../../sandbox/ports.js';
import type { DevServer } from '../../sandbox/temporal/dev-server.js';
import { startDevServer } from '../../sandbox/temporal/dev-server.js';
import { until } from '../e2e/site.js';
import type { SourceRepository } from '../support/source.js';
import { createSource } from '../support/source.js';
import { DOCKERFILE, installsGit } from './dockerfile.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** `nobody` of every distribution; the image's `node` is 1000. */
const NOBODY = 65_534;

const YAML = `
repository: { owner: acme, name: shop, branch: main, cloneUrl: SOURCE }
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
let image: string;
let temporal: DevServer;
let source: SourceRepository;
const running: ChildProcess[] = [];

/** What `COPY . .` takes: files of the repository under a name that `.dockerignore` lets in. */
function copied(): string[] {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
  expect(lines).toContain('*');
  const named = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  return files
    .toString()
    .split('\n')
    .filter(
      (file) =>
        named.some((name) => file === name || file.startsWith(`${name}/`)) && existsSync(join(ROOT, file)),
    );
}

const step = (command: string, args: string[]): void => {
  const { status, stderr } = spawnSync(command, args, { cwd: image, encoding: 'utf8', timeout: 280_000 });
  expect(`${status} ${stderr}`).toMatch(/^0/);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-image-'));
  image = join(folder, 'sluice');
  mkdirSync(image);
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(ROOT, file), join(image, file));
  step('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline']);
  for (const file of copied()) {
    mkdirSync(dirname(join(image, file)), { recursive: true });
    cpSync(join(ROOT, file), join(image, file));
  }
  step('node', ['scripts/build.mjs']);
  for (const one of [folder, image]) chmodSync(one, 0o755);
  source = await createSource();
  writeFileSync(join(folder, 'sluice.yaml'), YAML.replace('SOURCE', source.directory), { mode: 0o644 });
  temporal = await startDevServer({ headless: true });
}, 300_000);
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await temporal?.close();
  await source?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Of the programs beside node only those that the target installs. */
function pathOf(target: string): string {
  const bin = join(folder, `bin-of-${target}`);
  if (existsSync(bin)) return bin;
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  if (installsGit(target)) symlinkSync(git, join(bin, 'git'));
  return bin;
}

function ofNobody(directory: string): string {
  mkdirSync(directory, { recursive: true });
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, directory]);
  return directory;
}

/** As `CMD` of a target says. */
function start(target: string, env: Record<string, string>) {
  const [, stage = ''] = new RegExp(` AS ${target}\\n([^]*?)(?=^FROM |$(?![^]))`, 'm').exec(DOCKERFILE) ?? [];
  const [command = '', ...args] = JSON.parse(/^CMD (\[.*\])$/m.exec(stage)?.[1] ?? '[]') as string[];
  const child = spawn(command, args, {
    cwd: image,
    ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
    env: {
      PATH: pathOf(target),
      NODE_ENV: 'production',
      HOME: '/nonexistent',
      SLUICE_CONFIG: join(folder, 'sluice.yaml'),
      TEMPORAL_ADDRESS: temporal.address,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, text: () => text, ended: once(child, 'exit').then(([code]) => code as number | null) };
}

describe('the Dockerfile', () => {
  it('has nothing that hadolint minds', () => {
    const hadolint = process.env['SLUICE_HADOLINT'];
    if (!hadolint) throw new Error('SLUICE_HADOLINT is not set: run .ci/cluster.sh');
    const { status, stdout } = spawnSync(hadolint, ['Dockerfile'], { cwd: ROOT, encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('runs nothing as root, in no target', () => {
    for (const stage of DOCKERFILE.split(/^FROM /m).slice(1)) {
      const users = [...stage.matchAll(/^USER (\S+)/gm)].map(([, user]) => user);
      if (/^CMD/m.test(stage) && users.length > 0) expect(users.at(-1)).toBe('1000');
    }
    expect(DOCKERFILE).toMatch(/ AS base\n[^]*?USER 1000/);
  });
});

describe('what the image holds', () => {
  it('is what runs, built; no tests, no development dependencies', () => {
    const names = readdirSync(image);
    for (const name of ['api', 'worker', 'cli', 'domain', 'build', 'deploy']) expect(names).toContain(name);
    for (const name of ['test', 'docs', 'bench', '.git', 'sluice.yaml', '.ci'])
      expect(names).not.toContain(name);
    expect(readdirSync(join(image, 'build')).some((name) => /^workflows-[0-9a-f]{16}\.js$/.test(name))).toBe(
      true,
    );
    expect(existsSync(join(image, 'node_modules', 'vitest'))).toBe(false);
    expect(existsSync(join(image, 'node_modules', 'typescript-eslint'))).toBe(false);
  });
});

describe('as nobody, from a folder that cannot be written', () => {
  it('the API answers, and its health check sees it', async () => {
    const port = await freePort();
    const { child, text, ended } = start('api', {
      HOST: '127.0.0.1',
      PORT: String(port),
      SLUICE_RELEASE: 'r7',
    });
    await until(`the API listens: ${text()}`, () => /listening/i.test(text()));
    const url = `http://127.0.0.1:${port}`;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/version.json`)).json()).toEqual({ release: 'r7' });
    const healthy = (path: string) =>
      spawnSync('node', ['deploy/healthy.mjs', `${url}${path}`], { cwd: image }).status;
    expect(healthy('/healthz')).toBe(0);
    expect(healthy('/nowhere')).toBe(1);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(healthy('/healthz')).toBe(1);
  });

  it('a worker takes the bundle that was built with the image', async () => {
    const before = readdirSync(join(image, 'build'));
    const metrics = await freePort();
    const { child, text, ended } = start('worker', { WORKER_METRICS_ADDRESS: `127.0.0.1:${metrics}` });
    await until(`the worker runs: ${text()}`, () => text().includes('takes workflows'));
    const scraped = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    expect(scraped).toContain('temporal_');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(readdirSync(join(image, 'build'))).toEqual(before);
    expect(text()).not.toContain('EACCES');
  });

  it('a worker finds a merge, with the programs that its target installs', async () => {
    const before = await source.commit({ 'api/a': '1' });
    const after = await source.commit({ 'api/a': '2' }, 'Mend the api');
    ofNobody(source.directory);
    const { child, text, ended } = start('worker', { SLUICE_CACHE: ofNobody(join(folder, 'cache')) });
    await until(`the worker runs: ${text()}`, () => text().includes('takes workflows'));
    const { client, close } = createTemporal({ address: temporal.address });
    const pushed: Delivered = { event: 'push', ref: 'refs/heads/main', before, after };
    const handle = await client.workflow.start(WORKFLOW.delivery, {
      ...{ workflowId: 'delivery/of-the-image', taskQueue: QUEUE.main, args: [pushed] },
    });
    // What it then does with it needs GitHub.
    const found = await until(`a merge is found: ${text()}`, async () => {
      const { events } = await handle.fetchHistory();
      const [first] = (events ?? []).flatMap((event) => event.activityTaskCompletedEventAttributes ?? []);
      const data = first?.result?.payloads?.[0]?.data;
      return data ? (JSON.parse(Buffer.from(data).toString()) as MergesFound) : false;
    });
    expect(found).toMatchObject({ head: after, apps: { api: [{ sha: after }] } });
    await handle.terminate();
    await close();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
