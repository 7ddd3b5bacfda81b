/** `sluice promote`, and what belongs to it. */
import { Argument } from 'commander';
import type { Command } from 'commander';
import type { Resolution } from '../domain/promotion/promotion.js';
import { RESOLUTIONS } from '../domain/promotion/promotion.js';
import type { Wrap } from './act.js';
import { followed } from './act.js';
import type { ApproveOptions, Reasoned } from './commands/promote.js';
import * as promote from './commands/promote.js';

const FULL = 'as status shows it; absent: of the current promotion';

export function addPromotions(root: Command, act: Wrap): void {
  const command = root
    .command('promote')
    .description('the promotion queue of an app: from a merge over staging to production');
  command
    .command('status [app]')
    .description('what is where, what waits, and why')
    .option('--json', 'for scripts')
    .action(
      act((context, app?: string, options?: { json?: boolean }) => promote.status(context, app, options)),
    );
  addForward(command, act);
  addEnds(command, act);
  addQueueLocks(command, act);
}

function addForward(command: Command, act: Wrap): void {
  followed(
    command
      .command('approve <app>')
      .argument('[release]', FULL)
      .description('let production have what was tested on staging, and follow it')
      .option('--override', 'although it is marked bad, or production has moved; give a reason'),
  ).action(
    act((context, app: string, release: string | undefined, options: ApproveOptions) =>
      promote.approve(context, { app, ...(release ? { release } : {}) }, options),
    ),
  );
  followed(
    command
      .command('retry <app>')
      .argument('[release]', FULL)
      .description('try the failed stage again, with the same tag, and follow it')
      .option('--override', 'although it is marked bad, or production has moved; give a reason'),
  ).action(
    act((context, app: string, release: string | undefined, options: ApproveOptions) =>
      promote.retry(context, { app, ...(release ? { release } : {}) }, options),
    ),
  );
}

const reasoned = (command: Command): Command =>
  command.requiredOption('--reason <text>', 'why, for everybody to read').option('--json', 'for scripts');

function addEnds(command: Command, act: Wrap): void {
  reasoned(
    command
      .command('reject <app>')
      .argument('[release]', FULL)
      .description('end the current promotion: it does not go to production'),
  ).action(
    act((context, app: string, release: string | undefined, options: Reasoned) =>
      promote.reject(context, { app, ...(release ? { release } : {}) }, options),
    ),
  );
  reasoned(
    command
      .command('cancel <app>')
      .argument('[release]', 'as status shows it; absent: of the only one that waits')
      .description('end a promotion that waits for its start'),
  ).action(
    act((context, app: string, release: string | undefined, options: Reasoned) =>
      promote.cancel(context, { app, ...(release ? { release } : {}) }, options),
    ),
  );
  reasoned(
    command
      .command('resolve <app>')
      .addArgument(new Argument('<choice>', 'what is right').choices(RESOLUTIONS))
      .description('adopt what staging runs, restore staging to what production runs, or override'),
  ).action(
    act((context, app: string, choice: Resolution, options: Reasoned) =>
      promote.resolve(context, { app, choice }, options),
    ),
  );
}

function addQueueLocks(command: Command, act: Wrap): void {
  reasoned(command.command('lock <app>').description('let no stage of a promotion start')).action(
    act((context, app: string, options: Reasoned) => promote.lock(context, app, options)),
  );
  command
    .command('unlock <app>')
    .description('let what the lock held go on')
    .option('--reason <text>', 'why, for everybody to read')
    .option('--json', 'for scripts')
    .action(act((context, app: string, options: Partial<Reasoned>) => promote.unlock(context, app, options)));
}
