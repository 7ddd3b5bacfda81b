/** ECR's API over the image store. */
import type {
  BatchDeleteImageCommandInput,
  BatchGetImageCommandInput,
  DescribeImagesCommandInput,
  DescribeRepositoriesCommandInput,
  ImageIdentifier,
  ListImagesCommandInput,
  PutImageCommandInput,
} from '@aws-sdk/client-ecr';
import { digestOf, isIndex, parseManifest } from './image-store.js';
import type { Repository, StoredManifest } from './image-store.js';
import { AwsError, operation, paginate, seconds } from './protocol.js';
import type { Operation } from './protocol.js';
import type { World } from './state.js';

function repositoryOf(world: World, name: string | undefined): Repository {
  const repository = world.images.repository(name ?? '');
  if (!repository)
    throw new AwsError(
      'RepositoryNotFoundException',
      `The repository with name '${name}' does not exist in the registry with id '${world.account}'`,
    );
  return repository;
}

function lookUp(
  repository: Repository,
  { imageTag, imageDigest }: ImageIdentifier,
): StoredManifest | undefined {
  const byTag = imageTag ? repository.tags.get(imageTag) : undefined;
  if (imageTag && imageDigest && byTag !== imageDigest) return undefined;
  return repository.manifests.get(byTag ?? imageDigest ?? '');
}

const tagsOf = (repository: Repository, digest: string): string[] =>
  [...repository.tags].filter(([, held]) => held === digest).map(([tag]) => tag);

const described = (id: ImageIdentifier): string =>
  `{imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'}`;

function presentDetail(world: World, repository: Repository, manifest: StoredManifest): object {
  const tags = tagsOf(repository, manifest.digest);
  const json = parseManifest(manifest);
  const parts = [...(json.config ? [json.config] : []), ...(json.layers ?? [])];
  return {
    registryId: world.account,
    repositoryName: repository.name,
    imageDigest: manifest.digest,
    ...(tags.length > 0 ? { imageTags: tags } : {}),
    imageSizeInBytes: parts.reduce((sum, part) => sum + (part.size ?? 0), 0),
    imagePushedAt: seconds(manifest.pushedAt),
    imageManifestMediaType: manifest.mediaType,
    ...(isIndex(manifest.mediaType) ? {} : { artifactMediaType: 'application/vnd.oci.image.config.v1+json' }),
  };
}

function describeImages(world: World, input: DescribeImagesCommandInput): object {
  const repository = repositoryOf(world, input.repositoryName);
  if (input.imageIds?.length) {
    const details = input.imageIds.map((id) => {
      const manifest = lookUp(repository, id);
      if (!manifest)
        throw new AwsError(
          'ImageNotFoundException',
          `The image with imageId ${described(id)} does not exist within the repository with name ` +
            `'${repository.name}' in the registry with id '${world.account}'`,
        );
      return presentDetail(world, repository, manifest);
    });
    return { imageDetails: details };
  }
  const status = input.filter?.tagStatus ?? 'ANY';
  const all = [...repository.manifests.values()].filter(({ digest }) => {
    const tagged = tagsOf(repository, digest).length > 0;
    return status === 'ANY' || (status === 'TAGGED') === tagged;
  });
  const { page, nextToken } = paginate(all, input);
  return { imageDetails: page.map((manifest) => presentDetail(world, repository, manifest)), nextToken };
}

