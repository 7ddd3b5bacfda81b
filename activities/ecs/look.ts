/** Step `look`: what is there before anything is written, and whether Sluice can roll this service out. */
import type { Deployment, Service } from '@aws-sdk/client-ecs';
import type { Target, Warning } from '../../domain/deployment.js';
import type { Look } from '../../domain/effects.js';
import { TAG } from '../../domain/render.js';
import { shortName } from '../../domain/rollout/words.js';
import { later, refuse } from '../failure.js';
import type { EcsDeps } from './deps.js';
import { recentTargets } from './service-deployments.js';
import type { EcsService, Revision } from './service.js';
import { activeService, describeRevision, serviceOf, tagValue, tasksOf } from './service.js';
import { primaryOf, rollsBack } from './shapes.js';

/** How soon an unknown rollout is looked at again. */
const FOREIGN_AGAIN_MS = 5_000;

export type LookInput = Target & { id: string };

export async function look(deps: EcsDeps, input: LookInput): Promise<Look> {
  const ecs = serviceOf(deps, input);
  const service = await activeService(ecs);
  checkStrategy(ecs, service);
  const primary = primaryOf(service);
  const running = primary?.taskDefinition ? await describeRevision(ecs, primary.taskDefinition) : undefined;
  const owner = running && tagValue(running.tags, TAG.deployment);
  const warnings = rollsBack(service) ? [] : [NO_ROLLBACK];
  // An earlier attempt of this deployment has updated already: it is neither foreign nor a way back.
  const own = owner === input.id;
  if (primary && !owner && !isSettled(service, primary)) {
    throw later('FOREIGN_DEPLOYMENT', foreignWords(primary), FOREIGN_AGAIN_MS);
  }
  const way = await wayBack(ecs, { service, primary, running, own });
  const before = own ? way?.revision : primary?.taskDefinition;
  if (primary && !owner && way && way.revision === primary.taskDefinition) warnings.push(drift(primary));
  return {
    service: ecs.service,
    cluster: ecs.cluster,
    ...(primary?.id ? { primary: primary.id } : {}),
    ...(before ? { revision: before } : {}),
    ...(way ? { wayBack: way.revision } : {}),
    wayBackDigests: way ? await digestsOf(ecs, deps, way) : {},
    desired: service.desiredCount ?? 0,
    warnings,
  };
}

const NO_ROLLBACK: Warning = {
  code: 'NO_ROLLBACK',
  message:
    'The service has no deployment circuit breaker with rollback: ECS will not go back by itself if this fails',
};

const drift = (primary: Deployment): Warning => ({
  code: 'DRIFT',
  message: `The service runs ${shortName(primary.taskDefinition ?? '')}, which Sluice did not deploy; it is taken as the way back`,
});

const foreignWords = (primary: Deployment): string =>
  `A deployment of ${shortName(primary.taskDefinition ?? '')} that Sluice did not start (${primary.id}) is in progress: ${primary.runningCount ?? 0} of ${primary.desiredCount ?? 0} running`;

function checkStrategy(ecs: EcsService, service: Service): void {
  const controller = service.deploymentController?.type ?? 'ECS';
  const strategy = service.deploymentConfiguration?.strategy ?? 'ROLLING';
  if (controller === 'ECS' && strategy === 'ROLLING') return;
  const has = controller === 'ECS' ? `strategy ${strategy}` : `controller ${controller}`;
  throw refuse(
    'UNSUPPORTED_STRATEGY',
    `The service ${ecs.service} has deployment ${has}; Sluice rolls out services with controller ECS and strategy ROLLING`,
  );
}

/** No more of this rollout is to come, however it ended. */
export function isSettled(service: Service, primary: Deployment): boolean {
  if (primary.rolloutState) return primary.rolloutState !== 'IN_PROGRESS';
  const { runningCount, pendingCount } = primary;
  return service.deployments?.length === 1 && pendingCount === 0 && runningCount === service.desiredCount;
}

interface WayBack extends Partial<Revision> {
  revision: string;
}

/** The last COMPLETED revision: PRIMARY, else one that still stands beside it, else ECS's own history. */
async function wayBack(
  ecs: EcsService,
  seen: { service: Service; primary?: Deployment; running?: Revision; own: boolean },
): Promise<WayBack | undefined> {
  const { service, primary, running, own } = seen;
  if (!primary?.taskDefinition) return undefined;
  const completed = primary.rolloutState ? primary.rolloutState === 'COMPLETED' : isSettled(service, primary);
  if (completed && !own) return { revision: primary.taskDefinition, ...running };
  const beside = (service.deployments ?? [])
    .filter((other) => other !== primary && other.rolloutState === 'COMPLETED')
    .sort((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0));
  const history = beside.length > 0 ? [] : await recentTargets(ecs, 'SUCCESSFUL');
  const revision = [
    ...beside.map(({ taskDefinition }) => taskDefinition),
    ...history.map((one) => one.revision),
  ].find((one) => one !== undefined && !(own && one === primary.taskDefinition));
  return revision === undefined ? undefined : { revision, ...(await describeRevision(ecs, revision)) };
}

/** Container → digest: of its image reference, else what its running tasks report. */
async function digestsOf(ecs: EcsService, deps: EcsDeps, way: WayBack): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const { name, image } of way.definition?.containerDefinitions ?? []) {
    const digest = image?.split('@')[1];
    if (name && digest) digests[name] = digest;
  }
  const configured = ecs.app.images.flatMap(({ containers }) => containers);
  if (configured.every((container) => digests[container])) return digests;
  const tasks = await tasksOf(ecs, 'RUNNING', async () => deps.limiter.turn('tasks'));
  for (const task of tasks.filter(({ taskDefinitionArn }) => taskDefinitionArn === way.revision)) {
    for (const { name, imageDigest } of task.containers ?? []) {
      if (name && imageDigest) digests[name] ??= imageDigest;
    }
  }
  return digests;
}
