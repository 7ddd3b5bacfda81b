/** Step `stabilise`: the watch, and beside it a short look whenever ECS tells of a rollout's end. */
import { CancellationScope, condition, isCancellation, log } from '@temporalio/workflow';
import type { Limits } from '../domain/deployment.js';
import type { Stabilised, StabiliseInput } from '../domain/effects.js';
import { bestEffort, watches } from './effects.js';
import type { Inbox } from './inbox.js';
import { wordsOf } from './failure.js';

/** Each costs events of the history, and who sends news may send them without end. */
const GLANCES = 3;

type News = Pick<Inbox, 'hasNews' | 'forgetNews'>;

/** Who sees the verdict first ends the other. @throws as the watch does */
export async function watchRollout(input: StabiliseInput, limits: Limits, news: News): Promise<Stabilised> {
  const scope = new CancellationScope();
  const watch = new Settling(scope.run(() => watches(limits).stabilise(input)));
  // What came before was of another rollout, or of the beginning of this one.
  news.forgetNews();
  for (let left = GLANCES; left > 0; left -= 1) {
    await condition(() => watch.settled || news.hasNews());
    if (watch.settled) break;
    news.forgetNews();
    const seen = await glance(input);
    if (seen && !watch.settled) {
      scope.cancel();
      await watch.end;
      return seen;
    }
  }
  return watch.result;
}

/** It must not matter to the watch: what cannot be had is left to it. */
async function glance(input: StabiliseInput): Promise<Stabilised | undefined> {
  try {
    return (await bestEffort.glance(input)).stabilised;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('No look beside the watch', { error: wordsOf(error) });
    return undefined;
  }
}

class Settling<T> {
  settled = false;
  /** Never rejects. */
  readonly end: Promise<void>;

  constructor(readonly result: Promise<T>) {
    const settle = (): void => {
      this.settled = true;
    };
    this.end = result.then(settle, settle);
  }
}
