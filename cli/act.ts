/** What the commands are put together with. */
import type { Command } from 'commander';
import type { CliContext } from './context.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- commander hands over what was typed, by position
type Action = (...args: any[]) => Promise<void>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Wrap = (work: (context: CliContext, ...args: any[]) => Promise<number>) => Action;

export const waited = (command: Command): Command =>
  command.option('--no-wait', 'print the id and go').option('--json', 'one object at the end');

export const followed = (command: Command): Command =>
  waited(command.option('--reason <text>', 'why, for everybody to read'));
