/** A lock between processes that share a cache directory: an atomic `mkdir`, its holder's sign of life inside. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_MS = 2_000;
const STALE_MS = 15_000;
const POLL_MS = 50;

interface Holder {
  token: string;
  pid: number;
  host: string;
}

/**
 * Runs `work` while holding `path`; a holder that died is replaced: at once where it ran on this machine, else
 * after 15 s without a sign of life (a process id may be another's by then).
 * @throws the signal's reason, where it was aborted while waiting
 */
export async function withLock<T>(
  input: { path: string; signal?: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const { path } = input;
  await mkdir(dirname(path), { recursive: true });
  const token = randomUUID();
  while (!(await acquire(path, token))) {
    input.signal?.throwIfAborted();
    await removeStale(path);
    await sleep(POLL_MS);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await release(path, token);
  }
}

/** Moved away before it is emptied: an emptied one could be taken while it is being removed. */
async function release(path: string, token: string): Promise<void> {
  if ((await readHolder(path))?.token !== token) return;
  const aside = `${path}.${token}`;
  await rename(path, aside).catch(() => undefined);
  await rm(aside, { recursive: true, force: true });
}

/** The directory comes into being with its holder's name in it: it is filled aside and moved into place. */
async function acquire(path: string, token: string): Promise<boolean> {
  const holder: Holder = { token, pid: process.pid, host: hostname() };
  const aside = `${path}.${token}`;
  await mkdir(aside);
  await writeFile(join(aside, 'holder.json'), JSON.stringify(holder));
  try {
    await rename(aside, path);
    return true;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Of two who see the same dead holder one wins: the lock is moved to a name made of the dead one's token,
 * where it stays, so that the other cannot move away the lock that came after it.
 */
async function removeStale(path: string): Promise<void> {
  const holder = await readHolder(path);
  if (!holder || !(await isDead(path, holder))) return;
  await rename(path, `${path}.stale-${holder.token}`).catch(() => undefined);
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'holder.json'), 'utf8')) as Holder;
  } catch {
    return undefined; // released in this moment
  }
}

async function isDead(path: string, holder: Holder): Promise<boolean> {
  if (holder.host === hostname() && !isAlive(holder.pid)) return true;
  const seen = await stat(path).catch(() => undefined);
  return seen !== undefined && Date.now() - seen.mtimeMs > STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
