/** Follows a release, and the deployment that is a step of it, until it ends or is blocked. */
import type { CliContext, Io } from './context.js';
import { EXIT } from './context.js';
import type { ShownDeployment, ShownRelease } from './client.js';
import { Problem } from './client.js';
import { pause } from './pause.js';
import { releaseLine, releaseReport, ReleaseTeller } from './render-release.js';

export interface FollowReleaseOptions {
  id: string;
  json?: boolean;
  wanted?: 'succeeded' | 'abandoned';
  /** Blocked before its latest retry is no end: it goes on once the retry has arrived. */
  retries?: number;
  everyMs?: number;
}

const EVERY_MS = 1_000;

/** @returns the exit code */
export async function followRelease(context: CliContext, options: FollowReleaseOptions): Promise<number> {
  const { client, io } = context;
  const { id, json, wanted = 'succeeded', everyMs = EVERY_MS } = options;
  const teller = new ReleaseTeller();
  let release: ShownRelease | undefined;
  try {
    while (!io.interrupted.aborted) {
      release = await client.get<ShownRelease>(`/api/releases/${encodeURIComponent(id)}`);
      if (!json) await show({ context, teller, release });
      if (hasEnded(release, options)) break;
      await pause(everyMs, io.interrupted);
    }
  } finally {
    io.live?.clear();
  }
  if (!release || !hasEnded(release, options)) {
    io.err(`No longer watching; ${id} goes on. Watch it: sluice release watch ${id}`);
    return EXIT.interrupted;
  }
  if (json) io.out(JSON.stringify(release));
  else for (const line of releaseReport(release, io.now())) io.out(line);
  return release.outcome === wanted ? EXIT.success : EXIT.failure;
}

function hasEnded({ state, retries = 0 }: ShownRelease, options: FollowReleaseOptions): boolean {
  if (state === 'finished') return true;
  return state === 'blocked' && options.wanted !== 'abandoned' && retries >= (options.retries ?? 0);
}

async function show(of: {
  context: CliContext;
  teller: ReleaseTeller;
  release: ShownRelease;
}): Promise<void> {
  const { context, teller, release } = of;
  const { io } = context;
  print(io, teller.next(release, io.now()));
  const deploying = release.steps.some(({ name, state }) => name === 'deploy' && state !== 'pending');
  if (release.deployment && deploying) {
    const view = await deploymentOf(context, release.deployment);
    if (view) print(io, teller.deployment(view, io.now()));
  }
  if (release.state === 'running') io.live?.show(releaseLine(release, io.now(), io.live.width()));
}

function print(io: Io, lines: string[]): void {
  if (lines.length > 0) io.live?.clear();
  for (const line of lines) io.out(line);
}

/** It is about to be accepted, or long forgotten: the release itself still tells. */
async function deploymentOf({ client }: CliContext, id: string): Promise<ShownDeployment | undefined> {
  try {
    return await client.get<ShownDeployment>(`/api/deployments/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  }
}
