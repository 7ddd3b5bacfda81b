/** What is left of a rollout that did not succeed, as far as it can still be had. */
import { Context } from '@temporalio/activity';
import type { Dossier, EcsEvent } from '../../domain/deployment.js';
import { groupStopped } from '../../domain/dossier.js';
import type { CollectedDossier, DossierInput } from '../../domain/effects.js';
import { appendEvents, newEvents, wholeSecond } from '../../domain/events.js';
import { nowWords } from '../../domain/rollout/words.js';
import type { ServiceRead } from '../../domain/rollout/rollout.js';
import type { EcsDeps } from './deps.js';
import { describeService, serviceOf, tasksOf } from './service.js';
import { missingService, toServiceRead, toStoppedTask } from './shapes.js';

export async function collectDossier(deps: EcsDeps, input: DossierInput): Promise<CollectedDossier> {
  const signal = Context.current().cancellationSignal;
  const ecs = serviceOf(deps, input);
  const since = wholeSecond(Date.parse(input.since));
  const begunAt = Date.now();
  // A dossier with a hole is better than none.
  const [service, tasks] = await Promise.allSettled([
    describeService(ecs),
    tasksOf(ecs, 'STOPPED', async () => deps.limiter.turn('tasks', signal)),
  ]);
  signal.throwIfAborted();
  const stopped = tasks.status === 'fulfilled' ? tasks.value.map(toStoppedTask) : [];
  const ours = stopped.filter(
    (task) =>
      (!input.revision || task.revision === input.revision) && !(task.stoppedAt && task.stoppedAt < since),
  );
  const stoppedTasks = groupStopped(ours);
  if (service.status === 'rejected') return { events: [], stoppedTasks };
  const read = service.value ? toServiceRead(service.value, begunAt) : missingService(begunAt);
  return {
    events: eventsOf(read, since),
    stoppedTasks,
    counts: countsOf(read, input),
    now: nowWords(read),
  };
}

const eventsOf = (read: ServiceRead, since: string): EcsEvent[] =>
  appendEvents([], newEvents({ read: read.events, cursor: undefined, from: since }).fresh);

function countsOf(read: ServiceRead, input: DossierInput): NonNullable<Dossier['counts']> {
  const ours = read.deployments.find(({ revision }) => revision === input.revision);
  const others = read.deployments.filter((deployment) => deployment !== ours);
  return {
    desired: read.desired,
    running: ours?.running ?? 0,
    pending: ours?.pending ?? 0,
    failed: ours?.failed ?? 0,
    previousRunning: others.reduce((total, { running }) => total + running, 0),
    updatedAt: new Date(read.begunAt).toISOString(),
  };
}