function batchGetImage(world: World, input: BatchGetImageCommandInput): object {
  const repository = repositoryOf(world, input.repositoryName);
  const images: object[] = [];
  const failures: object[] = [];
  for (const imageId of input.imageIds ?? []) {
    const found = lookUp(repository, imageId);
    const manifest = found && accepted(repository, found, input.acceptedMediaTypes);
    if (!found || !manifest) {
      failures.push({ imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' });
      continue;
    }
    images.push({
      registryId: world.account,
      repositoryName: repository.name,
      imageId: { ...imageId, imageDigest: manifest.digest },
      imageManifest: manifest.bytes.toString('utf8'),
      imageManifestMediaType: manifest.mediaType,
    });
  }
  return { images, failures };
}

/** Who does not accept an index gets the manifest of one platform, with another digest, as at AWS. */
function accepted(
  repository: Repository,
  manifest: StoredManifest,
  mediaTypes: string[] | undefined,
): StoredManifest | undefined {
  if (!mediaTypes?.length || mediaTypes.includes(manifest.mediaType)) return manifest;
  if (!isIndex(manifest.mediaType)) return manifest;
  const listed = parseManifest(manifest).manifests ?? [];
  const chosen = listed.find((part) => part.platform?.architecture === 'amd64') ?? listed[0];
  return chosen && repository.manifests.get(chosen.digest);
}

function putImage(world: World, input: PutImageCommandInput): object {
  const repository = repositoryOf(world, input.repositoryName);
  const bytes = Buffer.from(input.imageManifest ?? '', 'utf8');
  const digest = digestOf(bytes);
  if (input.imageDigest && input.imageDigest !== digest)
    throw new AwsError('ImageDigestDoesNotMatchException', 'The image digest does not match the manifest.');
  const missing = world.images.missingParts(repository.name, bytes);
  if (missing.length > 0)
    throw new AwsError('LayersNotFoundException', `The layers ${missing.join(', ')} do not exist.`);
  const held = repository.manifests.has(digest);
  if (held && (!input.imageTag || repository.tags.get(input.imageTag) === digest))
    throw new AwsError(
      'ImageAlreadyExistsException',
      `Image with digest '${digest}' and tag '${input.imageTag ?? 'null'}' already exists in the repository ` +
        `with name '${repository.name}' in registry with id '${world.account}'`,
    );
  const manifest = world.images.putManifest({
    repository: repository.name,
    bytes,
    mediaType: input.imageManifestMediaType,
    tag: input.imageTag,
  });
  return {
    image: {
      registryId: world.account,
      repositoryName: repository.name,
      imageId: { imageDigest: digest, imageTag: input.imageTag },
      imageManifest: input.imageManifest,
      imageManifestMediaType: manifest.mediaType,
    },
  };
}

function listImages(world: World, input: ListImagesCommandInput): object {
  const repository = repositoryOf(world, input.repositoryName);
  const ids = [...repository.manifests.keys()].flatMap((imageDigest) => {
    const tags = tagsOf(repository, imageDigest);
    return tags.length > 0 ? tags.map((imageTag) => ({ imageDigest, imageTag })) : [{ imageDigest }];
  });
  const { page, nextToken } = paginate(ids, input);
  return { imageIds: page, nextToken };
}

function batchDelete(world: World, input: BatchDeleteImageCommandInput): object {
  const repository = repositoryOf(world, input.repositoryName);
  const imageIds: ImageIdentifier[] = [];
  const failures: object[] = [];
  for (const imageId of input.imageIds ?? []) {
    const manifest = lookUp(repository, imageId);
    if (!manifest) {
      failures.push({ imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' });
      continue;
    }
    // By tag only the tag goes, unless it is the last one; by digest the image goes with all its tags.
    const gone = imageId.imageTag ? [imageId.imageTag] : tagsOf(repository, manifest.digest);
    gone.forEach((tag) => repository.tags.delete(tag));
    if (tagsOf(repository, manifest.digest).length === 0) repository.manifests.delete(manifest.digest);
    imageIds.push({ ...imageId, imageDigest: manifest.digest });
  }
  return { imageIds, failures };
}

const presentRepository = (world: World, repository: Repository, registry: string): object => ({
  registryId: world.account,
  repositoryName: repository.name,
  repositoryArn: `arn:aws:ecr:${world.region}:${world.account}:repository/${repository.name}`,
  repositoryUri: `${registry}/${repository.name}`,
  createdAt: seconds(repository.createdAt),
  imageTagMutability: 'MUTABLE',
});

/** Like none that is somewhere by chance: it may be found nowhere. */
export const REGISTRY_PASSWORD = 'sandboxRegistryPassword000000';

export function ecrOperations(world: World, registry: () => string): Record<string, Operation> {
  return {
    DescribeImages: operation<DescribeImagesCommandInput>((input) => describeImages(world, input)),
    BatchGetImage: operation<BatchGetImageCommandInput>((input) => batchGetImage(world, input)),
    PutImage: operation<PutImageCommandInput>((input) => putImage(world, input)),
    ListImages: operation<ListImagesCommandInput>((input) => listImages(world, input)),
    BatchDeleteImage: operation<BatchDeleteImageCommandInput>((input) => batchDelete(world, input)),
    GetAuthorizationToken: operation<object>(() => ({
      authorizationData: [
        {
          authorizationToken: Buffer.from(`AWS:${REGISTRY_PASSWORD}`).toString('base64'),
          expiresAt: seconds(Date.now() + 12 * 3_600_000),
          proxyEndpoint: `http://${registry()}`,
        },
      ],
    })),
    CreateRepository: operation<{ repositoryName?: string }>(({ repositoryName = '' }) => {
      if (world.images.repository(repositoryName))
        throw new AwsError(
          'RepositoryAlreadyExistsException',
          `The repository with name '${repositoryName}' already exists in the registry with id '${world.account}'`,
        );
      return {
        repository: presentRepository(world, world.images.createRepository(repositoryName), registry()),
      };
    }),
    DescribeRepositories: operation<DescribeRepositoriesCommandInput>((input) => {
      const asked = input.repositoryNames?.map((name) => repositoryOf(world, name));
      const { page, nextToken } = paginate(asked ?? [...world.images.repositories.values()], input);
      return { repositories: page.map((one) => presentRepository(world, one, registry())), nextToken };
    }),
  };
}
