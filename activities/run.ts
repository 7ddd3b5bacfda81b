/** Runs one foreign program: no shell, an environment of its own, its whole process group ended with it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

const GRACE_MS = 3_000;
const LONGEST_LINE = 16_384;
/** Standard output that is kept as text. */
const LONGEST_OUTPUT = 1024 * 1024;

export interface Run {
  command: string;
  args: readonly string[];
  /** All that the program sees: nothing is inherited. */
  env: Record<string, string>;
  cwd?: string;
  /** Ends the process group. */
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Every line of both outputs, as it comes; control characters taken out. */
  onLine?: (line: string) => void;
  /** Standard output as it comes, byte for byte: of any length, and not kept. */
  onBytes?: (bytes: Buffer) => void;
}

export interface Ran {
  /** Exit code; -1 where a signal ended it or it could not be started. */
  code: number;
  /** First MiB; empty with `onBytes`. */
  stdout: string;
  stderr: string;
  /** Why it has no exit code of its own. */
  ended?: 'not-found' | 'not-started' | 'cancelled' | 'timed-out' | 'killed';
}

/** Never rejects: how it went is in the result. Returns once the whole group is gone. */
export async function run(input: Run): Promise<Ran> {
  if (input.signal?.aborted) return { code: -1, stdout: '', stderr: '', ended: 'cancelled' };
  const child = spawn(input.command, input.args, {
    env: input.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group: a build starts more processes than this one.
    detached: true,
    ...(input.cwd === undefined ? {} : { cwd: input.cwd }),
  });
  const stdout = input.onBytes ? passOn(child.stdout, input.onBytes) : collect(child.stdout, input.onLine);
  const stderr = collect(child.stderr, input.onLine);
  let ended: Ran['ended'];
  const end = (why: Ran['ended']): void => {
    if (ended !== undefined) return;
    ended = why;
    killGroup(child, 'SIGTERM');
    setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS).unref();
  };
  const onAbort = (): void => end('cancelled');
  input.signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    input.timeoutMs === undefined ? undefined : setTimeout(() => end('timed-out'), input.timeoutMs);
  const finish = await finished(child);
  clearTimeout(timer);
  input.signal?.removeEventListener('abort', onAbort);
  // What it left behind in its group goes too; nothing may go on writing after this returned.
  killGroup(child, 'SIGKILL');
  return {
    code: finish.code ?? -1,
    stdout: stdout(),
    stderr: stderr(),
    ...(finish.code === null ? { ended: ended ?? finish.why } : {}),
  };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // nobody of the group is left
  }
}

interface Finish {
  code: number | null;
  why: NonNullable<Ran['ended']>;
}

function finished(child: ChildProcess): Promise<Finish> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      resolve({ code: null, why: error.code === 'ENOENT' ? 'not-found' : 'not-started' });
    });
    child.once('close', (code) => resolve({ code, why: 'killed' }));
    child.once('exit', () => {
      // A process that left the group may hold the pipes open for ever.
      setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, GRACE_MS).unref();
    });
  });
}

function passOn(stream: NodeJS.ReadableStream, onBytes: (bytes: Buffer) => void): () => string {
  stream.on('data', onBytes);
  stream.on('error', () => undefined);
  return () => '';
}

function collect(stream: NodeJS.ReadableStream, onLine: Run['onLine']): () => string {
  const decoder = new StringDecoder('utf8');
  let text = '';
  let open = '';
  const take = (chunk: string): void => {
    if (text.length < LONGEST_OUTPUT) text += chunk.slice(0, LONGEST_OUTPUT - text.length);
    if (!onLine) return;
    const lines = (open + chunk).split(/\r\n|\n|\r/);
    open = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) emit(line, onLine);
  };
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
  stream.on('end', () => {
    take(decoder.end());
    if (onLine) emit(open, onLine);
  });
  stream.on('error', () => undefined);
  return () => text;
}

/* eslint-disable-next-line no-control-regex -- terminal codes are what is taken out */
const CONTROL = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007|[\u0000-\u0008\u000b-\u001f\u007f]/g;

function emit(line: string, onLine: (line: string) => void): void {
  const plain = line.slice(0, LONGEST_LINE).replace(CONTROL, '').trimEnd();
  if (plain !== '') onLine(plain);
}
