/** A short look beside the watch, when ECS tells of a rollout's end: a verdict is always from a read (rule 4). */
import { Context } from '@temporalio/activity';
import type { Glance, StabiliseInput } from '../../domain/effects.js';
import { newWatch } from '../../domain/rollout/rollout.js';
import type { EcsDeps } from './deps.js';
import { serviceOf } from './service.js';
import { oursOf, stabilised, withEvidence } from './stabilise.js';

/** ECS's reads lag behind its events, and another deployment in our place counts from the second read on. */
const READS = 3;
const APART_MS = 300;

export async function glance(deps: EcsDeps, input: StabiliseInput): Promise<Glance> {
  const signal = Context.current().cancellationSignal;
  const ecs = serviceOf(deps, input);
  // The watch tells that time is up.
  const ours = { ...oursOf(input), giveUpAt: Infinity };
  let watch = newWatch();
  let at = Date.now();
  for (let left = READS; left > 0; left -= 1) {
    const read = await deps.reader.read(ecs.key, { at, signal });
    const judged = await withEvidence({ deps, ecs, signal }, { read, watch, ours });
    if (judged.verdict) return { stabilised: stabilised(judged.verdict, judged.watch) };
    ({ watch } = judged);
    at = read.begunAt + APART_MS;
  }
  return {};
}
