/** `sluice doctor`: everything that Sluice stands on, from outside in. It reads, and writes nothing. */
import type { Config } from '../../domain/config/config.js';
import type { Finding } from '../../domain/findings.js';
import { createAws } from '../aws.js';
import { createCredentials } from '../github-credentials.js';
import { createTemporal } from '../temporal.js';
import { checkAws } from './aws.js';
import { checkGitHub } from './github.js';
import { checkMachine } from './machine.js';
import { Report, shortly } from './report.js';
import { checkSecrets } from './secrets.js';
import { checkSlack } from './slack.js';
import { checkTemporal } from './temporal.js';
import { checkVersions } from './versions.js';

/** @returns findings in a fixed order, whatever is slow */
export async function examine(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const builds = Object.values(config.apps).some(({ build }) => build === 'sluice');
  const parts = await Promise.all([
    part('Temporal', async () => {
      const temporal = createTemporal();
      try {
        return await checkTemporal(temporal, env['TEMPORAL_ADDRESS'] ?? 'localhost:7233', builds);
      } finally {
        await temporal.close();
      }
    }),
    part('AWS', async () => {
      const aws = createAws(config);
      try {
        return await checkAws({ config, aws });
      } finally {
        aws.destroy();
      }
    }),
    part('Version endpoints', () => checkVersions(config)),
    part('GitHub', () => checkGitHub({ config, credentials: createCredentials(env, config), env })),
    part('Slack', () => checkSlack(env)),
    part('Secrets', () => Promise.resolve(checkSecrets(env))),
    part('This machine', () => checkMachine(env, builds)),
  ]);
  return parts.flat();
}

/** One that cannot even begin, say for a key that is none, is a finding like any other. */
async function part(area: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    const report = new Report(area);
    const isOurs = error instanceof Error && error.name === 'ConfigError';
    report.broken(
      'check',
      isOurs ? error.message : `ended with ${shortly(error)}`,
      'mend it, and run this again',
    );
    return report.findings;
  }
}
