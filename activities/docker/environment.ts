/** What Docker and the prepare commands get to see, and the registry login that is gone with the build. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryLogin } from '../../clients/registry.js';
import { pick } from '../environment.js';

const PASSED = [
  'PATH',
  'TMPDIR',
  'LANG',
  'DOCKER_HOST',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'BUILDX_BUILDER',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

/** Without a home of its own: enough to ask the daemon what it is. */
export const plainEnvironment = (env: NodeJS.ProcessEnv): Record<string, string> => pick(env, PASSED);

/** Runs `work` with a home and a Docker configuration that exist only meanwhile. */
export async function withDockerEnvironment<T>(
  input: { env: NodeJS.ProcessEnv; login: RegistryLogin },
  work: (environment: Record<string, string>) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-build-'));
  try {
    const config = join(home, '.docker');
    await mkdir(config, { mode: 0o700 });
    await writeFile(join(config, 'config.json'), dockerConfig(input), { mode: 0o600 });
    return await work({ ...plainEnvironment(input.env), HOME: home, DOCKER_CONFIG: config });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function dockerConfig({ env, login }: { env: NodeJS.ProcessEnv; login: RegistryLogin }): string {
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  const own = env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker');
  return JSON.stringify({
    auths: { [login.host]: { auth } },
    // buildx may be installed for the worker's user only
    cliPluginsExtraDirs: [join(own, 'cli-plugins')],
  });
}
