/** Whether the way back is open at ECS: the template that the target is rendered from. */
import type { TaskDefinition } from '@aws-sdk/client-ecs';
import type { Warning } from '../../domain/deployment.js';
import { changesAgainst, TAG } from '../../domain/render.js';
import { shortName } from '../../domain/rollout/words.js';
import { shortTag } from '../../domain/summary.js';
import { refuse } from '../failure.js';
import { templateOf } from '../ecs/register.js';
import type { EcsService, Revision } from '../ecs/service.js';
import { describeRevision, newestRevisions, tagValue } from '../ecs/service.js';

/** The target's own revision is looked for among as many; older ones are not compared. */
const LOOKED_AT = 20;
const NAMES_SHOWN = 20;

export interface TemplateTarget {
  tag: string;
  release: string;
  /** ARN of the revision that ran the target here, where it is remembered. */
  revision?: string;
}

/**
 * Warns of variables and secrets, by name, that the target, where it is known, had when it last ran and the
 * template lacks.
 * @throws ApplicationFailure `TEMPLATE_NOT_FOUND`, `CONTAINER_MISSING`; retryable `AWS_DOWN`
 */
export async function checkTemplate(ecs: EcsService, target?: TemplateTarget): Promise<Warning[]> {
  const template = templateOf(ecs, await describeRevision(ecs, ecs.settings.template));
  assertContainers(ecs, template.definition);
  const own = target && (await ownRevision(ecs, target));
  if (!target || !own) return [];
  const { variables, secrets } = changesAgainst(own.definition, template.definition);
  const missing = [...variables.removed, ...secrets.removed].sort();
  if (missing.length === 0) return [];
  const more = missing.length > NAMES_SHOWN ? ` and ${missing.length - NAMES_SHOWN} more` : '';
  const message =
    `${shortTag(target.tag)} last ran here as ${shortName(own.definition.taskDefinitionArn ?? '')}, with variables ` +
    `that the template ${ecs.settings.template} lacks: ${missing.slice(0, NAMES_SHOWN).join(', ')}${more}`;
  return [{ code: 'VARIABLES_MISSING', message }];
}

function assertContainers(ecs: EcsService, { containerDefinitions = [] }: TaskDefinition): void {
  const has = containerDefinitions.map(({ name }) => name ?? '');
  const missing = ecs.app.images
    .flatMap(({ containers }) => containers)
    .filter((container) => !has.includes(container));
  if (missing.length === 0) return;
  throw refuse(
    'CONTAINER_MISSING',
    `The template ${ecs.settings.template} has no container ${missing.join(', ')}; it has ${has.join(', ') || 'none'}`,
  );
}

/** The newest revision that Sluice registered for the target. */
async function ownRevision(ecs: EcsService, target: TemplateTarget): Promise<Revision | undefined> {
  for (const arn of await newestRevisions(ecs, ecs.settings.family, LOOKED_AT)) {
    const revision = await describeRevision(ecs, arn);
    if (revision && tagValue(revision.tags, TAG.release) === target.release) return revision;
  }
  return target.revision ? await describeRevision(ecs, target.revision) : undefined;
}
