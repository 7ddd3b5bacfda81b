/** A second tag on the images of a set: the same manifest, byte for byte, under another name. */
import { BatchGetImageCommand, PutImageCommand } from '@aws-sdk/client-ecr';
import type { Image, ImageIdentifier } from '@aws-sdk/client-ecr';
import { Context } from '@temporalio/activity';
import type { Aws } from '../../clients/aws.js';
import { MANIFEST_TYPES, sha256 } from '../../clients/registry.js';
import type { ImagesTagged, TagImagesInput } from '../../domain/release/effects.js';
import { awsErrorName, awsFailure } from '../aws-errors.js';
import { patiently } from '../aws-again.js';
import { later, refuse } from '../failure.js';

export interface RetagDeps {
  aws: Pick<Aws, 'ecr'>;
  /** @throws ApplicationFailure where the person is no maintainer, or GitHub cannot tell */
  requireMaintainer(login: string): Promise<void>;
}

export interface RetagActivities {
  /**
   * Puts `imageTag` on every image of the set, and returns when every one has it. Looks before it writes, so any
   * number of attempts end alike; where the tag is there on the same digest, nothing is written.
   * @throws ApplicationFailure `NOT_A_MAINTAINER`; `TAG_NOT_FOUND` where an image is gone; `TAG_CONFLICT` where the
   *   tag is on another image (nothing was written then, unless it came there in between); `AWS_REFUSED`;
   *   retryable `AWS_DOWN`, `REGISTRY_DOWN`, `GITHUB_DOWN`
   */
  tagImages(input: TagImagesInput): Promise<ImagesTagged>;
}

export function createRetag({ aws, requireMaintainer }: RetagDeps): RetagActivities {
  return {
    async tagImages({ actor, from, imageTag }) {
      await requireMaintainer(actor);
      const missing = await Promise.all(
        from.map(async (image) =>
          (await isTagged(aws, image, imageTag)) ? [] : [await manifestOf(aws, image)],
        ),
      );
      const put = missing.flat();
      // One after the other: what was done when an attempt ended early is then told by the order.
      for (const image of put) await putTag(aws, image, imageTag);
      for (const image of from) {
        if (!(await isTagged(aws, image, imageTag)))
          throw later('REGISTRY_DOWN', `ECR does not show ${image.repository}:${imageTag} yet`);
      }
      return { put: put.map(({ repository }) => repository) };
    },
  };
}

interface ImageRef {
  repository: string;
  digest: string;
}

interface HeldImage extends ImageRef {
  manifest: string;
  mediaType: string;
}

/** @throws `TAG_CONFLICT` where it is on another image: whose that is, nobody here can tell */
async function isTagged(aws: RetagDeps['aws'], image: ImageRef, imageTag: string): Promise<boolean> {
  const { repository, digest } = image;
  const held = await getImage(aws, repository, { imageTag });
  if (!held) return false;
  const actual = digestOf(held);
  if (actual === digest) return true;
  throw refuse(
    'TAG_CONFLICT',
    `${repository}:${imageTag} is on another image (${actual}, not ${digest}). ` +
      'Remove that tag in ECR and retry, or abandon this release',
  );
}

async function manifestOf(aws: RetagDeps['aws'], image: ImageRef): Promise<HeldImage> {
  const { repository, digest } = image;
  const held = await getImage(aws, repository, { imageDigest: digest });
  const { imageManifest: manifest, imageManifestMediaType: mediaType } = held ?? {};
  if (!held || !manifest) {
    throw refuse('TAG_NOT_FOUND', `${repository}@${digest} does not exist in the registry any more`);
  }
  // Bytes of another digest would be another image: they are never put under the tag.
  if (sha256(Buffer.from(manifest)) !== digest || !mediaType)
    throw later('REGISTRY_DOWN', `ECR gave another image than ${repository}@${digest}`);
  return { repository, digest, manifest, mediaType };
}

async function putTag(aws: RetagDeps['aws'], image: HeldImage, imageTag: string): Promise<void> {
  const command = new PutImageCommand({
    repositoryName: image.repository,
    imageTag,
    imageManifest: image.manifest,
    imageManifestMediaType: image.mediaType,
    imageDigest: image.digest,
  });
  try {
    await aws.ecr.send(command, { abortSignal: Context.current().cancellationSignal });
  } catch (error) {
    // It is there: on which image, the look afterwards tells. The second one is of immutable tags.
    const there = ['ImageAlreadyExistsException', 'ImageTagAlreadyExistsException'];
    if (!there.includes(awsErrorName(error))) throw awsFailure(error, 'PutImage');
  }
}

/** All media types are named: without them ECR gives one platform's manifest for an index, of another digest. */
async function getImage(
  aws: RetagDeps['aws'],
  repository: string,
  id: ImageIdentifier,
): Promise<Image | undefined> {
  const command = new BatchGetImageCommand({
    repositoryName: repository,
    imageIds: [id],
    acceptedMediaTypes: [...MANIFEST_TYPES],
  });
  const abortSignal = Context.current().cancellationSignal;
  const answer = await patiently(() => aws.ecr.send(command, { abortSignal })).catch((error: unknown) => {
    throw awsFailure(error, 'BatchGetImage');
  });
  const [image] = answer.images ?? [];
  if (image) return image;
  const code = answer.failures?.[0]?.failureCode;
  if (code === undefined || code === 'ImageNotFound') return undefined;
  if (code === 'UpstreamTooManyRequests' || code === 'UpstreamUnavailable')
    throw later('REGISTRY_DOWN', `BatchGetImage: ${repository}: ${code}`);
  throw refuse('AWS_REFUSED', `BatchGetImage: ${repository}: ${code}`);
}

const digestOf = (image: Image): string =>
  image.imageId?.imageDigest ?? sha256(Buffer.from(image.imageManifest ?? ''));
