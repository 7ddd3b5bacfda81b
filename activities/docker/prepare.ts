/** Commands of the repository that run in the checkout before the images are built. */
import { refuse } from '../failure.js';
import { run } from '../run.js';
import type { Progress } from './progress.js';

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/**
 * @returns the `NAME=value` lines of their standard output, as build arguments; later ones win
 * @throws ApplicationFailure `BUILD_FAILED` with `lastLines`
 */
export async function prepare(input: {
  commands: readonly string[];
  source: string;
  environment: Record<string, string>;
  progress: Progress;
  signal: AbortSignal;
}): Promise<Record<string, string>> {
  const prepared: Record<string, string> = {};
  if (input.commands.length === 0) return prepared;
  const output = input.progress.output();
  input.progress.enter('prepare');
  for (const command of input.commands) {
    output.add(`$ ${command}`);
    const ran = await run({
      command: 'sh',
      args: ['-c', command],
      env: input.environment,
      cwd: input.source,
      signal: input.signal,
      onLine: output.add,
    });
    input.signal.throwIfAborted();
    if (ran.code !== 0) {
      throw refuse(
        'BUILD_FAILED',
        `The prepare command \`${command.slice(0, 200)}\` ended with ${ran.code}`,
        {
          lastLines: output.lines,
        },
      );
    }
    for (const line of ran.stdout.split(/\r?\n/)) {
      const [, name, value] = ASSIGNMENT.exec(line) ?? [];
      if (name !== undefined && value !== undefined) prepared[name] = value;
    }
  }
  return prepared;
}
