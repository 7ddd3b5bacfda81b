import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gitEnvironment } from '../../activities/git/environment.js';
import { withLock } from '../../activities/git/lock.js';
import { createMirror } from '../../activities/git/mirror.js';
import type { Mirror } from '../../activities/git/mirror.js';
import { failureOf } from '../support/failures.js';
import { createSource } from '../support/source.js';
import type { SourceRepository } from '../support/source.js';

let cache: string;
let source: SourceRepository;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'sluice-test-cache-'));
  source = await createSource();
});

afterEach(async () => {
  await source.remove();
  await rm(cache, { recursive: true, force: true });
});

const mirrorOf = (cloneUrl = source.directory, branch = 'main', token?: string): Mirror =>
  createMirror({
    repository: { owner: 'acme', name: 'shop', branch, cloneUrl },
    env: { ...process.env, SLUICE_CACHE: cache },
    ...(token ? { token } : {}),
  });

const mirrors = async (): Promise<string[]> =>
  (await readdir(join(cache, 'mirrors'))).filter((name) => name.endsWith('.git'));

describe('isOnBranch', () => {
  it('tells the commits of the branch from others that the source serves too', async () => {
    const first = await source.commit({ a: '1' });
    const head = await source.commit({ a: '2' });
    source.git('checkout', '--quiet', '-b', 'fork', first);
    const forked = await source.commit({ b: '1' });
    const mirror = mirrorOf();
    expect(await mirror.isOnBranch(first)).toBe(true);
    expect(await mirror.isOnBranch(head)).toBe(true);
    expect(await mirror.isOnBranch(forked)).toBe(false);
    expect(await mirror.isOnBranch('0'.repeat(40))).toBe(false);
    for (const name of ['main', 'HEAD', head.slice(0, 12), `${head}^`, '--all', '']) {
      expect(await mirror.isOnBranch(name)).toBe(false);
    }
  });

  it('asks the source each time: a new commit is on the branch at once, one that was forced away is not', async () => {
    const first = await source.commit({ a: '1' });
    const mirror = mirrorOf();
    expect(await mirror.isOnBranch(first)).toBe(true);
    const second = await source.commit({ a: '2' });
    expect(await mirror.isOnBranch(second)).toBe(true);
    source.git('reset', '--quiet', '--hard', first);
    expect(await mirror.isOnBranch(second)).toBe(false);
    expect(await mirrors()).toHaveLength(1);
  });

  it('makes a corrupt mirror anew', async () => {
    const first = await source.commit({ a: '1' });
    const head = await source.commit({ a: '2' });
    const mirror = mirrorOf();
    await mirror.isOnBranch(head);
    const [name = ''] = await mirrors();
    const directory = join(cache, 'mirrors', name);

    await rm(join(directory, 'objects'), { recursive: true });
    await mkdir(join(directory, 'objects'));
    expect(await mirror.isOnBranch(first)).toBe(true);

    await writeFile(join(directory, 'HEAD'), 'rubbish');
    expect(await mirror.isOnBranch(head)).toBe(true);

    await rm(join(directory, 'objects'), { recursive: true });
    await mkdir(join(directory, 'objects'));
    const content = await mirror.withCheckout({ commit: head }, (path) => readFile(join(path, 'a'), 'utf8'));
    expect(content).toBe('2');
  });

  it('lets any number ask at once, from several processes', async () => {
    const head = await source.commit({ a: '1' });
    const script = `
      import { createMirror } from './activities/git/mirror.ts';
      const mirror = createMirror({ repository: ${JSON.stringify({ owner: 'acme', name: 'shop', branch: 'main', cloneUrl: source.directory })} });
      const answers = await Promise.all([1, 2, 3].map(() => mirror.isOnBranch('${head}')));
      console.log(JSON.stringify(answers));`;
    const other = async (): Promise<string> => {
      const { promisify } = await import('node:util');
      const { execFile } = await import('node:child_process');
      const args = ['--import', 'tsx', '--input-type', 'module', '--eval', script];
      return (
        await promisify(execFile)(process.execPath, args, { env: { ...process.env, SLUICE_CACHE: cache } })
      ).stdout;
    };
    const here = mirrorOf();
    const [one, two, ...own] = await Promise.all([
      other(),
      other(),
      ...[1, 2, 3].map(() => here.isOnBranch(head)),
    ]);
    expect([one, two].map((text) => JSON.parse(text ?? '') as unknown)).toEqual([
      [true, true, true],
      [true, true, true],
    ]);
    expect(own).toEqual([true, true, true]);
    expect((await readdir(join(cache, 'mirrors'))).filter((name) => !name.endsWith('.git'))).toEqual([]);
  });
});

