/** A process that is killed cannot tidy up; its guard does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../e2e/site.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-guard-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A process that has a guard, releases it or not, and is killed. @returns the file that the guard makes */
async function killed(release: boolean): Promise<string> {
  const made = join(folder, 'made');
  const url = pathToFileURL(join(import.meta.dirname, '../../sandbox/guard.ts')).href;
  const script = `
    import { guard } from ${JSON.stringify(url)};
    const guarded = guard('touch "$1"', ${JSON.stringify(made)});
    if (${release}) guarded.release();
    console.log('ready');
    setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  return made;
}

it('runs its script after SIGKILL', async () => {
  const made = await killed(false);
  await until('the script has run', () => isThere(made));
});

it('does not, once released', async () => {
  const made = await killed(true);
  await sleep(1_000);
  expect(await isThere(made)).toBe(false);
});
