/** Repositories, manifests and blobs in memory: ECR's API and the registry API are two views of it. */
import { createHash } from 'node:crypto';

export const MEDIA = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

export const isIndex = (mediaType: string): boolean =>
  mediaType === MEDIA.ociIndex || mediaType === MEDIA.dockerIndex;

export const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export interface StoredManifest {
  digest: string;
  mediaType: string;
  bytes: Buffer;
  pushedAt: number;
}

export interface Repository {
  name: string;
  createdAt: number;
  manifests: Map<string, StoredManifest>;
  /** Tag → digest. */
  tags: Map<string, string>;
}

interface Descriptor {
  digest: string;
  size?: number;
  platform?: { os?: string; architecture?: string };
}

interface ManifestJson {
  mediaType?: string;
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
}

export interface ImageConfig {
  Env?: string[];
  Labels?: Record<string, string>;
}

export interface PulledImage {
  /** What ECS reports: of an index, the manifest of the platform that runs. */
  digest: string;
  config: ImageConfig;
}

export const parseManifest = (manifest: StoredManifest): ManifestJson =>
  JSON.parse(manifest.bytes.toString('utf8')) as ManifestJson;

export function mediaTypeOf(bytes: Buffer, given?: string): string {
  const json = JSON.parse(bytes.toString('utf8')) as ManifestJson;
  return json.mediaType ?? given ?? (json.manifests ? MEDIA.ociIndex : MEDIA.ociManifest);
}

export interface ImageReference {
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
}

export function parseReference(image: string): ImageReference {
  const [rest = '', digest] = image.split('@');
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const named = /[.:]/.test(first) || first === 'localhost';
  const path = named ? rest.slice(slash + 1) : rest;
  const [repository = '', tag] = path.split(':');
  return { registry: named ? first : 'docker.io', repository, tag, digest };
}

export class ImageStore {
  readonly repositories = new Map<string, Repository>();
  readonly blobs = new Map<string, Buffer>();
  /** Hosts that mean this registry. */
  readonly hosts = new Set<string>();

  repository(name: string): Repository | undefined {
    return this.repositories.get(name);
  }

  createRepository(name: string): Repository {
    const repository = { name, createdAt: Date.now(), manifests: new Map(), tags: new Map() };
    this.repositories.set(name, repository);
    return repository;
  }

  putBlob(bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  putManifest(input: {
    repository: string;
    bytes: Buffer;
    mediaType?: string;
    tag?: string;
  }): StoredManifest {
    const repository = this.repository(input.repository) ?? this.createRepository(input.repository);
    const digest = digestOf(input.bytes);
    const manifest = repository.manifests.get(digest) ?? {
      digest,
      mediaType: mediaTypeOf(input.bytes, input.mediaType),
      bytes: input.bytes,
      pushedAt: Date.now(),
    };
    repository.manifests.set(digest, manifest);
    if (input.tag) repository.tags.set(input.tag, digest);
    return manifest;
  }

  /** `reference`: a tag or a digest. */
  manifest(repository: string, reference: string): StoredManifest | undefined {
    const held = this.repository(repository);
    return held?.manifests.get(held.tags.get(reference) ?? reference);
  }

  /** What is still missing of a manifest's parts; a registry refuses such a manifest. */
  missingParts(repository: string, bytes: Buffer): string[] {
    const json = JSON.parse(bytes.toString('utf8')) as ManifestJson;
    const held = this.repository(repository);
    const blobs = [...(json.config ? [json.config] : []), ...(json.layers ?? [])];
    return [
      ...blobs.filter((part) => !this.blobs.has(part.digest)),
      ...(json.manifests ?? []).filter((part) => !held?.manifests.has(part.digest)),
    ].map((part) => part.digest);
  }

  /** Undefined: never pushed here, or another registry's. */
  pull(image: string): PulledImage | undefined {
    const reference = parseReference(image);
    if (!this.hosts.has(reference.registry)) return undefined;
    const found = this.manifest(reference.repository, reference.digest ?? reference.tag ?? 'latest');
    if (!found) return undefined;
    let manifest = found;
    if (isIndex(found.mediaType)) {
      const listed = parseManifest(found).manifests ?? [];
      const chosen = listed.find((part) => part.platform?.architecture === 'amd64') ?? listed[0];
      const inner = chosen && this.manifest(reference.repository, chosen.digest);
      if (!inner) return undefined;
      manifest = inner;
    }
    const configDigest = parseManifest(manifest).config?.digest;
    const blob = configDigest ? this.blobs.get(configDigest) : undefined;
    if (!blob) return undefined;
    const { config = {} } = JSON.parse(blob.toString('utf8')) as { config?: ImageConfig };
    return { digest: manifest.digest, config };
  }
}
