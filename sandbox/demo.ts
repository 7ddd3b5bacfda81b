/**
 * `npm run demo`: the road of a deployment, on real processes. A commit goes to staging and is verified; a
 * commit that does not start is rolled back by ECS, and told as the failure that it is. Exit 0 only if all of
 * that came true.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Deployment } from '../domain/deployment.js';
import { clusterOf, PEOPLE, serviceOf } from './settings.js';
import type { Stack } from './stack.js';
import { startStack } from './stack.js';

const CLI = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const out = (text: string): void => void process.stdout.write(`${text}\n`);
const title = (text: string): void => out(`\n━━ ${text}`);

/** What the demo promises, and what became of it. */
const findings: { claim: string; held: boolean }[] = [];
function check(claim: string, held: boolean): void {
  findings.push({ claim, held });
  out(`   ${held ? '✓' : '✗'} ${claim}`);
}

/** The command line that runs now. */
let command: ChildProcess | undefined;

/** Runs the command line as a person would. @returns its exit code */
async function sluice(stack: Stack, ...args: string[]): Promise<number> {
  out(`\n$ sluice ${args.join(' ')}`);
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...args], {
    env: { ...process.env, SLUICE_URL: stack.apiUrl, GITHUB_TOKEN: PEOPLE.alice.token },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  command = child;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

async function read<T>(stack: Stack, path: string): Promise<T> {
  const headers = { authorization: `Bearer ${PEOPLE.alice.token}` };
  const response = await fetch(`${stack.apiUrl}${path}`, { headers });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

async function latest(stack: Stack, app: string): Promise<Deployment> {
  const query = `app=${app}&environment=staging&limit=1`;
  const [{ id } = { id: 'none' }] = (await read<{ items: Deployment[] }>(stack, `/api/deployments?${query}`))
    .items;
  return read<Deployment>(stack, `/api/deployments/${id}`);
}

const place = (app: 'api' | 'frontend') => ({
  cluster: clusterOf('staging'),
  service: serviceOf(app, 'staging'),
});

async function reported(stack: Stack, app: 'api' | 'frontend'): Promise<string> {
  const url = `${stack.aws.serviceUrl(place(app))}/version.json`;
  const answer = await (await fetch(url)).text();
  out(`$ curl ${url}\n${answer.trim()}`);
  return (JSON.parse(answer) as { release: string }).release;
}

async function deployed(stack: Stack, commit: string): Promise<void> {
  title('A commit of main goes to staging: api (two images), then frontend (one)');
  for (const app of ['api', 'frontend'] as const) {
    const code = await sluice(stack, 'deploy', app, 'staging', '--commit', commit);
    check(`${app}: the command ended with 0`, code === 0);
    const deployment = await latest(stack, app);
    check(
      `${app}: outcome succeeded, verified`,
      deployment.outcome === 'succeeded' && deployment.verified === true,
    );
    check(`${app}: its version endpoint reports the commit`, (await reported(stack, app)) === commit);
  }
}

async function rolledBack(stack: Stack, { good, broken }: { good: string; broken: string }): Promise<void> {
  title('A commit whose container does not start: ECS rolls back, and Sluice says so');
  const before = stack.aws.revisions({ family: serviceOf('api', 'staging') }).length;
  const code = await sluice(stack, 'deploy', 'api', 'staging', '--commit', broken);
  check('the command did not end with 0', code !== 0);
  const { outcome, failure, dossier } = await latest(stack, 'api');
  check('outcome rolled-back, not success', outcome === 'rolled-back');
  check('the reason is given', failure?.code === 'ROLLED_BACK');
  check(
    'the dossier has the stopped tasks and the events',
    Boolean(dossier?.events.length && dossier.stoppedTasks.length),
  );
  const after = stack.aws.revisions({ family: serviceOf('api', 'staging') }).length;
  check('one revision was registered, none by the rollback', after === before + 1);
  check('the commit before is served', (await reported(stack, 'api')) === good);
}

async function main(): Promise<void> {
  const began = Date.now();
  title('Starting the sandbox');
  const starting = startStack({ say: (line) => out(`   ${line}`) });
  let isEnding = false;
  const end = (): void => {
    isEnding = true;
    out('\nEnding the sandbox …');
    command?.kill();
    // Also what is only just coming up.
    void starting.then((stack) => stack.close()).finally(() => process.exit(130));
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  const stack = await starting;
  if (isEnding) return;
  try {
    const { good, broken } = stack.sample.commits;
    const commit = good.at(-1) ?? '';
    await deployed(stack, commit);
    await rolledBack(stack, { good: commit, broken: broken.atStart });
    title('What it looks like');
    await sluice(stack, 'status');
    await sluice(stack, 'history');
  } finally {
    await stack.close();
  }
  const broke = findings.filter(({ held }) => !held);
  title(
    `${findings.length - broke.length} of ${findings.length} came true, in ${Math.round((Date.now() - began) / 1000)} s`,
  );
  for (const { claim } of broke) out(`   ✗ ${claim}`);
  out('   npm run sandbox leaves it running to play with');
  process.exitCode = broke.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(
    `The demo could not go on: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});
