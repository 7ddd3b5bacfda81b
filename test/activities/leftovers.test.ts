import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeLeftovers } from '../../activities/docker/leftovers.js';

it('removes what killed build workers left, and nothing that may be in use or is not ours', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leftovers-'));
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  for (const name of ['sluice-build-old', 'sluice-source-old', 'sluice-build-new', 'other-old']) {
    await mkdir(join(directory, name));
    if (name.endsWith('old')) await utimes(join(directory, name), yesterday, yesterday);
  }
  expect(await removeLeftovers(directory)).toBe(2);
  expect((await readdir(directory)).sort()).toEqual(['other-old', 'sluice-build-new']);
  await rm(directory, { recursive: true });
});
