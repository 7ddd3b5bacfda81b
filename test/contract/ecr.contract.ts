/** What ECR and its registry do, as far as we stand on it: held against both. */
import { createHash } from 'node:crypto';
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Emulator } from './emulators.js';

const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const repositoryName = 'openverse-api';
const sha256 = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export function ecrContract(start: () => Promise<Emulator>): void {
  let aws: Emulator;
  let digest = '';
  const release = 'a'.repeat(40);
  const v2 = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(new URL(path, `http://${aws.registry.replace('localhost', '127.0.0.1')}`), init);

  beforeAll(async () => {
    aws = await start();
    digest = await aws.image({ repository: repositoryName, tag: release, release });
  }, 120_000);
  afterAll(() => aws?.close(), 60_000);

  describe('images', () => {
    it('are found by tag and by digest', async () => {
      for (const imageId of [{ imageTag: release }, { imageDigest: digest }]) {
        const input = { repositoryName, imageIds: [imageId] };
        const { imageDetails } = await aws.ecr.send(new DescribeImagesCommand(input));
        expect(imageDetails).toMatchObject([{ repositoryName, imageDigest: digest, imageTags: [release] }]);
        expect(imageDetails?.[0]?.imagePushedAt).toBeInstanceOf(Date);
      }
    });

    it('that are not there are not found, nor are repositories', async () => {
      const missing = { repositoryName, imageIds: [{ imageTag: 'never' }] };
      // AWS says ImageNotFoundException (see stand-in-only); ministack answers with none.
      const found = await aws.ecr
        .send(new DescribeImagesCommand(missing))
        .catch((error: Error) => error.name);
      expect(['ImageNotFoundException', 0]).toContain(
        typeof found === 'string' ? found : found.imageDetails?.length,
      );
      const nowhere = { repositoryName: 'nowhere', imageIds: [{ imageTag: 'never' }] };
      await expect(aws.ecr.send(new DescribeImagesCommand(nowhere))).rejects.toMatchObject({
        name: 'RepositoryNotFoundException',
      });
      const { failures } = await aws.ecr.send(new BatchGetImageCommand(missing));
      expect(failures).toMatchObject([{ failureCode: 'ImageNotFound' }]);
    });

    it('give the exact bytes of their manifest, so that another tag keeps the digest', async () => {
      const input = { repositoryName, imageIds: [{ imageTag: release }], acceptedMediaTypes: MANIFESTS };
      const { images } = await aws.ecr.send(new BatchGetImageCommand(input));
      const [image] = images ?? [];
      expect(image?.imageId?.imageDigest).toBe(digest);
      expect(sha256(image?.imageManifest ?? '')).toBe(digest);
      expect(MANIFESTS).toContain(image?.imageManifestMediaType);
      const retag = {
        repositoryName,
        imageManifest: image?.imageManifest,
        imageManifestMediaType: image?.imageManifestMediaType,
        imageTag: 'rel-2026.11.23.14.00.00',
      };
      const put = await aws.ecr.send(new PutImageCommand(retag));
      expect(put.image?.imageId).toMatchObject({ imageDigest: digest, imageTag: retag.imageTag });
      // Again: AWS says ImageAlreadyExistsException (see stand-in-only); ministack does it again.
      const again = await aws.ecr.send(new PutImageCommand(retag)).catch((error: Error) => error.name);
      expect(['ImageAlreadyExistsException', digest]).toContain(
        typeof again === 'string' ? again : again.image?.imageId?.imageDigest,
      );
      const both = { repositoryName, imageIds: [{ imageDigest: digest }] };
      const { imageDetails } = await aws.ecr.send(new DescribeImagesCommand(both));
      expect(imageDetails?.[0]?.imageTags?.toSorted()).toEqual([release, retag.imageTag].toSorted());
      const { imageDetails: all } = await aws.ecr.send(new DescribeImagesCommand({ repositoryName }));
      expect(all?.map((detail) => detail.imageDigest)).toContain(digest);
    });

    it('are in repositories that cannot be made twice', async () => {
      await expect(aws.ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
        name: 'RepositoryAlreadyExistsException',
      });
      const { repositories } = await aws.ecr.send(
        new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }),
      );
      expect(repositories?.[0]?.repositoryUri).toContain(repositoryName);
    });

    it('open to a token of the account', async () => {
      const { authorizationData } = await aws.ecr.send(new GetAuthorizationTokenCommand({}));
      const [token] = authorizationData ?? [];
      expect(Buffer.from(token?.authorizationToken ?? '', 'base64').toString()).toMatch(/^AWS:.+/);
      expect(token?.proxyEndpoint).toMatch(/^https?:\/\//);
    });
  });

  describe('the registry', () => {
    it('gives an image’s config, where its labels are', async () => {
      const headers = { accept: MANIFESTS.join(', ') };
      const manifest = await v2(`/v2/${repositoryName}/manifests/${release}`, { headers });
      expect(manifest.headers.get('docker-content-digest')).toBe(digest);
      const { config } = (await manifest.json()) as { config: { digest: string } };
      const blob = await v2(`/v2/${repositoryName}/blobs/${config.digest}`);
      const image = (await blob.json()) as { config: { Labels: Record<string, string> } };
      expect(image.config.Labels['org.opencontainers.image.revision']).toBe(release);
    });

    it('answers HEAD and lists tags', async () => {
      const head = await v2(`/v2/${repositoryName}/manifests/${digest}`, {
        method: 'HEAD',
        headers: { accept: MANIFESTS.join(', ') },
      });
      expect(head.status).toBe(200);
      const missing = await v2(`/v2/${repositoryName}/manifests/never`);
      expect(missing.status).toBe(404);
      const listed = (await (await v2(`/v2/${repositoryName}/tags/list`)).json()) as { tags: string[] };
      expect(listed.tags).toContain(release);
    });

    it('takes blobs in one piece and in chunks, and a manifest of them', async () => {
      const blobs = [
        Buffer.from(JSON.stringify({ config: { Labels: { of: 'hand' } } })),
        Buffer.from('layer'),
      ];
      const [config, layer] = blobs;
      for (const bytes of blobs) await pushBlob(v2, bytes, bytes === layer);
      const part = (bytes: Buffer | undefined, mediaType: string): object => ({
        mediaType,
        digest: sha256(bytes ?? ''),
        size: bytes?.length,
      });
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFESTS[0],
        config: part(config, 'application/vnd.oci.image.config.v1+json'),
        layers: [part(layer, 'application/vnd.oci.image.layer.v1.tar+gzip')],
      });
      const put = await v2(`/v2/${repositoryName}/manifests/by-hand`, {
        method: 'PUT',
        headers: { 'content-type': MANIFESTS[0] ?? '' },
        body: manifest,
      });
      expect(put.status).toBe(201);
      const input = { repositoryName, imageIds: [{ imageTag: 'by-hand' }] };
      const { imageDetails } = await aws.ecr.send(new DescribeImagesCommand(input));
      expect(imageDetails?.[0]?.imageDigest).toBe(sha256(manifest));
    });
  });
}

type V2 = (path: string, init?: RequestInit) => Promise<Response>;

async function pushBlob(v2: V2, bytes: Buffer, inChunks: boolean): Promise<void> {
  const begun = await v2(`/v2/${repositoryName}/blobs/uploads/`, { method: 'POST' });
  expect(begun.status).toBe(202);
  let location = begun.headers.get('location') ?? '';
  let rest = bytes;
  const type = { 'content-type': 'application/octet-stream' };
  if (inChunks) {
    const headers = { ...type, 'content-range': '0-1' };
    const chunk = await v2(location, { method: 'PATCH', headers, body: new Uint8Array(rest.subarray(0, 2)) });
    expect(chunk.status).toBe(202);
    location = chunk.headers.get('location') ?? location;
    rest = rest.subarray(2);
  }
  const target = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(sha256(bytes))}`;
  const put = await v2(target, { method: 'PUT', headers: type, body: new Uint8Array(rest) });
  expect(put.status).toBe(201);
}
