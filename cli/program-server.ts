/**
 * Commands for who runs Sluice: with the server's environment and `sluice.yaml`, not through the API. Loaded when
 * they are asked for: the clients of everything take a second.
 */
import type { Command } from 'commander';
import type { Wrap } from './act.js';
import type { SetupOptions } from './commands/setup.js';

export function addServer(root: Command, act: Wrap): void {
  root
    .command('setup')
    .description('what Sluice needs at Temporal; with the server’s environment, safe to run twice')
    .option('--retention <days>', 'how long ended workflows are kept at least; never lowered', '30')
    .option('--json', 'for scripts')
    .action(
      act(async (context, options: SetupOptions) =>
        (await import('./commands/setup.js')).setup(context, options),
      ),
    );
  root
    .command('doctor')
    .description('checks everything that Sluice stands on; with the server’s environment, writes nothing')
    .option('--json', 'for scripts')
    .action(
      act(async (context, options: { json?: boolean }) =>
        (await import('./commands/doctor.js')).doctor(context, options),
      ),
    );
}
