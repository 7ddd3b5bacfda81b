/** What a command has around it; tests put their own there. */
import { createClient } from './client.js';
import type { Client } from './client.js';

export interface Io {
  out(line: string): void;
  err(line: string): void;
  /** Overwrites the last line of a terminal; absent where there is none. */
  live?: { show(line: string): void; clear(): void; width(): number };
  now(): Date;
  /** Aborted by Ctrl-C. */
  interrupted: AbortSignal;
}

export interface CliContext {
  client: Client;
  io: Io;
  hasToken: boolean;
  /** The process's: for commands that take the server's. */
  env: NodeJS.ProcessEnv;
}

/** Exit codes, as the help tells them. */
export const EXIT = {
  /** What was asked for came true. */
  success: 0,
  /** It ended otherwise, or Sluice could not be asked. */
  failure: 1,
  /** The command, or the request, was refused. */
  refused: 2,
  /** Ctrl-C while watching. */
  interrupted: 130,
} as const;

/** The command line is wrong, or the environment. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function createContext(env: NodeJS.ProcessEnv, io: Io): CliContext {
  const url = (env['SLUICE_URL'] || 'http://localhost:3000').replace(/\/+$/, '');
  if (!/^https?:$/.test(protocolOf(url))) {
    throw new UsageError(`SLUICE_URL is ${JSON.stringify(url)}: it must be an http or https URL`);
  }
  const token = env['GITHUB_TOKEN']?.trim();
  let told = '';
  const onAgain = (why: string): void => {
    if (why !== told) io.err(`… ${why} Trying again.`);
    told = why;
  };
  return {
    io,
    hasToken: Boolean(token),
    env,
    client: createClient({ url, ...(token ? { token } : {}), onAgain }),
  };
}

function protocolOf(url: string): string {
  try {
    return new URL(url).protocol;
  } catch {
    return '';
  }
}
