/** Step `register`: rendering and registering in one activity, so that no value leaves it (rule 7). */
import type { RegisterTaskDefinitionCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
import { RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import type { RegisterInput, Registered, ResolvedImage } from '../../domain/effects.js';
import { changesAgainst, ContainerMissingError, imageChanges, render, TAG } from '../../domain/render.js';
import type { RenderInput } from '../../domain/render.js';
import { unlessThrottled } from '../aws-again.js';
import { awsFailure } from '../aws-errors.js';
import { later, refuse } from '../failure.js';
import type { EcsDeps } from './deps.js';
import type { EcsService, Revision } from './service.js';
import { describeRevision, newestRevisions, parseRevision, serviceOf, tagValue } from './service.js';

/** Ours is among the newest: few others can have been registered since our first attempt. */
const LOOKED_AT = 10;

export async function register(deps: EcsDeps, input: RegisterInput): Promise<Registered> {
  // Rule 11: somebody removed while waiting is refused before the first write.
  if (input.checkActor) await deps.requireMaintainer(input.actor);
  const ecs = serviceOf(deps, input);
  const { template, family } = ecs.settings;
  const before = input.look.revision;
  const [found, source, running, registry] = await Promise.all([
    findOwn(ecs, { family, owner: input.id, ...(before ? { after: before } : {}) }),
    describeRevision(ecs, template),
    before ? describeRevision(ecs, before) : undefined,
    deps.registryHost(),
  ]);
  const containers = input.images.flatMap((image) => image.containers);
  if (found) return registered(found.definition, running, containers);
  const own = { deployment: input.id, tag: input.tag, release: input.release };
  const definition = await registerRendered(
    ecs,
    renderedFor(ecs, { source, registry, images: input.images, own }),
  );
  return registered(definition, running, containers);
}

/** @throws ApplicationFailure `TEMPLATE_NOT_FOUND` */
export function templateOf(ecs: EcsService, source: Revision | undefined): Revision {
  const { template } = ecs.settings;
  if (source?.definition.status === 'ACTIVE') return source;
  throw refuse(
    'TEMPLATE_NOT_FOUND',
    `There is no ACTIVE task definition ${template}: register it, or set apps.*.environments.*.template in sluice.yaml`,
  );
}

/** Without a digest where it is not built yet. */
type Image = Pick<ResolvedImage, 'containers' | 'repository' | 'tag'> & { digest?: string };

const imageReferences = (registry: string, images: readonly Image[]): RenderInput['images'] =>
  images.flatMap(({ containers, repository, tag, digest }) => {
    const image = `${registry}/${repository}:${tag}${digest ? `@${digest}` : ''}`;
    return containers.map((container) => ({ container, image }));
  });

/**
 * What a deployment registers; a plan shows the same.
 * @throws ApplicationFailure `TEMPLATE_NOT_FOUND`, `CONTAINER_MISSING`
 */
export function renderedFor(
  ecs: EcsService,
  input: {
    source: Revision | undefined;
    registry: string;
    images: readonly Image[];
    own: RenderInput['own'];
  },
): RegisterTaskDefinitionCommandInput {
  const { definition: template, tags } = templateOf(ecs, input.source);
  const images = imageReferences(input.registry, input.images);
  return renderOrRefuse(ecs, { template, family: ecs.settings.family, images, tags, own: input.own });
}

/** @throws ApplicationFailure `CONTAINER_MISSING`, `AWS_REFUSED`, retryable `AWS_DOWN` */
export async function renderAndRegister(
  ecs: EcsService,
  input: { template: Revision; images: RenderInput['images']; own: RenderInput['own'] },
): Promise<TaskDefinition> {
  const { template, images, own } = input;
  const { definition, tags } = template;
  const { family } = ecs.settings;
  return await registerRendered(
    ecs,
    renderOrRefuse(ecs, { template: definition, family, images, tags, own }),
  );
}

async function registerRendered(
  ecs: EcsService,
  rendered: RegisterTaskDefinitionCommandInput,
): Promise<TaskDefinition> {
  try {
    const { taskDefinition } = await unlessThrottled(() =>
      ecs.client.send(new RegisterTaskDefinitionCommand(rendered)),
    );
    if (!taskDefinition) throw later('AWS_DOWN', 'RegisterTaskDefinition: ECS answered without a revision');
    return taskDefinition;
  } catch (error) {
    throw awsFailure(error, 'RegisterTaskDefinition', valuesOf(rendered));
  }
}

function renderOrRefuse(ecs: EcsService, input: RenderInput): RegisterTaskDefinitionCommandInput {
  try {
    return render(input);
  } catch (error) {
    if (!(error instanceof ContainerMissingError)) throw error;
    throw refuse('CONTAINER_MISSING', `${ecs.settings.template}: ${error.message}`);
  }
}

/** AWS may quote what it refuses. */
const valuesOf = (rendered: RegisterTaskDefinitionCommandInput): string[] =>
  (rendered.containerDefinitions ?? []).flatMap(({ environment }) =>
    (environment ?? []).flatMap(({ value }) => (value ? [value] : [])),
  );

/**
 * Rule 2: an earlier attempt may have registered before its worker died. Revisions up to `after`, which ran
 * before us, cannot be ours.
 */
export async function findOwn(
  ecs: EcsService,
  input: { family: string; owner: string; after?: string },
): Promise<Revision | undefined> {
  const { family, owner, after } = input;
  const floor = after && parseRevision(after).family === family ? parseRevision(after).number : 0;
  const newest = await newestRevisions(ecs, family, LOOKED_AT);
  for (const arn of newest.filter((one) => parseRevision(one).number > floor)) {
    const revision = await describeRevision(ecs, arn);
    if (revision && tagValue(revision.tags, TAG.deployment) === owner) return revision;
  }
  return undefined;
}

function registered(
  definition: TaskDefinition,
  running: Revision | undefined,
  containers: string[],
): Registered {
  const { taskDefinitionArn } = definition;
  if (!taskDefinitionArn) throw later('AWS_DOWN', 'RegisterTaskDefinition: ECS answered without a revision');
  return {
    revision: taskDefinitionArn,
    images: imageChanges(running?.definition, definition, containers),
    ...changesAgainst(running?.definition, definition),
  };
}
