// `node scripts/run.mjs <file.ts> …arguments`: runs a TypeScript file of this project, on a fresh clone too.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { checkNode, install, ROOT } from './install.mjs';

/** A signal that comes twice at once is one: npm passes on what the terminal sent to everyone already. */
const SAME_WITHIN_MS = 1_000;

const [file, ...rest] = process.argv.slice(2);
if (!file) {
  console.error('Usage: node scripts/run.mjs <file.ts> [arguments]');
  process.exit(2);
}
checkNode();
await install({ dev: false }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});

const child = spawn(
  process.execPath,
  ['--import', import.meta.resolve('tsx'), resolve(ROOT, file), ...rest],
  {
    stdio: 'inherit',
  },
);
const lastAt = {};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
  process.on(signal, () => {
    // Ctrl-C goes to the whole process group: the child has it. Passed on, it would be the second one, which
    // ends a process at once.
    const fromTerminal =
      (signal === 'SIGINT' || signal === 'SIGQUIT') && (process.stdin.isTTY || process.stderr.isTTY);
    if (fromTerminal || Date.now() - (lastAt[signal] ?? 0) < SAME_WITHIN_MS) return;
    lastAt[signal] = Date.now();
    child.kill(signal);
  });
}
child.once('error', (error) => {
  console.error(`${file} could not be started: ${error.message}`);
  process.exitCode = 1;
});
child.once('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
});
