/** Step `stabilise`: the one heartbeating watch of a rollout. It only reads. */
import { Context } from '@temporalio/activity';
import type { Stabilised, StabiliseInput } from '../../domain/effects.js';
import { judge, newWatch, nextReadIn, resumedWatch } from '../../domain/rollout/rollout.js';
import type { Judgement, Ours, ServiceRead, Watch } from '../../domain/rollout/rollout.js';
import type { EcsDeps } from './deps.js';
import { describeServiceDeployment } from './service-deployments.js';
import type { EcsService } from './service.js';
import { serviceOf } from './service.js';

/** Measured: with the server's own throttling one update in 7.5 s arrived; people follow this live. */
const BEAT_MS = 2_000;

export async function stabilise(deps: EcsDeps, input: StabiliseInput): Promise<Stabilised> {
  const context = Context.current();
  const signal = context.cancellationSignal;
  const ecs = serviceOf(deps, input);
  const ours = oursOf(input);
  let watch = resumed(context.info.heartbeatDetails);
  // Before the first read there is no picture to show.
  const beat = (): void => {
    context.heartbeat(watch.rollout.updatedAt ? watch : undefined);
  };
  beat();
  const timer = setInterval(beat, BEAT_MS);
  let at = Date.now();
  try {
    for (;;) {
      const read = await deps.reader.read(ecs.key, { at, signal });
      const judged = await withEvidence({ deps, ecs, signal }, { read, watch, ours });
      const changed = judged.watch.memory.changedAt !== watch.memory.changedAt;
      watch = judged.watch;
      if (judged.verdict) return stabilised(judged.verdict, watch);
      if (changed) beat();
      at = nextAt(watch, read, ours);
    }
  } catch (error) {
    if (signal.aborted) await context.cancelled;
    throw error;
  } finally {
    clearInterval(timer);
  }
}

export const oursOf = ({ revision, deployment, since, giveUpAt, wayBack }: StabiliseInput): Ours => ({
  revision,
  ...(deployment ? { deployment } : {}),
  ...(wayBack ? { wayBack } : {}),
  since: Date.parse(since),
  giveUpAt: Date.parse(giveUpAt),
});

/** From the read's own beginning, so that a slow answer does not slow the pace. The limit is kept to the second. */
function nextAt(watch: Watch, read: ServiceRead, ours: Ours): number {
  const next = read.begunAt + nextReadIn(watch, read.begunAt);
  return read.begunAt < ours.giveUpAt ? Math.min(next, ours.giveUpAt + 1) : next;
}

/** Details of a worker that died; anything else starts anew, since a read tells all but the events. */
const resumed = (details: unknown): Watch =>
  typeof details === 'object' && details !== null && 'rollout' in details && 'memory' in details
    ? resumedWatch(details as Watch)
    : newWatch();

/**
 * Another deployment in our place is somebody's, unless ECS says that it rolls ours back: where the service has
 * service deployments, ours is asked for before it is called superseded.
 */
export async function withEvidence(
  how: { deps: EcsDeps; ecs: EcsService; signal: AbortSignal },
  input: { read: ServiceRead; watch: Watch; ours: Ours },
): Promise<Judgement> {
  const judged = judge(input);
  const arn = judged.watch.memory.serviceDeployment;
  if (judged.verdict?.state !== 'superseded' || !arn) return judged;
  try {
    await how.deps.limiter.turn('tasks', how.signal);
    const asked = await describeServiceDeployment(how.ecs, arn);
    if (!asked?.status) return judged;
    const { status, statusReason } = asked;
    const evidence = { arn, status, ...(statusReason ? { reason: statusReason } : {}) };
    return judge({ ...input, read: { ...input.read, serviceDeployments: [evidence] } });
  } catch {
    how.signal.throwIfAborted();
    // No answer now: the next read asks again. What cannot be had at all was not thrown.
    return { watch: input.watch };
  }
}

export const stabilised = (verdict: NonNullable<Judgement['verdict']>, watch: Watch): Stabilised => ({
  verdict: verdict.state,
  message: verdict.message,
  rollout: watch.rollout,
  ...(verdict.now ? { now: verdict.now } : {}),
});