describe('a source that cannot be fetched', () => {
  it.each([
    ['a host that refuses', 'http://127.0.0.1:1/x.git', 'main'],
    ['a host that does not exist', 'https://nowhere.invalid/x.git', 'main'],
    ['a directory that is not there', '/nowhere/at/all', 'main'],
    ['a helper that would run a program', 'ext::sh -c "exit 3"', 'main'],
  ])('is a clear failure: %s', async (_, url, branch) => {
    const failure = await failureOf(mirrorOf(url, branch).isOnBranch('a'.repeat(40)));
    expect(failure.type).toBe('CLONE_FAILED');
    expect(failure.nonRetryable).toBe(true);
    expect(failure.message).toContain('acme/shop');
    expect(failure.message).not.toContain('\n');
  });

  it('says that the branch is missing', async () => {
    await source.commit({ a: '1' });
    const failure = await failureOf(mirrorOf(source.directory, 'trunk').isOnBranch('a'.repeat(40)));
    expect(failure.message).toContain('no branch trunk');
  });

  it('tells no password of the URL', async () => {
    const failure = await failureOf(
      mirrorOf('http://me:hunter22@127.0.0.1:1/x.git').isOnBranch('a'.repeat(40)),
    );
    expect(JSON.stringify(failure)).not.toContain('hunter22');
  });

  it('ends when it is cancelled', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stopped')), 300);
    const started = Date.now();
    await expect(
      mirrorOf(`http://127.0.0.1:${port}/x.git`).isOnBranch('a'.repeat(40), stop.signal),
    ).rejects.toThrow('stopped');
    expect(Date.now() - started).toBeLessThan(3_000);
    server.closeAllConnections();
    server.close();
  });
});

describe('withCheckout', () => {
  it('gives the files of the commit, whatever their attributes, and removes them', async () => {
    const commit = await source.commit({
      'api/Dockerfile': 'FROM scratch\n',
      'docs/left-out.md': 'still here',
      '.gitattributes': 'docs export-ignore\n',
      link: '-> api/Dockerfile',
    });
    await source.commit({ 'api/Dockerfile': 'later' });
    const mirror = mirrorOf();
    await mirror.isOnBranch(commit);
    let seen = '';
    await mirror.withCheckout({ commit }, async (directory) => {
      seen = directory;
      expect(await readFile(join(directory, 'link'), 'utf8')).toBe('FROM scratch\n');
      expect(await readFile(join(directory, 'docs/left-out.md'), 'utf8')).toBe('still here');
      expect((await readdir(directory)).sort()).toEqual(['.gitattributes', 'api', 'docs', 'link']);
    });
    expect(existsSync(seen)).toBe(false);
    await expect(
      mirror.withCheckout({ commit }, () => Promise.reject(new Error('work failed'))),
    ).rejects.toThrow('work failed');
  });

  it('refuses a commit that the mirror lacks', async () => {
    const head = await source.commit({ a: '1' });
    const mirror = mirrorOf();
    await mirror.isOnBranch(head);
    const failure = await failureOf(mirror.withCheckout({ commit: 'b'.repeat(40) }, () => Promise.resolve()));
    expect(failure.type).toBe('CLONE_FAILED');
  });
});

describe('the token', () => {
  const token = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';

  it('goes to the host of an https URL alone, and stands in no URL and no argument', () => {
    const env = gitEnvironment({ env: {}, cloneUrl: 'https://github.com/acme/shop.git', token });
    const key = Object.keys(env).find((name) => env[name] === 'http.https://github.com/.extraHeader') ?? '';
    const value = env[key.replace('KEY', 'VALUE')] ?? '';
    expect(Buffer.from(value.replace('Authorization: Basic ', ''), 'base64').toString()).toBe(
      `x-access-token:${token}`,
    );
    expect(env['GIT_TERMINAL_PROMPT']).toBe('0');
    for (const cloneUrl of [
      'http://github.com/a/b',
      'git@github.com:a/b.git',
      'ssh://git@github.com/a/b',
      '/srv/a',
    ]) {
      expect(JSON.stringify(gitEnvironment({ env: {}, cloneUrl, token }))).not.toContain('extraHeader');
    }
  });

  it('is the only thing of the worker that git sees', () => {
    const env = gitEnvironment({
      env: { PATH: '/bin', SLACK_BOT_TOKEN: 'x', GITHUB_TOKEN: token },
      cloneUrl: '/srv/a',
    });
    expect(JSON.stringify(env)).not.toContain(token);
    expect(env).not.toHaveProperty('SLACK_BOT_TOKEN');
  });

  it('is not sent where the URL is not https', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await failureOf(mirrorOf(`http://127.0.0.1:${port}/x.git`, 'main', token).isOnBranch('a'.repeat(40)));
    server.close();
    expect(seen.length).toBeGreaterThan(0);
    for (const headers of seen) expect(headers.authorization).toBeUndefined();
  });
});

describe('withLock', () => {
  it('lets one in at a time', async () => {
    const path = join(cache, 'x.lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withLock({ path }, work)));
    expect(most).toBe(1);
    expect(existsSync(path)).toBe(false);
  });

  it('takes over from one that died, and from one that gives no sign of life', async () => {
    const path = join(cache, 'x.lock');
    const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    const leave = async (holder: object): Promise<void> => {
      await mkdir(path);
      await writeFile(join(path, 'holder.json'), JSON.stringify(holder));
    };
    await leave({ token: 'one', pid: Number(dead), host: hostname() });
    expect(await withLock({ path }, () => Promise.resolve('mine'))).toBe('mine');
    await leave({ token: 'two', pid: process.pid, host: 'elsewhere' });
    const old = new Date(Date.now() - 60_000);
    await utimes(path, old, old);
    expect(await withLock({ path }, () => Promise.resolve('mine'))).toBe('mine');
  });

  it('leaves a living holder alone, and can be cancelled while it waits', async () => {
    const path = join(cache, 'x.lock');
    await mkdir(path);
    await writeFile(
      join(path, 'holder.json'),
      JSON.stringify({ token: 'three', pid: process.pid, host: hostname() }),
    );
    const signal = AbortSignal.timeout(300);
    await expect(withLock({ path, signal }, () => Promise.resolve('mine'))).rejects.toThrow();
    expect((await stat(path)).isDirectory()).toBe(true);
  });
});
