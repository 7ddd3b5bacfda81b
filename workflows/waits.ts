/** Waits of a deployment for somebody else: its build, its turn. */
import { condition, isCancellation } from '@temporalio/workflow';
import type { DeploymentRequest } from '../domain/deployment.js';
import { ticketOf } from '../domain/lane.js';
import type { BuildResult } from '../domain/messages.js';
import { tells } from './effects.js';
import type { Inbox } from './inbox.js';

/** When to ask again for the first time. Builds take minutes; a lane that is gone is started by others too. */
const FIRST_MS = { build: 20 * 60_000, turn: 5 * 60_000 } as const;
const LONGEST_MS = 60 * 60_000;

/**
 * Who should answer may have been terminated, so it is asked again, at growing intervals: a wait of days stays
 * a few hundred events.
 */
export async function persistently(
  done: () => boolean,
  ask: () => Promise<void>,
  summary: string,
  firstMs: number = FIRST_MS.turn,
): Promise<void> {
  for (
    let wait = firstMs;
    !(await condition(done, wait, { summary }));
    wait = Math.min(2 * wait, LONGEST_MS)
  ) {
    await ask();
  }
}

/** Joins the build of the commit, and leaves it on a stop. A build given up by its last asker is joined anew. */
export async function awaitBuild(
  request: DeploymentRequest,
  commit: string,
  inbox: Inbox,
): Promise<BuildResult> {
  const { id, app, environment } = request;
  const asker = { app, environment, ticket: ticketOf(request) };
  const join = (): Promise<void> => tells.joinBuild({ commit, asker });
  try {
    for (;;) {
      const result = await inbox.interruptible(async () => {
        await join();
        await persistently(inbox.hasBuilt, join, 'the build', FIRST_MS.build);
        return inbox.takeBuilt();
      });
      if (result && result.outcome !== 'stopped') return result;
    }
  } catch (error) {
    if (isCancellation(error)) await tells.leaveBuild({ app, commit, id });
    throw error;
  }
}

/** The lane knows already that it is ready: from the request where there is nothing to build, else from the build. */
export async function awaitTurn(request: DeploymentRequest, inbox: Inbox): Promise<void> {
  const { app, environment } = request;
  const ready = { ...ticketOf(request), ready: true };
  const enlist = (): Promise<void> => tells.tellLane({ app, environment, ready });
  await inbox.interruptible(async () => {
    await persistently(inbox.hasTurn, enlist, 'its turn in the lane');
  });
}
