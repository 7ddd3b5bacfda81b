import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const RUN = join(import.meta.dirname, '../../scripts/run.mjs');
const folder = mkdtempSync(join(tmpdir(), 'sluice-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(code: string, ...args: string[]) {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mts`);
  writeFileSync(file, code);
  const child = spawn(process.execPath, [RUN, file, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  return { child, out: () => out, ended: once(child, 'close') as Promise<[number | null, string | null]> };
}

describe('scripts/run.mjs', () => {
  it('passes arguments on and keeps the exit code', async () => {
    const { out, ended } = run(
      'const all: string[] = process.argv.slice(2); console.log(all.join()); process.exit(7);',
      'a',
      '--b',
    );
    expect(await ended).toEqual([7, null]);
    expect(out()).toBe('a,--b\n');
  });

  it('passes a signal on once, though it comes twice at once', async () => {
    const code = `
      process.on('SIGTERM', () => { console.log('asked to end'); setTimeout(() => process.exit(3), 500); });
      setInterval(() => undefined, 1000);
      console.log('up');
    `;
    const { child, out, ended } = run(code);
    await expect.poll(out, { timeout: 10_000 }).toContain('up');
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    expect(await ended).toEqual([3, null]);
    expect(out()).toBe('up\nasked to end\n');
  });

  it('tells death by a signal as a shell does', async () => {
    const { ended } = run("process.kill(process.pid, 'SIGKILL');");
    expect(await ended).toEqual([137, null]);
  });
});
