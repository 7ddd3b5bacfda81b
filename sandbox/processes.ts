/** Sluice's own processes as children of the sandbox: their logs in files, ended by process id. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { guard } from './guard.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const READY_WITHIN_MS = 60_000;
const ENDED_WITHIN_MS = 15_000;

export interface ProcessOptions {
  /** `worker/main.ts` */
  file: string;
  args?: string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** What its log says when it is ready. */
  ready: RegExp;
}

export interface RunningProcess {
  pid: number;
  /** Its exit code, once it ended; null: by a signal. */
  ended: Promise<number | null>;
  /** SIGTERM, and SIGKILL where that does not end it. May be called twice. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** @throws with the last lines of its log where it does not get ready. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { file, args = [], env, logFile, ready } = options;
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A session of its own: Ctrl-C reaches the sandbox, which ends its processes in order.
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const end = (): void => void child.kill('SIGKILL');
  const guarded = guard('kill -KILL "$1" 2>/dev/null', String(child.pid));
  void ended.then(() => guarded.release());
  await untilReady({ child, ended, file, logFile, ready });
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const force = setTimeout(end, ENDED_WITHIN_MS);
    await ended;
    clearTimeout(force);
  };
  return { pid: child.pid ?? 0, ended, stop: () => stop('SIGTERM'), kill: () => stop('SIGKILL') };
}

interface Starting extends Pick<ProcessOptions, 'file' | 'logFile' | 'ready'> {
  child: ChildProcess;
  ended: Promise<number | null>;
}

async function untilReady({ child, ended, file, logFile, ready }: Starting): Promise<void> {
  const log = createWriteStream(logFile, { flags: 'a' });
  let last = '';
  const isReady = new Promise<true>((resolve) => {
    const read = (chunk: Buffer): void => {
      log.write(chunk);
      last = (last + chunk.toString('utf8')).slice(-4_000);
      if (ready.test(last)) resolve(true);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), READY_WITHIN_MS);
  });
  const started = await Promise.race([isReady, ended.then(() => false), late]);
  clearTimeout(timer);
  if (started) return;
  child.kill('SIGKILL');
  throw new Error(`${file} did not start:\n${last.trim() || '(it said nothing)'}`);
}
