/** The command line: what there is to type. */
import { Command, CommanderError } from 'commander';
import { Problem, Unreachable } from './client.js';
import type { BuildOptions } from './commands/build.js';
import { build } from './commands/build.js';
import { deploy, retry } from './commands/deploy.js';
import type { AskOptions, DeployOptions } from './commands/deploy.js';
import { history } from './commands/history.js';
import { lock, unlock } from './commands/lock.js';
import { status } from './commands/status.js';
import type { RollbackOptions } from './commands/rollback.js';
import { redeploy, rollback } from './commands/rollback.js';
import { stop, watch } from './commands/watch.js';
import type { Wrap } from './act.js';
import { followed, waited } from './act.js';
import type { Io } from './context.js';
import { createContext, EXIT, UsageError } from './context.js';
import { addPromotions } from './program-promote.js';
import { addPlans } from './program-plans.js';
import { addReleases } from './program-releases.js';
import { addServer } from './program-server.js';
import { problemLines } from './render.js';

const HELP = `
Environment:
  SLUICE_URL    where Sluice's API is (http://localhost:3000)
  GITHUB_TOKEN  a GitHub token of yours: it says who you are
  setup and doctor take the server's environment and sluice.yaml (SLUICE_CONFIG) instead

Exit codes:
  0    what was asked for came true; a deployment that is followed: succeeded
  1    it ended otherwise, or Sluice could not be asked
  2    the command or the request was refused
  130  Ctrl-C: no longer watching; the deployment goes on`;

/** @param argv without node and script; @returns the exit code */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv, io: Io): Promise<number> {
  let hasToken = false;
  let code: number = EXIT.success;
  const command = program(io, (work) => async (...args: unknown[]) => {
    const context = createContext(env, io);
    hasToken = context.hasToken;
    code = await work(context, ...args);
  });
  try {
    await command.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, io, hasToken);
  }
}

function explain(error: unknown, io: Io, hasToken: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.success : EXIT.refused;
  // By its name: what reads sluice.yaml is loaded by the commands that need it.
  if (error instanceof Error && error.name === 'ConfigError') {
    for (const line of error.message.split('\n')) io.err(`✗ ${line}`);
    return EXIT.refused;
  }
  if (error instanceof UsageError) {
    io.err(`✗ ${error.message}`);
    return EXIT.refused;
  }
  if (error instanceof Problem) {
    for (const line of problemLines(error, hasToken)) io.err(line);
    return error.status < 500 ? EXIT.refused : EXIT.failure;
  }
  if (error instanceof Unreachable) {
    io.err(`✗ ${error.message}`);
    return EXIT.failure;
  }
  throw error;
}

function program(io: Io, act: Wrap): Command {
  const root = new Command('sluice')
    .description('Deploys container apps to AWS ECS, one release at a time.')
    // `release` has commands of its own: options that stand after one are its.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    })
    .addHelpText('after', HELP)
    .showHelpAfterError('(sluice --help tells what there is)');
  addReads(root, act);
  addDeployments(root, act);
  addBuilds(root, act);
  addRollbacks(root, act);
  addReleases(root, act);
  addPromotions(root, act);
  addPlans(root, act);
  addLocks(root, act);
  addServer(root, act);
  return root;
}

function addReads(root: Command, act: Wrap): void {
  root
    .command('status [app] [environment]')
    .description('what runs where')
    .option('--json', 'for scripts')
    .action(
      act((context, app?: string, environment?: string, options?: { json?: boolean }) =>
        status(context, { ...options, ...(app ? { app } : {}), ...(environment ? { environment } : {}) }),
      ),
    );
  root
    .command('history [app] [environment]')
    .description('deployments: those under way, then the newest')
    .option('--releases', 'published releases instead')
    .option('--app <app>', 'of this app')
    .option('--environment <environment>', 'of this environment')
    .option('--kind <kind>', 'deploy, redeploy, rollback, release or promotion')
    .option('--outcome <outcome>', 'e.g. succeeded, failed, rolled-back')
    .option('--actor <login>', 'who asked for it')
    .option('--limit <number>', 'how many, at most 100', '20')
    .option('--cursor <cursor>', 'go on from there')
    .option('--json', 'for scripts')
    .action(
      act((context, app?: string, environment?: string, options?: object) =>
        history(context, { ...options, ...(app ? { app } : {}), ...(environment ? { environment } : {}) }),
      ),
    );
  root
    .command('watch <id>')
    .description('follow a deployment to its end')
    .option('--json', 'one object a line, at each change')
    .action(act((context, id: string, options: { json?: boolean }) => watch(context, id, options)));
}

function addDeployments(root: Command, act: Wrap): void {
  followed(
    root
      .command('deploy <app> <environment>')
      .description('deploy a tag or a commit, and follow it')
      .option('--tag <tag>', 'of images that are in the registry')
      .option('--commit <sha>', '40 hex: built where the registry lacks it')
      .option('--override', 'deploy what is marked bad; give a reason'),
  ).action(
    act((context, app: string, environment: string, options: DeployOptions) =>
      deploy(context, { app, environment }, options),
    ),
  );
  followed(root.command('stop <id>').description('stop a deployment, and go back to what ran before')).action(
    act((context, id: string, options: AskOptions) => stop(context, id, options)),
  );
  followed(root.command('retry <id>').description('deploy again what an ended deployment deployed')).action(
    act((context, id: string, options: AskOptions) => retry(context, id, options)),
  );
}

function addBuilds(root: Command, act: Wrap): void {
  waited(
    root
      .command('build <app>')
      .description('build and push the images of a commit, and follow it')
      .option('--commit <sha>', '40 hex, on the branch'),
  ).action(act((context, app: string, options: BuildOptions) => build(context, app, options)));
}

function addRollbacks(root: Command, act: Wrap): void {
  waited(
    root
      .command('rollback <app> <environment>')
      .description('go back to a release, before everything that waits, and follow it')
      .requiredOption('--reason <text>', 'why, for everybody to read')
      .option('--tag <tag>', 'absent: the last release verified there before the live one')
      .option('--now', 'stop the deployment that runs there')
      .option('--override', 'pass the lock, or go back to what is marked bad'),
  ).action(
    act((context, app: string, environment: string, options: RollbackOptions) =>
      rollback(context, { app, environment }, options),
    ),
  );
  followed(
    root
      .command('redeploy <app> <environment>')
      .description('deploy again what runs, without a build: for new variables')
      .option('--tag <tag>', 'absent: what the version endpoint reports'),
  ).action(
    act((context, app: string, environment: string, options: AskOptions & { tag?: string }) =>
      redeploy(context, { app, environment }, options),
    ),
  );
}

function addLocks(root: Command, act: Wrap): void {
  root
    .command('lock <app> <environment>')
    .description('let no deployment start there')
    .requiredOption('--reason <text>', 'why, for everybody to read')
    .option('--json', 'for scripts')
    .action(
      act((context, app: string, environment: string, options: { reason: string; json?: boolean }) =>
        lock(context, { app, environment }, options),
      ),
    );
  root
    .command('unlock <app> <environment>')
    .description('let what waits there go on')
    .option('--reason <text>', 'why, for everybody to read')
    .option('--json', 'for scripts')
    .action(
      act((context, app: string, environment: string, options: { reason?: string; json?: boolean }) =>
        unlock(context, { app, environment }, options),
      ),
    );
}
