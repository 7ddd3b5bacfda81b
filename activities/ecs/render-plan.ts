/** What `register` would register, compared with what runs; nothing is written. */
import { changesAgainst, imageChanges, TAG } from '../../domain/render.js';
import type { RenderedPlan, RenderPlanInput } from '../../domain/plan.js';
import type { EcsDeps } from './deps.js';
import { renderedFor } from './register.js';
import { describeRevision, serviceOf, tagValue } from './service.js';

/** @throws ApplicationFailure `TEMPLATE_NOT_FOUND`, `CONTAINER_MISSING`, `AWS_REFUSED`; retryable `AWS_DOWN` */
export async function renderPlan(deps: EcsDeps, input: RenderPlanInput): Promise<RenderedPlan> {
  const ecs = serviceOf(deps, input);
  const { revision } = input.look;
  const [source, running, registry] = await Promise.all([
    describeRevision(ecs, ecs.settings.template),
    revision ? describeRevision(ecs, revision) : undefined,
    deps.registryHost(),
  ]);
  const images = input.images ?? ecs.app.images.map((image) => ({ ...image, tag: input.tag }));
  const rendered = renderedFor(ecs, {
    source,
    registry,
    images,
    own: { deployment: 'plan', tag: input.tag, release: input.release },
  });
  const runs = running && tagValue(running.tags, TAG.release);
  const containers = images.flatMap((image) => image.containers);
  return {
    ...(runs ? { runs } : {}),
    images: imageChanges(running?.definition, rendered, containers),
    ...changesAgainst(running?.definition, rendered),
  };
}
