/** The process `sluice`. */
import type { Io } from './context.js';
import { EXIT } from './context.js';
import { run } from './program.js';

/** A request that is under way may still be answered, so that its id can be told. */
const ANSWER_MS = 3_000;

const interrupt = new AbortController();
process.once('SIGINT', () => {
  interrupt.abort();
  setTimeout(() => process.exit(EXIT.interrupted), ANSWER_MS).unref();
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
});

/** A reader that has gone (`| head`) is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const { stdout, stderr } = process;
const io: Io = {
  out: (line) => void stdout.write(`${line}\n`),
  err: (line) => void stderr.write(`${line}\n`),
  ...(stdout.isTTY
    ? {
        live: {
          show: (line: string) => void stdout.write(`\r\u001b[K${line}`),
          clear: () => void stdout.write('\r\u001b[K'),
          width: () => stdout.columns || 80,
        },
      }
    : {}),
  now: () => new Date(),
  interrupted: interrupt.signal,
};

process.exitCode = await run(process.argv.slice(2), process.env, io);
