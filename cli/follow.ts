/** Follows a deployment to its end, in the way that suits who reads: a terminal, a log, a script. */
import type { CliContext, Io } from './context.js';
import { EXIT } from './context.js';
import type { ShownDeployment } from './client.js';
import { liveLine, report, Teller } from './render.js';

const TICK_MS = 1_000;

export interface FollowOptions {
  id: string;
  /** `changes`: one object a line at each change; `final`: one object at the end; absent: for people. */
  json?: 'changes' | 'final';
  /** What it should come to; anything else is exit 1. */
  wanted?: string;
}

/** @returns the exit code */
export async function followToEnd(context: CliContext, options: FollowOptions): Promise<number> {
  const { client, io } = context;
  const { id, json, wanted = 'succeeded' } = options;
  const screen = json ? undefined : openScreen(io);
  let last: ShownDeployment | undefined;
  try {
    for await (const view of client.follow(id, io.interrupted)) {
      last = view;
      screen?.show(view);
      if (json === 'changes') io.out(JSON.stringify(view));
    }
  } finally {
    screen?.close();
  }
  if (last?.state !== 'finished') {
    io.err(`No longer watching; ${id} goes on. Watch it: sluice watch ${id} — stop it: sluice stop ${id}`);
    return EXIT.interrupted;
  }
  if (json === 'final') io.out(JSON.stringify(last));
  if (!json) for (const line of report(last)) io.out(line);
  return last.outcome === wanted ? EXIT.success : EXIT.failure;
}

/** Lines for what changed; on a terminal also one that lives, with the time. */
function openScreen(io: Io): { show(view: ShownDeployment): void; close(): void } {
  const teller = new Teller();
  let last: ShownDeployment | undefined;
  const draw = (): void => {
    if (last && io.live) io.live.show(liveLine(last, io.now(), io.live.width()));
  };
  const timer = io.live ? setInterval(draw, TICK_MS) : undefined;
  return {
    show(view) {
      last = view;
      const lines = teller.next(view, io.now());
      if (lines.length > 0) io.live?.clear();
      for (const line of lines) io.out(line);
      if (view.state !== 'finished') draw();
    },
    close() {
      clearInterval(timer);
      io.live?.clear();
    },
  };
}
