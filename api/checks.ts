/** The form of a request, as far as a schema cannot say it: what is configured, and what goes together. */
import type { Config } from '../domain/config/config.js';
import type { Target } from '../domain/deployment.js';
import { parseDeploymentId } from '../domain/ids.js';
import type { PromotionPolicy } from '../domain/promotion/promotion.js';
import { dateOf } from '../domain/release/dates.js';
import { isTag } from '../domain/tags.js';
import { badRequest, notFound } from './errors.js';
import { serviceOf } from './links.js';

type Refuse = typeof badRequest;

/** Every service there is, in the order of the configuration. */
export const allTargets = (config: Config): Target[] =>
  Object.entries(config.apps).flatMap(([app, { environments }]) =>
    Object.keys(environments).map((environment) => ({ app, environment })),
  );

/** @throws ApiError that lists what is known: 400 for a name in a body, 404 for one in a path */
export function assertTarget(
  config: Config,
  { app, environment }: Target,
  refuse: Refuse = badRequest,
): void {
  assertApp(config, app, refuse);
  assertEnvironment(config, environment, refuse);
  if (config.apps[app]?.releaseOnly) {
    throw refuse(`${app} is releaseOnly: it is released and deployed nowhere by Sluice`, {
      known: deployable(config),
    });
  }
  if (serviceOf(config, { app, environment })) return;
  const known = Object.keys(config.apps[app]?.environments ?? {});
  throw refuse(`${app} has no service in ${environment}; it has one in: ${known.join(', ')}`, { known });
}

const deployable = (config: Config): string[] =>
  Object.keys(config.apps).filter((app) => !config.apps[app]?.releaseOnly);

export function assertApp(config: Config, app: string, refuse: Refuse = badRequest): void {
  if (Object.hasOwn(config.apps, app)) return;
  const known = Object.keys(config.apps);
  throw refuse(`There is no app ${JSON.stringify(app)}; there is: ${known.join(', ')}`, { known });
}

/**
 * What is promoted from staging to production, and how.
 * @throws ApiError 404, saying why there is nothing to promote
 */
export function assertPromoted(config: Config, app: string): PromotionPolicy {
  assertApp(config, app, notFound);
  const promotion = config.apps[app]?.promotion;
  if (promotion) return { queue: promotion.queue, approval: promotion.approval };
  const known = Object.keys(config.apps).filter((name) => config.apps[name]?.promotion);
  const why = config.apps[app]?.releaseOnly
    ? 'is releaseOnly'
    : 'does not run in both staging and production';
  const others = known.length > 0 ? `; promoted are: ${known.join(', ')}` : '';
  throw notFound(`${app} ${why}, so it has no promotion queue${others}`, { known });
}

export function assertEnvironment(config: Config, environment: string, refuse: Refuse = badRequest): void {
  if (Object.hasOwn(config.environments, environment)) return;
  const known = Object.keys(config.environments);
  const name = JSON.stringify(environment);
  throw refuse(`There is no environment ${name}; there is: ${known.join(', ')}`, { known });
}

/** What is to be deployed: a tag of the image set, or a commit, which is built where it is not there. */
export function assertWhat({ tag, commit }: { tag?: string; commit?: string }): {
  tag: string;
  commit?: string;
} {
  if ((tag === undefined) === (commit === undefined)) {
    throw badRequest('body must have exactly one of tag and commit', { known: ['tag', 'commit'] });
  }
  if (commit !== undefined) return { tag: commit, commit };
  return { tag: assertTag(tag ?? '') };
}

/** @throws ApiError where no registry can hold such a tag: a flag, a path, a shell’s or Markdown’s characters */
export function assertTag(tag: string): string {
  if (isTag(tag)) return tag;
  throw badRequest(
    `body/tag ${JSON.stringify(tag)} is no tag of an image: letters, digits, "_", ".", "-", at most 128, ` +
      'not beginning with "." or "-"',
  );
}

/** Passing a lock or a bad mark is told to everyone, so it says why. */
export function assertReasoned({ override, reason }: { override?: boolean; reason?: string }): void {
  if (override && !reason) throw badRequest('body/reason must be given with override');
}

/** @throws ApiError 404 where no deployment can have this id */
export function assertId(id: string): Target {
  const target = parseDeploymentId(id);
  if (!target) {
    throw notFound(`${JSON.stringify(id)} is no deployment’s id: {environment}.{app}.{unique}`);
  }
  return target;
}

/** @throws ApiError 404 where no release of a configured app can have this id */
export function assertReleaseId(config: Config, id: string): void {
  if (Object.keys(config.apps).some((app) => dateOf(app, id) !== undefined)) return;
  throw notFound(`${JSON.stringify(id)} is no release’s id: {app}-{date}`);
}
