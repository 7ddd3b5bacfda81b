import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

it.each([[[]], [['--builds']]])(
  'a worker %j without a configuration says so in plain words, and ends',
  (args) => {
    const env = { ...process.env, SLUICE_CONFIG: '/nowhere/sluice.yaml' };
    const command = ['--import', 'tsx', 'worker/main.ts', ...args];
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, env, timeout: 30_000 });
    expect(status).toBe(1);
    expect(stderr.toString()).toContain('There is no configuration at /nowhere/sluice.yaml');
  },
);
