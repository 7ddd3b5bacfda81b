/** The example rules by Prometheus' own tool: that they can be loaded, and when they fire. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function promtool(...args: string[]): string {
  const tool = process.env['SLUICE_PROMTOOL'];
  if (!tool) throw new Error('SLUICE_PROMTOOL is not set: run .ci/cluster.sh');
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: ROOT, encoding: 'utf8' });
  return `${status}\n${stdout}${stderr}`;
}

describe('deploy/alerts.yml', () => {
  it('can be loaded', () => {
    expect(promtool('check', 'rules', 'deploy/alerts.yml')).toMatch(/^0\n[^]*SUCCESS: \d+ rules found/);
  });

  it('fires at the first failure, and not at the first sample of what has to last', () => {
    expect(promtool('test', 'rules', 'test/cluster/alerts.yml')).toMatch(/^0\n/);
  });
});
