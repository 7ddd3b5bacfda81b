/** What a test command gets to see: where staging is, and nothing of the worker's configuration. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../domain/config/config.js';
import type { TestCommandInput } from '../../domain/promotion/effects.js';
import { pick } from '../environment.js';

const PASSED = [
  'PATH',
  'LANG',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

/** What a worker's own variables with these in their names hold is secret. */
const SECRET = /TOKEN|SECRET|PASSWORD|PRIVATE_KEY|API_KEY|ACCESS_KEY|WEBHOOK_URL/i;

/** To be hidden in the output, wherever a test found it. */
export const workerSecrets = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(env).flatMap(([name, value]) => (value && SECRET.test(name) ? [value] : []));

/** Runs `work` with a home that exists only meanwhile: browsers leave their profiles behind. */
export async function withTestEnvironment<T>(
  input: { env: NodeJS.ProcessEnv; config: Config } & Pick<TestCommandInput, 'app' | 'release'>,
  work: (environment: Record<string, string>) => Promise<T>,
): Promise<T> {
  const { env, config, app, release } = input;
  const home = await mkdtemp(join(tmpdir(), 'sluice-tests-'));
  try {
    const temporary = join(home, 'tmp');
    await mkdir(temporary);
    return await work({
      ...pick(env, PASSED),
      ...browsers(env),
      ...stagingUrls(config),
      HOME: home,
      TMPDIR: temporary,
      // Test runners then neither wait for a person nor open a browser on their report.
      CI: 'true',
      SLUICE_APP: app,
      SLUICE_RELEASE: release,
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** `SLUICE_URL_INGESTION_SERVER`: of every app that has one in staging. */
function stagingUrls({ apps }: Config): Record<string, string> {
  const urls = Object.entries(apps).map(([app, { environments }]) => [app, environments['staging']?.url]);
  return Object.fromEntries(
    urls.flatMap(([app = '', url]) =>
      url === undefined ? [] : [[`SLUICE_URL_${app.toUpperCase().replaceAll('-', '_')}`, url]],
    ),
  );
}

/** Playwright's browsers are installed once, for the worker's user. */
function browsers(env: NodeJS.ProcessEnv): Record<string, string> {
  const path = env['PLAYWRIGHT_BROWSERS_PATH'] || join(env['HOME'] || homedir(), '.cache', 'ms-playwright');
  return existsSync(path) ? { PLAYWRIGHT_BROWSERS_PATH: path } : {};
}
