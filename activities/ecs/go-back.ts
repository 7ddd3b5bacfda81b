/** Stop: back to what `look` recorded, once. Where ECS goes back already, nothing is sent. */
import type { Service } from '@aws-sdk/client-ecs';
import { StopServiceDeploymentCommand } from '@aws-sdk/client-ecs';
import { Context } from '@temporalio/activity';
import type { GoBackInput, WentBack } from '../../domain/effects.js';
import { nowWords, shortName } from '../../domain/rollout/words.js';
import { unlessThrottled } from '../aws-again.js';
import { awsFailure } from '../aws-errors.js';
import { refuse } from '../failure.js';
import type { EcsDeps } from './deps.js';
import { findOwn, renderAndRegister, templateOf } from './register.js';
import { describeServiceDeployment, targetOf } from './service-deployments.js';
import type { EcsService } from './service.js';
import { activeService, describeRevision, serviceOf, updateService } from './service.js';
import { primaryOf, toServiceRead } from './shapes.js';

/** A read may be older than the update that it follows; this long it is read again. */
const LAG_MS = 5_000;
/** Where the update's answer never came, it may yet have been sent. */
const UNSURE_LAG_MS = 2_000;
const AGAIN_MS = 500;
/** The revision that is rendered for the way back is not the deployment's own: neither may be taken for the other. */
const backOwner = (id: string): string => `${id}/back`;

export async function goBack(deps: EcsDeps, input: GoBackInput): Promise<WentBack> {
  const ecs = serviceOf(deps, input);
  const service = await settledRead(ecs, input);
  const primary = primaryOf(service);
  if (primary?.taskDefinition !== input.revision) return leftAlone(ecs, input, service);
  const { wayBack } = input.look;
  if (!wayBack) {
    const runs = nowWords(toServiceRead(service, Date.now()));
    throw refuse('NO_WAY_BACK', `There is no completed revision to go back to. ${runs}`);
  }
  const stopped = await stopServiceDeployment(ecs, input, service);
  if (stopped) return { state: stopped, revision: wayBack, at: new Date().toISOString() };
  const revision = await usableWayBack(ecs, input, wayBack);
  return { state: 'sent', revision, ...(await updateService(ecs, revision)) };
}

/** An update to ours may have been sent, and a read right after it may not show it yet. */
async function settledRead(ecs: EcsService, input: GoBackInput): Promise<Service> {
  const until = Date.now() + (input.deployment ? LAG_MS : UNSURE_LAG_MS);
  for (;;) {
    const service = await activeService(ecs);
    const shown = service.deployments?.some(({ taskDefinition }) => taskDefinition === input.revision);
    const asBefore = primaryOf(service)?.id === input.look.primary;
    if (shown || !asBefore || Date.now() >= until) return service;
    await Context.current().sleep(AGAIN_MS);
  }
}

/** ECS rolls back already, an earlier attempt has sent us back, or ours never became PRIMARY. */
async function leftAlone(ecs: EcsService, input: GoBackInput, service: Service): Promise<WentBack> {
  const primary = primaryOf(service);
  const at = new Date().toISOString();
  const revision = primary?.taskDefinition;
  if (!revision) return { state: 'nothing', at };
  const back = revision === input.look.wayBack || (await isRenderedWayBack(ecs, input, revision));
  // Somebody else's is theirs to wait for.
  if (!back && !rollsBackNow(service, input)) return { state: 'nothing', at };
  return { state: 'nothing', revision, ...(primary.id ? { deployment: primary.id } : {}), at };
}

const rollsBackNow = (service: Service, input: GoBackInput): boolean =>
  service.deployments?.some(
    ({ taskDefinition, rolloutState }) => taskDefinition === input.revision && rolloutState === 'FAILED',
  ) ?? false;

async function isRenderedWayBack(ecs: EcsService, input: GoBackInput, revision: string): Promise<boolean> {
  const found = await findOwn(ecs, { family: ecs.settings.family, owner: backOwner(input.id) });
  return found?.definition.taskDefinitionArn === revision;
}

/** @returns undefined where the service offers none, or it is not ours: then UpdateService goes back */
async function stopServiceDeployment(
  ecs: EcsService,
  input: GoBackInput,
  service: Service,
): Promise<WentBack['state'] | undefined> {
  const arn = service.currentServiceDeployment;
  const current = arn && (await describeServiceDeployment(ecs, arn));
  if (!arn || !current || (await targetOf(ecs, current)) !== input.revision) return undefined;
  const { status = '' } = current;
  if (status.startsWith('ROLLBACK_') && status !== 'ROLLBACK_FAILED') return 'nothing';
  if (status === 'STOP_REQUESTED') return 'nothing';
  if (status !== 'PENDING' && status !== 'IN_PROGRESS') return undefined;
  // To roll back to what completed last, ECS needs it ACTIVE.
  const wayBack = input.look.wayBack && (await describeRevision(ecs, input.look.wayBack));
  if (wayBack && wayBack.definition.status !== 'ACTIVE') return undefined;
  try {
    const command = new StopServiceDeploymentCommand({ serviceDeploymentArn: arn, stopType: 'ROLLBACK' });
    await unlessThrottled(() => ecs.client.send(command));
    return 'sent';
  } catch (error) {
    const failure = awsFailure(error, 'StopServiceDeployment');
    // It has just ended, or this worker may not: UpdateService does the same.
    if (failure.nonRetryable) return undefined;
    throw failure;
  }
}

/** The way back itself, or, where it is INACTIVE, its digests rendered again: once, found again by its tag. */
async function usableWayBack(ecs: EcsService, input: GoBackInput, wayBack: string): Promise<string> {
  const was = await describeRevision(ecs, wayBack);
  if (was?.definition.status === 'ACTIVE') return wayBack;
  const { family, template } = ecs.settings;
  const owner = backOwner(input.id);
  const found = await findOwn(ecs, { family, owner });
  if (found?.definition.taskDefinitionArn) return found.definition.taskDefinitionArn;
  const images = imagesOfWayBack(ecs, input, was?.definition.containerDefinitions ?? []);
  if (images.length === 0) {
    throw refuse(
      'NO_WAY_BACK',
      `${shortName(wayBack)} is INACTIVE, and what it ran is not known. Deploy a tag that works`,
    );
  }
  const source = templateOf(ecs, await describeRevision(ecs, template));
  const label = shortName(wayBack);
  const made = await renderAndRegister(ecs, {
    template: source,
    images,
    own: { deployment: owner, tag: label, release: label },
  });
  return made.taskDefinitionArn ?? wayBack;
}

/** The configured containers, each at its digest; the reference's host and repository stay as they were. */
function imagesOfWayBack(
  ecs: EcsService,
  input: GoBackInput,
  containers: readonly { name?: string; image?: string }[],
): { container: string; image: string }[] {
  const configured = ecs.app.images.flatMap((image) => image.containers);
  return containers.flatMap(({ name, image }) => {
    if (!name || !image || !configured.includes(name)) return [];
    const digest = input.look.wayBackDigests[name];
    if (image.includes('@') || !digest) return [{ container: name, image }];
    return [{ container: name, image: `${image}@${digest}` }];
  });
}
