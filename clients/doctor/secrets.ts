/** Secrets of the environment: whether they are there and long enough. Never shown. */
import type { Finding } from '../../domain/findings.js';
import { EMERGENCY_CHARS } from '../../domain/emergency.js';
import { Report } from './report.js';

type Environment = Record<string, string | undefined>;

const SECRETS = [
  {
    name: 'GITHUB_WEBHOOK_SECRET',
    chars: 20,
    off: 'POST /webhooks/github: merges are found by reconcile only',
  },
  { name: 'ECS_WEBHOOK_SECRET', chars: 20, off: 'POST /webhooks/ecs: rollouts are seen by reading only' },
  { name: 'TESTS_WEBHOOK_SECRET', chars: 20, off: 'signed reports of tests' },
  { name: 'SLUICE_EMERGENCY_TOKEN', chars: EMERGENCY_CHARS, off: 'the way in while GitHub is down' },
];
const SESSION = ['GITHUB_OAUTH_CLIENT_ID', 'GITHUB_OAUTH_CLIENT_SECRET', 'SESSION_SECRET'];
const SESSION_CHARS = 32;

const MAKE = 'make one with openssl rand -hex 32';

export function checkSecrets(env: Environment): Finding[] {
  const report = new Report('Secrets');
  for (const { name, chars, off } of SECRETS) length(report, env, { name, chars, off });
  const set = SESSION.filter((name) => env[name]);
  const what = 'browser sign-in';
  if (set.length === 0) report.unchecked(what, `off: ${SESSION.join(', ')} are not set`);
  else if (set.length < SESSION.length) {
    const missing = SESSION.filter((name) => !env[name]);
    report.broken(what, `${missing.join(', ')} not set`, 'set all three, or none');
  } else if ((env['SESSION_SECRET'] ?? '').length < SESSION_CHARS) {
    report.broken(what, `SESSION_SECRET has fewer than ${SESSION_CHARS} characters`, MAKE);
  } else report.ok(what, 'all three are set');
  publicUrl(report, env, set.length === SESSION.length);
  return report.findings;
}

function length(report: Report, env: Environment, { name, chars, off }: (typeof SECRETS)[number]): void {
  const value = env[name];
  if (!value) report.unchecked(name, `not set; off: ${off}`);
  else if (value.length < chars) report.broken(name, `has fewer than ${chars} characters`, MAKE);
  else report.ok(name);
}

function publicUrl(report: Report, env: Environment, signIn: boolean): void {
  const name = 'SLUICE_PUBLIC_URL';
  const url = env[name];
  if (!url) {
    const why = signIn
      ? 'not set: GitHub sends people back to it after they signed in'
      : 'not set: links are paths';
    if (signIn) report.broken(name, why, 'set it to where people reach Sluice, with https');
    else report.warn(name, why, 'set it to where people reach Sluice');
  } else if (!/^https?:\/\/[^/]/.test(url)) {
    report.broken(name, 'is no http or https URL', 'set it to where people reach Sluice');
  } else report.ok(name, url);
}
