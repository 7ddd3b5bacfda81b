/** Programs of this machine that workers need: doctor runs beside them, or on one like theirs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Finding } from '../../domain/findings.js';
import { Report, shortly } from './report.js';

const ask = promisify(execFile);
const WITHIN_MS = 10_000;

/** @param builds whether Sluice builds anything: then a build worker needs Docker */
export async function checkMachine(env: NodeJS.ProcessEnv, builds: boolean): Promise<Finding[]> {
  const report = new Report('This machine, were it a worker');
  /** @returns what is wrong with it */
  const tool = async (what: string, args: string[]): Promise<string | undefined> => {
    try {
      const { stdout } = await ask(what, args, { env, timeout: WITHIN_MS });
      report.ok(what, stdout.trim().slice(0, 60));
      return undefined;
    } catch (error) {
      return shortly(error) === 'ENOENT' ? 'is not installed' : 'does not answer';
    }
  };
  const git = await tool('git', ['--version']);
  if (git) report.broken('git', git, 'install it for every worker: without it no merge is found');
  if (!builds) return report.findings;
  const docker = await tool('docker', ['version', '--format', '{{.Server.Version}}']);
  if (docker) {
    const hint = 'for build workers only: install it, start its daemon, or set DOCKER_HOST';
    report.warn('docker', docker, hint);
  }
  return report.findings;
}
