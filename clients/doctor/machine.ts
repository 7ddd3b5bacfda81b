/** Docker and git of this machine: for a build worker, and only where it is one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Finding } from '../../domain/findings.js';
import { Report } from './report.js';

const ask = promisify(execFile);
const WITHIN_MS = 10_000;

export async function checkMachine(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const report = new Report('This machine, were it a build worker');
  const tool = async (what: string, args: string[], hint: string): Promise<void> => {
    try {
      const { stdout } = await ask(what, args, { env, timeout: WITHIN_MS });
      report.ok(what, stdout.trim().slice(0, 60));
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      report.warn(what, missing ? 'is not installed' : 'does not answer', hint);
    }
  };
  await tool(
    'docker',
    ['version', '--format', '{{.Server.Version}}'],
    'builds need it: install it, start its daemon, or set DOCKER_HOST',
  );
  await tool('git', ['--version'], 'builds and release notes need it');
  return report.findings;
}
