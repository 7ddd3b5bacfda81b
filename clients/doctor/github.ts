/** GitHub as Sluice's own credentials see it. Nothing is written. */
import type { Octokit } from '@octokit/rest';
import type { Config } from '../../domain/config/config.js';
import type { Finding } from '../../domain/findings.js';
import type { Credentials } from '../github-credentials.js';
import { troubleOf } from '../github.js';
import { belongsToApp, oauthAppOf } from '../oauth-app.js';
import { checkWebhook } from './github-webhook.js';
import { Report } from './report.js';

type Environment = Record<string, string | undefined>;

/** Of an App's installation; what each is for. */
export const PERMISSIONS: { name: string; level: 'read' | 'write'; for: string }[] = [
  { name: 'contents', level: 'write', for: 'GitHub Releases and the changelog’s branch' },
  { name: 'pull_requests', level: 'write', for: 'release notes and the changelog’s pull request' },
  { name: 'deployments', level: 'write', for: 'GitHub Deployments' },
  { name: 'members', level: 'read', for: 'who is a maintainer' },
];
/** Only where tests run on GitHub Actions. */
export const FOR_TESTS = { name: 'actions', level: 'write', for: 'test runs before a promotion' } as const;
/** Of a classic token. */
export const SCOPES = ['repo', 'read:org'];

export interface GitHubInput {
  config: Config;
  credentials: Credentials;
  env: Environment;
}

export async function checkGitHub({ config, credentials, env }: GitHubInput): Promise<Finding[]> {
  const report = new Report('GitHub');
  const octokit = credentials.octokit();
  const headers = await checkRepository(octokit, { config, credentials }, report);
  if (headers) {
    await checkBranch(octokit, config, report);
    await checkRights({ config, credentials, scopes: headers['x-oauth-scopes'] }, report);
    await checkTeam(octokit, config, report);
    await checkWebhook({ octokit, config, env, report });
  }
  await checkOAuth(env, report);
  return report.findings;
}

type Headers = Record<string, string | number | undefined>;

async function checkRepository(
  octokit: Octokit,
  { config, credentials }: Pick<GitHubInput, 'config' | 'credentials'>,
  report: Report,
): Promise<Headers | undefined> {
  const { owner, name } = config.repository;
  try {
    const { data, headers } = await octokit.rest.repos.get({ owner, repo: name });
    report.ok('repository', `${data.full_name}, as ${credentials.describe()}`);
    return headers;
  } catch (error) {
    const trouble = troubleOf(error, Date.now());
    const hint =
      trouble.kind === 'down'
        ? 'can this machine reach GitHub? GITHUB_API_URL is for GitHub Enterprise'
        : 'set a valid GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, that may read it';
    report.broken('repository', `${owner}/${name} cannot be read: ${trouble.message}`, hint);
    return undefined;
  }
}

async function checkBranch(octokit: Octokit, { repository }: Config, report: Report): Promise<void> {
  const { owner, name: repo, branch } = repository;
  try {
    const { data } = await octokit.rest.repos.getCommit({ owner, repo, ref: branch });
    report.ok('branch', `${branch} at ${data.sha.slice(0, 7)}`);
  } catch (error) {
    const { message } = troubleOf(error, Date.now());
    report.broken('branch', `${branch} cannot be read: ${message}`, 'mend repository.branch in sluice.yaml');
  }
}

async function checkRights(
  of: Pick<GitHubInput, 'config' | 'credentials'> & { scopes: string | number | undefined },
  report: Report,
): Promise<void> {
  const what = 'permissions';
  const granted = await of.credentials.permissions();
  if (granted) {
    const tests = Object.values(of.config.apps).some(({ tests: one }) => one?.kind === 'github');
    const needed = [...PERMISSIONS, ...(tests ? [FOR_TESTS] : [])];
    const missing = needed.filter(
      ({ name, level }) => granted[name] !== 'write' && granted[name] !== 'admin' && granted[name] !== level,
    );
    if (missing.length === 0)
      report.ok(what, needed.map(({ name, level }) => `${name}: ${level}`).join(', '));
    for (const { name, level, for: use } of missing) {
      const hint = `give the App ${name}: ${level}, and accept it for the installation`;
      report.broken(what, `${name}: ${level} is missing, for ${use}`, hint);
    }
    return;
  }
  if (typeof of.scopes !== 'string') {
    report.unchecked(
      what,
      'GitHub does not tell what a fine-grained token may; docs/github.md lists what Sluice needs',
    );
    return;
  }
  const scopes = of.scopes.split(',').map((scope) => scope.trim());
  const has = (scope: string): boolean =>
    scopes.includes(scope) || (scope === 'read:org' && scopes.some((one) => /^(write|admin):org$/.test(one)));
  const missing = SCOPES.filter((scope) => !has(scope));
  if (missing.length === 0) report.ok(what, `scopes ${scopes.join(', ')}`);
  else report.broken(what, `the token lacks the scope ${missing.join(', ')}`, 'make a token that has it');
}

async function checkTeam(octokit: Octokit, { maintainers }: Config, report: Report): Promise<void> {
  const { org, team: team_slug } = maintainers;
  try {
    const { data } = await octokit.rest.teams.getByName({ org, team_slug });
    const count = data.members_count;
    if (count === 0) {
      report.broken('team', `${org}/${team_slug} has no members: nobody may deploy`, 'add maintainers to it');
    } else report.ok('team', `${org}/${team_slug}, ${count} members`);
  } catch (error) {
    const { message } = troubleOf(error, Date.now());
    const hint = 'mend maintainers in sluice.yaml, and let the credentials read the organisation’s members';
    report.broken('team', `${org}/${team_slug} cannot be read: ${message}`, hint);
  }
}

/** GitHub is asked about a token that nobody has: only the right secret gets an answer. */
async function checkOAuth(env: Environment, report: Report): Promise<void> {
  const app = oauthAppOf(env);
  if (!app) return;
  const token = 'gho_sluiceDoctorAsksAboutNobodysToken000';
  const baseUrl = env['GITHUB_API_URL'];
  const answer = await belongsToApp({ app, token, ...(baseUrl ? { baseUrl } : {}) });
  if (answer.kind === 'answer') report.ok('OAuth app', app.clientId);
  else
    report.broken('OAuth app', answer.message, 'check GITHUB_OAUTH_CLIENT_ID and GITHUB_OAUTH_CLIENT_SECRET');
}
