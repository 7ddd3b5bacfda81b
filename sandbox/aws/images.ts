/** Images that were never built: a config with labels, one layer, a manifest; for tests and seeds. */
import { MEDIA } from './image-store.js';
import type { ImageStore } from './image-store.js';

export interface ImageInput {
  repository: string;
  tag?: string;
  /** Label `org.opencontainers.image.revision`. */
  release?: string;
  labels?: Record<string, string>;
  env?: Record<string, string>;
  /** A multi-platform image: an index over one manifest per platform. */
  index?: boolean;
  /** OCI media types (default), or Docker's. */
  docker?: boolean;
}

export interface MadeImage {
  digest: string;
  /** Digests that the index lists; empty without `index`. */
  listed: string[];
}

export function makeImage(store: ImageStore, input: ImageInput): MadeImage {
  if (!input.index) return { digest: makeManifest(store, input, 'amd64', input.tag), listed: [] };
  const platforms = ['amd64', 'arm64'];
  const listed = platforms.map((architecture) => makeManifest(store, input, architecture));
  const mediaType = input.docker ? MEDIA.dockerIndex : MEDIA.ociIndex;
  const index = {
    schemaVersion: 2,
    mediaType,
    manifests: listed.map((digest, at) => ({
      mediaType: input.docker ? MEDIA.dockerManifest : MEDIA.ociManifest,
      digest,
      size: store.manifest(input.repository, digest)?.bytes.length ?? 0,
      platform: { os: 'linux', architecture: platforms[at] },
    })),
  };
  const bytes = Buffer.from(JSON.stringify(index));
  const { digest } = store.putManifest({ repository: input.repository, bytes, mediaType, tag: input.tag });
  return { digest, listed };
}

function makeManifest(store: ImageStore, input: ImageInput, architecture: string, tag?: string): string {
  const revision = input.release ? { 'org.opencontainers.image.revision': input.release } : {};
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: {
        Env: Object.entries(input.env ?? {}).map(([name, value]) => `${name}=${value}`),
        Labels: { ...revision, ...input.labels },
      },
      rootfs: { type: 'layers', diff_ids: [] },
    }),
  );
  const layer = Buffer.from(
    `layer of ${input.repository} ${input.tag ?? ''} ${input.release ?? ''} ${architecture}`,
  );
  const mediaType = input.docker ? MEDIA.dockerManifest : MEDIA.ociManifest;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: input.docker
        ? 'application/vnd.docker.container.image.v1+json'
        : 'application/vnd.oci.image.config.v1+json',
      digest: store.putBlob(config),
      size: config.length,
    },
    layers: [
      {
        mediaType: input.docker
          ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
          : 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: store.putBlob(layer),
        size: layer.length,
      },
    ],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return store.putManifest({ repository: input.repository, bytes, mediaType, tag }).digest;
}
