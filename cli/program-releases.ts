/** `sluice release`, and what belongs to it. */
import type { Command } from 'commander';
import type { Wrap } from './act.js';
import { followed } from './act.js';
import type { AskOptions } from './commands/deploy.js';
import type { ReleaseOptions } from './commands/release.js';
import { abandonRelease, release, retryRelease, watchRelease } from './commands/release.js';

export function addReleases(root: Command, act: Wrap): void {
  const command = followed(
    root
      .command('release [app]')
      // Options that stand after retry or abandon are theirs.
      .enablePositionalOptions()
      .description('release a tag: deploy it to production, publish it, and follow it')
      .option('--tag <tag>', 'of images that are in the registry')
      .option('--again', 'release the same image once more')
      .option('--override', 'release what is marked bad; give a reason'),
  ).action(
    act((context, app: string | undefined, options: ReleaseOptions) => release(context, app, options)),
  );
  followed(command.command('retry <id>').description('go on at the step where a release is blocked'))
    .option('--override', 'although it is marked bad; give a reason')
    .action(
      act((context, id: string, options: AskOptions & { override?: boolean }) =>
        retryRelease(context, id, options),
      ),
    );
  followed(command.command('abandon <id>').description('end a blocked release')).action(
    act((context, id: string, options: AskOptions) => abandonRelease(context, id, options)),
  );
  command
    .command('watch <id>')
    .description('follow a release to its end')
    .option('--json', 'one object at the end')
    .action(act((context, id: string, options: { json?: boolean }) => watchRelease(context, id, options)));
}
