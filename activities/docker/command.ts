/** What `docker build` is told for an image of the set. */
import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Config, ImageConfig } from '../../domain/config/config.js';
import { REVISION_LABEL, SOURCE_LABEL } from '../../domain/tags.js';
import { refuse } from '../failure.js';

export interface BuildCommandInput {
  image: ImageConfig;
  /** Of the checkout, absolute, its links resolved. */
  source: string;
  commit: string;
  repository: Config['repository'];
  /** `host[:port]` */
  registry: string;
  /** What the prepare commands printed. */
  prepared: Record<string, string>;
  buildkit: boolean;
}

/** Every reference to push, the commit last: its presence says that the image is complete. */
export const references = (image: ImageConfig, registry: string, commit: string): string[] =>
  [...image.alsoTag, commit].map((tag) => `${registry}/${image.repository}:${tag}`);

/**
 * @returns arguments of `docker`, the context last
 * @throws ApplicationFailure `BUILD_FAILED` where a configured path is not in the checkout
 */
export async function buildArguments(input: BuildCommandInput): Promise<string[]> {
  const { image, commit, registry, repository } = input;
  const context = await inCheckout(input, 'context', image.context);
  const dockerfile = await inCheckout(
    input,
    'dockerfile',
    image.dockerfile ?? join(image.context, 'Dockerfile'),
  );
  const buildArgs = { ...image.buildArgs, ...input.prepared, SEMANTIC_VERSION: commit };
  return [
    ...(input.buildkit ? ['buildx', 'build', '--load', '--progress', 'plain'] : ['build']),
    ...['--file', dockerfile],
    ...references(image, registry, commit).flatMap((reference) => ['--tag', reference]),
    ...(image.target ? ['--target', image.target] : []),
    ...(image.platform ? ['--platform', image.platform] : []),
    ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...['--label', `${REVISION_LABEL}=${commit}`],
    ...['--label', `${SOURCE_LABEL}=https://github.com/${repository.owner}/${repository.name}`],
    ...(await buildContexts(input)),
    ...image.secrets.flatMap(({ id, env }) => ['--secret', `id=${id},env=${env}`]),
    context,
  ];
}

async function buildContexts(input: BuildCommandInput): Promise<string[]> {
  const pairs = await Promise.all(
    Object.entries(input.image.buildContexts).map(async ([name, place]) => {
      const isAddress = place.includes('://') || place.startsWith('target:');
      return `${name}=${isAddress ? place : await inCheckout(input, `buildContexts.${name}`, place)}`;
    }),
  );
  return pairs.flatMap((pair) => ['--build-context', pair]);
}

/** A link in the repository must not let a build read the worker's own files. */
async function inCheckout({ source, image }: BuildCommandInput, key: string, path: string): Promise<string> {
  const real = await realpath(join(source, path)).catch(() => undefined);
  if (real === undefined || !(real === source || real.startsWith(source + sep))) {
    throw refuse('BUILD_FAILED', `${image.repository}: the commit has no ${path} (${key})`, {
      lastLines: [],
    });
  }
  return real;
}
