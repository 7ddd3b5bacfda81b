/** The life of one task: pulled, started, healthy, drained, stopped. Every step is due at a time. */
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { ContainerSpec } from './containers.js';
import { findTaskDefinition } from './task-definitions.js';
import { addEvent, alive, arn, hexId, wanted } from './state.js';
import type { DeploymentRecord, ServiceRecord, TaskRecord, World } from './state.js';

export function launchTasks(
  world: World,
  service: ServiceRecord,
  deployment: DeploymentRecord,
  count: number,
): void {
  const definition = findTaskDefinition(world, deployment.taskDefinition);
  const launched = Array.from({ length: count }, (): TaskRecord => {
    const id = hexId();
    return {
      id,
      arn: arn(world, `task/${service.cluster}/${id}`),
      startedBy: deployment.id,
      taskDefinition: deployment.taskDefinition,
      lastStatus: 'PROVISIONING',
      desiredStatus: 'RUNNING',
      health: 'UNKNOWN',
      containers: (definition?.body.containerDefinitions ?? []).map((container) => ({
        name: container.name ?? '',
        image: container.image ?? '',
        essential: container.essential !== false,
      })),
      createdAt: Date.now(),
      dueAt: Date.now() + world.timings.pull,
    };
  });
  service.tasks.push(...launched);
  const names = launched.map((task) => `(task ${task.id})`).join(' ');
  addEvent(service, `has started ${count} tasks: ${names}.`);
}

/** Told to stop by the scheduler. It takes no new requests from now on, and ends after its drain. */
export function drainTask(world: World, service: ServiceRecord, task: TaskRecord, reason: string): void {
  if (task.desiredStatus === 'STOPPED') return;
  task.desiredStatus = 'STOPPED';
  task.stoppingAt = Date.now();
  task.stopCode = 'ServiceSchedulerInitiated';
  task.stoppedReason = reason;
  if (task.lastStatus === 'RUNNING') {
    task.lastStatus = 'DEACTIVATING';
    task.dueAt = Date.now() + (service.behaviour.drainMs ?? world.timings.drain);
  } else {
    task.dueAt = Date.now();
  }
}

interface Ended {
  code: string;
  reason: string;
}

function stopTask(task: TaskRecord, ended?: Ended): void {
  task.lastStatus = 'STOPPED';
  task.desiredStatus = 'STOPPED';
  task.health = 'UNKNOWN';
  task.stoppedAt = Date.now();
  task.stoppingAt ??= task.stoppedAt;
  if (ended) {
    task.stopCode = ended.code;
    task.stoppedReason = ended.reason;
  }
  const exits = task.running?.exits() ?? {};
  // A container that is told to stop leaves by SIGTERM or, killed, by 137; ours leave in order.
  for (const container of task.containers)
    if (task.startedAt) container.exitCode ??= exits[container.name] ?? 0;
  void task.running?.stop().catch(() => undefined);
}

/** Brings a task forward. True: it has just failed, which is what the circuit breaker counts. */
export function advanceTask(
  world: World,
  service: ServiceRecord,
  task: TaskRecord,
): 'failed' | 'healthy' | undefined {
  if (!alive(task)) return undefined;
  const exited = task.lastStatus === 'RUNNING' ? exitOf(world, task) : undefined;
  if (exited) {
    stopTask(task, exited);
    return 'failed';
  }
  if (Date.now() < task.dueAt) return undefined;
  if (task.startFailed) {
    stopTask(task);
    return 'failed';
  }
  if (task.desiredStatus === 'STOPPED') {
    stopTask(task);
    return undefined;
  }
  if (task.lastStatus === 'PROVISIONING') return pull(world, service, task);
  if (task.lastStatus === 'RUNNING' && task.health !== 'HEALTHY') return judgeHealth(world, service, task);
  return undefined;
}

function exitOf(world: World, task: TaskRecord): Ended | undefined {
  const exits = task.running?.exits() ?? {};
  const essential = task.containers.some((one) => one.essential && exits[one.name] !== undefined);
  if (!essential || Date.now() < (task.startedAt ?? 0) + world.timings.exit) return undefined;
  return { code: 'EssentialContainerExited', reason: 'Essential container in task exited' };
}

function pull(world: World, service: ServiceRecord, task: TaskRecord): 'failed' | undefined {
  const definitions = findTaskDefinition(world, task.taskDefinition)?.body.containerDefinitions ?? [];
  const specs: ContainerSpec[] = [];
  for (const container of task.containers) {
    const pulled = world.images.pull(container.image);
    if (!pulled) {
      const reason =
        `CannotPullContainerError: pull image manifest has been retried 1 time(s): ` +
        `failed to resolve ref ${container.image}: ${container.image}: not found`;
      container.reason = reason;
      stopTask(task, { code: 'TaskFailedToStart', reason });
      return 'failed';
    }
    if (service.behaviour.imageDigests) container.imageDigest = pulled.digest;
    const definition = definitions.find((one) => one.name === container.name);
    specs.push({
      ...specOf(definition),
      name: container.name,
      image: container.image,
      config: pulled.config,
    });
  }
  task.lastStatus = 'PENDING';
  task.dueAt = Infinity;
  void startContainers(world, task, specs);
  return undefined;
}

const specOf = (
  definition: ContainerDefinition | undefined,
): Pick<ContainerSpec, 'environment' | 'ports'> => ({
  environment: Object.fromEntries(
    (definition?.environment ?? []).map(({ name, value }) => [name ?? '', value ?? '']),
  ),
  ports: (definition?.portMappings ?? []).flatMap(({ containerPort }) => containerPort ?? []),
});

async function startContainers(world: World, task: TaskRecord, containers: ContainerSpec[]): Promise<void> {
  try {
    const running = await world.runner.start({ task: task.id, containers });
    // Told to stop while it started: nothing else would ever end its containers.
    if (!alive(task)) return await running.stop();
    task.running = running;
    task.startedAt = Date.now();
    if (!wanted(task)) return;
    task.lastStatus = 'RUNNING';
    task.dueAt = Date.now() + world.timings.start;
  } catch (error) {
    const reason = `CannotStartContainerError: ${error instanceof Error ? error.message : 'unknown'}`;
    for (const container of task.containers) container.reason = reason;
    task.stoppedReason ??= reason;
    task.stopCode ??= 'TaskFailedToStart';
    task.startFailed = true;
    task.dueAt = Date.now();
  }
}

function judgeHealth(
  world: World,
  service: ServiceRecord,
  task: TaskRecord,
): 'failed' | 'healthy' | undefined {
  if (task.probe === 'healthy') {
    task.health = 'HEALTHY';
    return 'healthy';
  }
  if (Date.now() >= (task.startedAt ?? 0) + world.timings.unhealthy + world.timings.start) {
    task.health = 'UNHEALTHY';
    addEvent(service, `(task ${task.id}) failed container health checks.`);
    stopTask(task, { code: 'ServiceSchedulerInitiated', reason: 'Task failed container health checks' });
    return 'failed';
  }
  if (task.probe === undefined) {
    task.probe = 'asked';
    void task.running
      ?.healthy()
      .catch(() => false)
      .then((healthy) => (task.probe = healthy ? 'healthy' : undefined));
  }
  return undefined;
}
