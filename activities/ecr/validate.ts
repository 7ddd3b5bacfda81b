/** Step `validate`, as far as the registry knows: which images the tag names, and which release they are. */
import { BatchGetImageCommand, DescribeImagesCommand } from '@aws-sdk/client-ecr';
import type { BatchGetImageCommandOutput, ImageFailure, ImageIdentifier } from '@aws-sdk/client-ecr';
import { Context } from '@temporalio/activity';
import type { Aws } from '../../clients/aws.js';
import { MANIFEST_TYPES, parseManifest, sha256 } from '../../clients/registry.js';
import type { Manifest } from '../../clients/registry.js';
import type { Config, ImageConfig } from '../../domain/config/config.js';
import type { ResolvedImage, ValidateInput, Validated } from '../../domain/effects.js';
import { imageTag, isTag, releaseOf, REVISION_LABEL } from '../../domain/tags.js';
import type { ImageIdentity } from '../../domain/tags.js';
import { patiently } from '../aws-again.js';
import { awsErrorName, awsFailure } from '../aws-errors.js';
import { later, refuse } from '../failure.js';
import { createRegistryAccess, registryFailure } from './registry.js';
import type { RegistryAccess } from './registry.js';

export interface ValidateDeps {
  config: Config;
  aws: Pick<Aws, 'ecr'>;
  /** The account's, where none is shared with others. */
  registry?: RegistryAccess;
}

export interface ValidateActivities {
  /**
   * Looks every image of the app's set up, by tag, or by digest where digests are given.
   * @throws ApplicationFailure `TAG_NOT_FOUND` naming repository and tag; `AWS_REFUSED`; retryable `AWS_DOWN`,
   *   `REGISTRY_DOWN`
   */
  validate(input: ValidateInput): Promise<Validated>;
}

export function createValidate(input: ValidateDeps): ValidateActivities {
  const deps = { ...input, registry: input.registry ?? createRegistryAccess(input) };
  return {
    async validate(input) {
      const app = deps.config.apps[input.app];
      if (!app) throw refuse('NOT_FOUND', `No app ${input.app} is configured`);
      const tag = input.digests ? input.tag : imageTag(input.app, input.tag);
      if (!input.digests && !isTag(tag)) {
        throw refuse('TAG_NOT_FOUND', `${JSON.stringify(tag.slice(0, 200))} can be the tag of no image`);
      }
      const found = await Promise.all(
        app.images.map(async (image) => await findImage(deps, { image, tag, digests: input.digests })),
      );
      const { release, differs } = releaseOf({ images: await identities(deps, found), tag });
      return {
        images: found.map(({ image, manifest }) => resolved(image, tag, manifest)),
        release,
        warnings: differs
          ? [
              {
                code: 'RELEASES_DIFFER',
                message: `The images of ${tag} are of different releases: ${differs.join(', ')}`,
              },
            ]
          : [],
      };
    },
  };
}

interface Found {
  image: ImageConfig;
  manifest: Manifest;
}

const resolved = (image: ImageConfig, tag: string, manifest: Manifest): ResolvedImage => ({
  containers: image.containers,
  repository: image.repository,
  tag,
  digest: manifest.digest,
  listed: manifest.listed.map(({ digest }) => digest),
});

async function findImage(
  deps: Required<ValidateDeps>,
  { image, tag, digests }: { image: ImageConfig; tag: string; digests: Record<string, string> | undefined },
): Promise<Found> {
  const { repository } = image;
  const digest = digests?.[repository];
  if (digests && !digest) {
    throw refuse('TAG_NOT_FOUND', `No digest was given for ${repository}, an image of the set`);
  }
  const id: ImageIdentifier = digest ? { imageDigest: digest } : { imageTag: tag };
  const name = digest ? `${repository}@${digest}` : `${repository}:${tag}`;
  const answer = await getImage(deps, { repository, id, name });
  const [got] = answer.images ?? [];
  if (!got?.imageManifest) throw missing(answer.failures?.[0], name);
  const actual = got.imageId?.imageDigest ?? sha256(Buffer.from(got.imageManifest));
  if (digest && actual !== digest) throw later('REGISTRY_DOWN', `ECR gave another image than ${name}`);
  return { image, manifest: parse(got.imageManifest, actual, name) };
}

async function getImage(
  deps: Required<ValidateDeps>,
  { repository, id, name }: { repository: string; id: ImageIdentifier; name: string },
): Promise<BatchGetImageCommandOutput> {
  const command = new BatchGetImageCommand({
    repositoryName: repository,
    imageIds: [id],
    acceptedMediaTypes: [...MANIFEST_TYPES],
  });
  try {
    const abortSignal = Context.current().cancellationSignal;
    return await patiently(() => deps.aws.ecr.send(command, { abortSignal }));
  } catch (error) {
    if (awsErrorName(error) !== 'RepositoryNotFoundException') throw awsFailure(error, 'BatchGetImage');
    throw refuse('TAG_NOT_FOUND', `${name} does not exist: ECR has no repository ${repository}`);
  }
}

/** ECR tells a missing image in the body of a good answer. */
function missing(failure: ImageFailure | undefined, name: string): Error {
  switch (failure?.failureCode) {
    case undefined:
    case 'ImageNotFound':
    case 'InvalidImageTag':
    case 'InvalidImageDigest':
      return refuse('TAG_NOT_FOUND', `${name} does not exist in the registry`);
    case 'UpstreamTooManyRequests':
    case 'UpstreamUnavailable':
      return later('REGISTRY_DOWN', `BatchGetImage: ${name}: ${failure.failureCode}`);
    default:
      return refuse('AWS_REFUSED', `BatchGetImage: ${name}: ${failure?.failureCode}`);
  }
}

function parse(text: string, digest: string, name: string): Manifest {
  try {
    return parseManifest(text, digest);
  } catch {
    throw refuse('AWS_REFUSED', `What ECR holds as ${name} is no image manifest`);
  }
}

/** Other tags on the digest are only asked for where the image itself does not tell what it is. */
async function identities(deps: Required<ValidateDeps>, found: Found[]): Promise<ImageIdentity[]> {
  const signal = Context.current().cancellationSignal;
  const registry = await deps.registry.open(signal);
  return await Promise.all(
    found.map(async ({ image, manifest }) => {
      const { repository, platform } = image;
      const labels = await registry
        .labels({ repository, manifest, ...(platform ? { platform } : {}) })
        .catch((error: unknown) => {
          throw registryFailure(error, registry.host);
        });
      const revision = labels[REVISION_LABEL];
      if (revision) return { repository, revision, tags: [] };
      return { repository, tags: await tagsOf(deps, repository, manifest.digest) };
    }),
  );
}

async function tagsOf(deps: Required<ValidateDeps>, repository: string, digest: string): Promise<string[]> {
  try {
    const command = new DescribeImagesCommand({
      repositoryName: repository,
      imageIds: [{ imageDigest: digest }],
    });
    const abortSignal = Context.current().cancellationSignal;
    const answer = await patiently(() => deps.aws.ecr.send(command, { abortSignal }));
    return answer.imageDetails?.[0]?.imageTags ?? [];
  } catch (error) {
    // Deleted since: what was read before it stands.
    if (awsErrorName(error) === 'ImageNotFoundException') return [];
    throw awsFailure(error, 'DescribeImages');
  }
}
