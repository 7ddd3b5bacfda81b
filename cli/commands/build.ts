import { setTimeout as sleep } from 'node:timers/promises';
import type { Build } from '../../domain/build.js';
import type { CliContext } from '../context.js';
import { EXIT, UsageError } from '../context.js';
import { buildReport, buildWords } from '../render-build.js';

export interface BuildOptions {
  commit?: string;
  /** False: print the id and go. */
  wait: boolean;
  json?: boolean;
}

const EVERY_MS = 1_000;

/** Builds the images of a commit, and follows it. */
export async function build(context: CliContext, app: string, options: BuildOptions): Promise<number> {
  const { client, io } = context;
  const { commit, wait, json } = options;
  if (commit === undefined) throw new UsageError('Give --commit: 40 hex, on the branch');
  const accepted = await client.send<{ id: string }>('POST', '/api/builds', { app, commit });
  if (!wait) {
    io.out(json ? JSON.stringify(accepted) : accepted.id);
    return EXIT.success;
  }
  if (!json) io.out(`accepted ${accepted.id}`);
  return await followBuild(context, accepted.id, json ?? false);
}

async function followBuild({ client, io }: CliContext, id: string, json: boolean): Promise<number> {
  const began = io.now();
  let told = '';
  while (!io.interrupted.aborted) {
    const view = await client.get<Build>(`/api/builds/${encodeURIComponent(id)}`);
    if (view.state === 'finished') {
      if (json) io.out(JSON.stringify(view));
      else for (const line of buildReport(view, began, io.now())) io.out(line);
      return view.outcome === 'succeeded' ? EXIT.success : EXIT.failure;
    }
    const words = buildWords(view, began, io.now());
    // The time alone is no news.
    if (!json && words.what !== told) io.out(words.line);
    told = words.what;
    await sleep(EVERY_MS, undefined, { signal: io.interrupted }).catch(() => undefined);
  }
  io.err(`No longer watching; the build ${id} goes on`);
  return EXIT.interrupted;
}
