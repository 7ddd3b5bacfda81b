/** Which release an environment runs, as its version endpoint reports it. */
import { setTimeout } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { askVersion } from '../ecs/version.js';

const IN_A_ROW = 3;
const MOST_ASKED = 10;
const BETWEEN_MS = 100;

/** `unknown`: why, in plain words. */
export type Reported = { release: string } | { unknown: string };

/** Asks until the same release answers three times in a row: behind a load balancer two may answer. */
export async function reportedRelease(versionUrl: string | undefined): Promise<Reported> {
  if (!versionUrl) return { unknown: 'no versionUrl is configured' };
  const signal = Context.current().cancellationSignal;
  let last = '';
  let times = 0;
  for (let asked = 0; asked < MOST_ASKED; asked += 1) {
    const answer = await askVersion(versionUrl, signal);
    if (answer.kind !== 'release') return { unknown: `asked for its version, ${answer.words}` };
    times = answer.release === last ? times + 1 : 1;
    last = answer.release;
    if (times === IN_A_ROW) return { release: last };
    await setTimeout(BETWEEN_MS, undefined, { signal });
  }
  return { unknown: 'its version endpoint reports now one release, now another' };
}
