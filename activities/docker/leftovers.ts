import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OURS = /^sluice-(build|source|tests)-/;
/** Longer than any attempt of a build: what is younger may be in use by another worker. */
const LEFT_AFTER_MS = 24 * 60 * 60_000;

/**
 * Removes what build workers that were killed left behind: checkouts, homes of tests, and Docker configurations with a
 * login of the registry. @returns how many
 */
export async function removeLeftovers(directory = tmpdir(), now = Date.now()): Promise<number> {
  const names = (await readdir(directory)).filter((name) => OURS.test(name));
  let removed = 0;
  for (const path of names.map((name) => join(directory, name))) {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs < LEFT_AFTER_MS) continue;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}
