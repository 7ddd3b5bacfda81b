/** What must not outlive us, also where nothing of ours is asked any more: SIGKILL leaves no time. */
import { spawn } from 'node:child_process';

export interface Guard {
  /** It is over in order: the guard's script is not run. */
  release(): void;
}

/** Runs a shell script, with its arguments as `$1` …, once our process has ended: the pipe to the shell closes. */
export function guard(script: string, ...args: string[]): Guard {
  const shell = spawn('/bin/sh', ['-c', `cat >/dev/null; ${script}`, 'guard', ...args], {
    // A session of its own: Ctrl-C is not for it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.once('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // The pipe must not keep our process alive; `unref` is there, though the type does not say so.
  (shell.stdin as unknown as { unref?(): void }).unref?.();
  return { release: () => void shell.kill('SIGKILL') };
}
