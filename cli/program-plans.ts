/** `sluice plan`: what a command would do. */
import type { Command } from 'commander';
import type { Wrap } from './act.js';
import type { PlanOptions } from './commands/plan.js';
import { plan } from './commands/plan.js';

const OVERRIDE = 'as with it';

export function addPlans(root: Command, act: Wrap): void {
  const command = root.command('plan').description('what a command would do; nothing is done');
  const one = (usage: string, description: string): Command =>
    command.command(usage).description(description).option('--json', 'for scripts');

  one('deploy <app> <environment>', 'a deployment')
    .option('--tag <tag>', 'of images that are in the registry')
    .option('--commit <sha>', '40 hex')
    .option('--override', OVERRIDE)
    .action(
      act((context, app: string, environment: string, options: PlanOptions) =>
        plan(context, { kind: 'deploy', app, environment }, options),
      ),
    );
  one('redeploy <app> <environment>', 'a redeployment of what runs')
    .option('--tag <tag>', 'absent: what the version endpoint reports')
    .action(
      act((context, app: string, environment: string, options: PlanOptions) =>
        plan(context, { kind: 'redeploy', app, environment }, options),
      ),
    );
  one('rollback <app> <environment>', 'a rollback')
    .option('--tag <tag>', 'absent: the last release verified there before the live one')
    .option('--override', OVERRIDE)
    .action(
      act((context, app: string, environment: string, options: PlanOptions) =>
        plan(context, { kind: 'rollback', app, environment }, options),
      ),
    );
  one('release <app>', 'a release')
    .requiredOption('--tag <tag>', 'of images that are in the registry')
    .option('--again', OVERRIDE)
    .option('--override', OVERRIDE)
    .action(
      act((context, app: string, options: PlanOptions) => plan(context, { kind: 'release', app }, options)),
    );
  one('approve <app>', 'the approval of what waits for it')
    .option('--release <release>', 'absent: whichever waits')
    .option('--override', OVERRIDE)
    .action(
      act((context, app: string, options: PlanOptions) => plan(context, { kind: 'promotion', app }, options)),
    );
}
