/** The rollout clock: at every tick each service is brought one step nearer to what is wanted. */
import { completeDeployment, failDeployment } from './deployments.js';
import { sendEvent } from './events.js';
import { advanceTask, drainTask, launchTasks } from './task-life.js';
import { addEvent, alive, primaryOf, serving, tasksOf, wanted } from './state.js';
import type { DeploymentRecord, ServiceRecord, TaskRecord, World } from './state.js';

const STOPPED_KEPT_MS = 3_600_000;
const STOPPED_KEPT = 300;

export function startClock(world: World): { stop(): void } {
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    for (const service of world.services.values()) reconcile(world, service);
    timer = setTimeout(tick, world.timings.tick);
    timer.unref();
  };
  tick();
  return { stop: () => clearTimeout(timer) };
}

export function reconcile(world: World, service: ServiceRecord): void {
  if (service.behaviour.frozen) return;
  for (const task of service.tasks) {
    const change = advanceTask(world, service, task);
    if (change) countTask(world, service, task, change);
  }
  const primary = primaryOf(service);
  if (service.status !== 'ACTIVE' || !primary) {
    service.tasks.filter(wanted).forEach((task) => drainTask(world, service, task, 'Service is not active'));
  } else {
    start(world, service, primary);
    stop(world, service, primary);
    settle(world, service, primary);
  }
  forget(service);
}

/** The circuit breaker counts failures of PRIMARY while it is IN_PROGRESS, and nothing else. */
function countTask(
  world: World,
  service: ServiceRecord,
  task: TaskRecord,
  change: 'failed' | 'healthy',
): void {
  const deployment = service.deployments.find((one) => one.id === task.startedBy);
  if (!deployment) return;
  if (change === 'failed') deployment.retryAt = Date.now() + world.timings.retry;
  if (deployment.status !== 'PRIMARY' || deployment.rolloutState !== 'IN_PROGRESS') return;
  const breaker = service.deploymentConfiguration.deploymentCircuitBreaker;
  if (change === 'healthy') {
    if (breaker?.enable && breaker.resetOnHealthyTask !== false) deployment.failedTasks = 0;
    return;
  }
  deployment.failedTasks += 1;
  deployment.updatedAt = Date.now();
  if (breaker?.enable && deployment.failedTasks >= threshold(service))
    failDeployment(world, service, deployment);
}

function threshold(service: ServiceRecord): number {
  const { type = 'BOUNDED_PERCENT', value = 50 } =
    service.deploymentConfiguration.deploymentCircuitBreaker?.thresholdConfiguration ?? {};
  if (type === 'COUNT') return Math.max(1, value);
  const share = Math.ceil((value * service.desired) / 100);
  return type === 'UNBOUNDED_PERCENT' ? Math.max(1, share) : Math.min(200, Math.max(3, share));
}

/** New tasks, as many as `maximumPercent` leaves room for. A failed deployment starts none. */
function start(world: World, service: ServiceRecord, primary: DeploymentRecord): void {
  if (primary.rolloutState === 'FAILED' || Date.now() < primary.retryAt) return;
  const missing = service.desired - tasksOf(service, primary).filter(wanted).length;
  const room =
    Math.floor((service.desired * (service.deploymentConfiguration.maximumPercent ?? 200)) / 100) -
    service.tasks.filter(wanted).length;
  const count = Math.min(missing, room);
  if (count > 0) launchTasks(world, service, primary, count);
}

/** Old tasks go only as far as `minimumHealthyPercent` stays healthy without them. */
function stop(world: World, service: ServiceRecord, primary: DeploymentRecord): void {
  const ours = tasksOf(service, primary).filter(wanted);
  const others = service.tasks.filter((task) => wanted(task) && task.startedBy !== primary.id);
  const minimum = Math.ceil(
    (service.desired * (service.deploymentConfiguration.minimumHealthyPercent ?? 100)) / 100,
  );
  let spare = service.tasks.filter(serving).length - minimum;
  const surplus = ours.slice(service.desired);
  const candidates =
    primary.rolloutState === 'FAILED' ? surplus : [...others.sort(unhealthyFirst), ...surplus];
  const going = candidates.filter((task) => !serving(task) || spare-- > 0);
  if (going.length === 0) return;
  for (const task of going)
    drainTask(world, service, task, `Scaling activity initiated by (deployment ${task.startedBy})`);
  const names = going.map((task) => `(task ${task.id})`).join(' ');
  addEvent(service, `has stopped ${going.length} running tasks: ${names}.`);
}

const unhealthyFirst = (a: TaskRecord, b: TaskRecord): number => Number(serving(a)) - Number(serving(b));

function settle(world: World, service: ServiceRecord, primary: DeploymentRecord): void {
  const ours = tasksOf(service, primary);
  const others = service.tasks.filter((task) => task.startedBy !== primary.id);
  const gone = service.behaviour.drainAfterCompleted ? !others.some(wanted) : !others.some(alive);
  const ready =
    gone && ours.filter(serving).length === service.desired && ours.filter(wanted).length === service.desired;
  if (primary.rolloutState === 'IN_PROGRESS') {
    if (!ready) primary.readySince = undefined;
    else primary.readySince ??= Date.now();
    if (ready && Date.now() - (primary.readySince ?? 0) >= world.timings.settle) {
      completeDeployment(service, primary);
      sendEvent(world, service, { deployment: primary, name: 'SERVICE_DEPLOYMENT_COMPLETED' });
    }
  }
  if (primary.rolloutState === 'COMPLETED') {
    service.deployments = service.deployments.filter(
      (one) => one === primary || tasksOf(service, one).some(alive),
    );
    if (ready && service.deployments.length === 1) service.stableAt ??= Date.now();
  }
}

/** ECS shows stopped tasks for about an hour. */
function forget(service: ServiceRecord): void {
  if (service.tasks.length < 50) return;
  const limit = Date.now() - STOPPED_KEPT_MS;
  const stopped = service.tasks.filter((task) => !alive(task));
  const dropped = new Set(
    stopped.filter((task, at) => (task.stoppedAt ?? 0) < limit || at < stopped.length - STOPPED_KEPT),
  );
  if (dropped.size > 0) service.tasks = service.tasks.filter((task) => !dropped.has(task));
}
