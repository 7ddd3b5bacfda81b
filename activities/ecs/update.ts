/** Step `update`: reads again, sends at most once, and adopts what an earlier attempt had sent (rule 2). */
import type { Deployment, Task } from '@aws-sdk/client-ecs';
import type { UpdateInput, Updated } from '../../domain/effects.js';
import type { EcsDeps } from './deps.js';
import { recentTargets } from './service-deployments.js';
import type { EcsService } from './service.js';
import { activeService, serviceOf, tasksOf, updateService } from './service.js';
import { primaryOf } from './shapes.js';

export async function update(deps: EcsDeps, input: UpdateInput): Promise<Updated> {
  const ecs = serviceOf(deps, input);
  const { revision, look } = input;
  const [service, trace] = await Promise.all([activeService(ecs), traceOf(ecs, revision)]);
  const primary = primaryOf(service);
  if (primary?.taskDefinition === revision) return { state: 'adopted', ...traceOfDeployment(primary) };
  const beside = service.deployments?.find(({ taskDefinition }) => taskDefinition === revision);
  const used = beside ? traceOfDeployment(beside) : trace;
  if (used) return { state: 'used', ...used };
  if (primary?.id !== look.primary) {
    return {
      state: 'superseded',
      at: now(),
      ...(primary?.taskDefinition ? { by: primary.taskDefinition } : {}),
    };
  }
  return { state: 'sent', ...(await updateService(ecs, revision)) };
}

interface Trace {
  deployment?: string;
  /** When it was sent, as far as known: the hard limit counts from there, and so do its events. */
  at: string;
}

const now = (): string => new Date().toISOString();

/** By ECS's clock, which may be ahead of ours. */
const startedAt = (...times: (Date | undefined)[]): string =>
  new Date(Math.min(Date.now(), ...times.flatMap((time) => time?.getTime() ?? []))).toISOString();

const traceOfDeployment = ({ id, createdAt }: Deployment): Trace => ({
  ...(id ? { deployment: id } : {}),
  at: startedAt(createdAt),
});

/** Ours may have come and gone while no worker ran: tasks, also stopped ones, and service deployments tell. */
async function traceOf(ecs: EcsService, revision: string): Promise<Trace | undefined> {
  const [running, stopped, targets] = await Promise.all([
    tasksOf(ecs, 'RUNNING'),
    tasksOf(ecs, 'STOPPED'),
    recentTargets(ecs),
  ]);
  const tasks = [...running, ...stopped].filter(({ taskDefinitionArn }) => taskDefinitionArn === revision);
  const own = targets.filter((target) => target.revision === revision);
  if (tasks.length + own.length === 0) return undefined;
  const at = startedAt(...tasks.map(({ createdAt }) => createdAt), ...own.map(({ createdAt }) => createdAt));
  const deployment = tasks.map(startedBy).find((id) => id !== undefined);
  return { at, ...(deployment ? { deployment } : {}) };
}

/** ECS puts the deployment's id there; an emulator may put something else. */
const startedBy = ({ startedBy: by }: Task): string | undefined =>
  by?.startsWith('ecs-svc/') ? by : undefined;
