// What every `npm run` here begins with, so that a fresh clone needs no other command. Plain Node: nothing
// is installed yet when this runs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../', import.meta.url));

const LOCK = join(ROOT, 'build', 'install.lock');
const LOCK_FOR_AT_MOST_MS = 10 * 60_000;

/** The lines of Node on which the whole toolchain runs. */
const NODE = [
  [20, 20],
  [22, 13],
  [24, 0],
];

/** Ends the process with one clear line where Node is too old. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const newest = NODE[NODE.length - 1][0];
  if (major > newest || NODE.some(([line, least]) => major === line && minor >= least)) return;
  console.error(
    `Sluice needs Node 20.20 or later of line 20, 22.13 or later of line 22, or 24 and later; this is ${version}.`,
  );
  process.exit(1);
}

/**
 * Installs with `npm ci` where what is installed is not what package-lock.json says. By content, not by
 * date: a checkout changes dates, and nobody's node_modules should be thrown away for that.
 * `dev: false` is satisfied with an installation that left development dependencies out.
 */
export async function install({ dev }) {
  if (isInstalled(dev)) return;
  await takeLock();
  try {
    if (isInstalled(dev)) return;
    console.error('Installing dependencies (npm ci)…');
    const { status } = spawnSync(
      'npm',
      ['ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'],
      {
        cwd: ROOT,
        // Standard output belongs to the command that was asked for.
        stdio: ['ignore', 2, 2],
      },
    );
    if (status !== 0) {
      console.error('npm ci failed: see above. Nothing was started.');
      process.exitCode = 1;
      throw new Error('npm ci failed');
    }
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function isInstalled(dev) {
  const wanted = packages('package-lock.json');
  const there = packages(join('node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      entry.optional ||
      entry.devOptional ||
      (entry.dev && !dev) ||
      there[path]?.version === entry.version,
  );
}

function packages(file) {
  try {
    return JSON.parse(readFileSync(join(ROOT, file), 'utf8')).packages;
  } catch {
    return {};
  }
}

/** Two installations at once would delete each other's files. */
async function takeLock() {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const deadline = Date.now() + LOCK_FOR_AT_MOST_MS;
  let told = false;
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned()) rmSync(LOCK, { force: true });
    else if (Date.now() > deadline)
      throw new Error(`Another installation runs for ten minutes; remove ${LOCK} if not.`);
    else {
      if (!told) console.error('Another process installs dependencies: waiting…');
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function isAbandoned() {
  let pid;
  try {
    pid = Number(readFileSync(LOCK, 'utf8'));
  } catch {
    return false;
  }
  // Empty: its owner is between creating and writing it.
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
