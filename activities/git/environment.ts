/** What git gets to see: nothing of the worker's configuration, and the token only for the source's host. */

import { pick } from '../environment.js';

const PASSED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'SSH_AUTH_SOCK',
  'GIT_SSH_COMMAND',
  'GIT_SSL_CAINFO',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

/**
 * URL and token pass through git's configuration by environment: not on the command line, which everyone on
 * the machine can read, and not on disk.
 */
export function gitEnvironment(input: {
  env: NodeJS.ProcessEnv;
  cloneUrl: string;
  token?: string;
}): Record<string, string> {
  const settings: [string, string][] = [
    ['remote.origin.url', input.cloneUrl],
    // A clean-up in the background would outlive the process group and the mirror's lock.
    ['gc.autoDetach', 'false'],
    ['maintenance.autoDetach', 'false'],
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '30'],
    ...credentials(input),
  ];
  return {
    ...pick(input.env, PASSED),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_SSH_COMMAND: input.env['GIT_SSH_COMMAND'] ?? 'ssh -oBatchMode=yes -oConnectTimeout=10',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ALLOW_PROTOCOL: 'https:http:ssh:git:file',
    LC_ALL: 'C',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

function credentials({ cloneUrl, token }: { cloneUrl: string; token?: string }): [string, string][] {
  if (!token || !URL.canParse(cloneUrl)) return [];
  const url = new URL(cloneUrl);
  if (url.protocol !== 'https:') return [];
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return [
    [`http.${url.origin}/.extraHeader`, `Authorization: Basic ${basic}`],
    // git would send the header on to wherever the first answer points.
    ['http.followRedirects', 'false'],
  ];
}
