/** Secrets from files, as Docker and Kubernetes mount them: `GITHUB_TOKEN_FILE=/run/secrets/github_token`. */
import { readFileSync } from 'node:fs';
import { ConfigError } from './config.js';

/** Only these: `…_FILE` of anything else is somebody else's. */
export const SECRETS = [
  'GITHUB_TOKEN',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
  'GITHUB_OAUTH_CLIENT_SECRET',
  'SESSION_SECRET',
  'SLACK_BOT_TOKEN',
  'SLACK_WEBHOOK_URL',
  'ECS_WEBHOOK_SECRET',
  'TESTS_WEBHOOK_SECRET',
  'SLUICE_EMERGENCY_TOKEN',
  'TEMPORAL_API_KEY',
  'AWS_SECRET_ACCESS_KEY',
] as const;

/**
 * Fills `env` in place, so that every library finds them where it looks. Call it first.
 * @throws {ConfigError} where a file cannot be read, or both forms are set
 */
export function readSecretFiles(env: Record<string, string | undefined>): void {
  for (const name of SECRETS) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    if (env[name]) throw new ConfigError(`${name} and ${name}_FILE are both set: set one of them`);
    env[name] = contentOf(path, name);
  }
}

function contentOf(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${name}_FILE is ${path}, which cannot be read (${code})`);
  }
}
