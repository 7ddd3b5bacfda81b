/**
 * Reads images through the registry's own v2 API: ECR's API tells neither labels nor, right after a push,
 * what the registry answers to a pull.
 */
import { createHash } from 'node:crypto';

/** All of them are named in every request: else the registry converts, and the digest changes. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

const TIMEOUT_MS = 8_000;
/** Manifests and image configs are some KB; more than this is not one. */
const LARGEST = 4 * 1024 * 1024;

export interface RegistryLogin {
  /** `host[:port]`, as it stands in image references. */
  host: string;
  username: string;
  password: string;
}

/** The registry answered, but not with what was asked for. */
export class RegistryError extends Error {
  override name = 'RegistryError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Manifest {
  /** `sha256:…` of the bytes that the registry gave. */
  digest: string;
  /** Digest of the image config; absent for an index. */
  config?: string;
  /** Images that an index lists, provenance and the like left out; empty for a single image. */
  listed: { digest: string; platform?: string }[];
}

export interface Registry {
  host: string;
  /** @param reference tag or digest. @returns undefined where the registry does not hold it. */
  manifest(repository: string, reference: string): Promise<Manifest | undefined>;
  /** Labels of an image; of an index, those of its image for `platform`, else of the first. */
  labels(input: {
    repository: string;
    manifest: Manifest;
    platform?: string;
  }): Promise<Record<string, string>>;
  /** Resolves where the registry answers at all. */
  ping(): Promise<void>;
}

/** Registries on this machine speak plain HTTP, as Docker itself takes it. */
export const registryUrl = (host: string): string =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host) ? `http://${host}` : `https://${host}`;

export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/**
 * @param signal ends every request
 * @throws {RegistryError} for an answer other than 200 and 404; fetch's own errors where there is none
 */
export function createRegistry(input: { login: RegistryLogin; signal?: AbortSignal }): Registry {
  const { host, username, password } = input.login;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

  const get = async (path: string, accept?: readonly string[]): Promise<Response> => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    return await fetch(`${registryUrl(host)}/v2/${path}`, {
      headers: { authorization, ...(accept ? { accept: accept.join(', ') } : {}) },
      signal: input.signal ? AbortSignal.any([timeout, input.signal]) : timeout,
    });
  };

  const manifest: Registry['manifest'] = async (repository, reference) => {
    const response = await get(`${repository}/manifests/${encodeURIComponent(reference)}`, MANIFEST_TYPES);
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    const bytes = await read(response, `the manifest of ${repository}:${reference}`);
    const digest = sha256(bytes);
    if (reference.startsWith('sha256:') && digest !== reference) {
      throw new RegistryError(502, `the registry gave another manifest than ${repository}@${reference}`);
    }
    return parseManifest(bytes.toString('utf8'), digest);
  };

  const labels: Registry['labels'] = async ({ repository, manifest: image, platform }) => {
    if (image.listed.length > 0) {
      const chosen = image.listed.find((one) => one.platform === platform) ?? image.listed[0];
      const inner = chosen && (await manifest(repository, chosen.digest));
      // An index within an index is no image.
      return inner?.config ? await labels({ repository, manifest: inner }) : {};
    }
    if (!image.config) return {};
    const response = await get(`${repository}/blobs/${image.config}`);
    const bytes = await read(response, `the image config of ${repository}@${image.digest}`);
    return labelsOf(bytes.toString('utf8'));
  };

  const ping: Registry['ping'] = async () => {
    const response = await get('');
    await response.body?.cancel();
    if (response.status >= 500) throw new RegistryError(response.status, 'the registry does not answer');
  };

  return { host, manifest, labels, ping };
}

async function read(response: Response, what: string): Promise<Buffer> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new RegistryError(response.status, `the registry answered ${response.status} to ${what}`);
  }
  if (Number(response.headers.get('content-length') ?? 0) > LARGEST) {
    await response.body?.cancel();
    throw new RegistryError(502, `${what} is too large`);
  }
  return Buffer.from(await response.arrayBuffer());
}

interface ManifestJson {
  config?: { digest?: string };
  manifests?: {
    digest?: string;
    platform?: { os?: string; architecture?: string; variant?: string };
    annotations?: Record<string, string>;
  }[];
}

/**
 * @param digest of the text's bytes
 * @throws {RegistryError} where the text is no manifest
 */
export function parseManifest(text: string, digest: string): Manifest {
  const json = parse<ManifestJson>(text, 'the manifest');
  const listed = (json.manifests ?? []).flatMap(({ digest: one, platform, annotations }) => {
    const isImage = one && !annotations?.['vnd.docker.reference.type'] && platform?.os !== 'unknown';
    if (!isImage) return [];
    const name = platform && [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
    return [{ digest: one, ...(name ? { platform: name } : {}) }];
  });
  return { digest, listed, ...(json.config?.digest ? { config: json.config.digest } : {}) };
}

function labelsOf(text: string): Record<string, string> {
  const { config } = parse<{ config?: { Labels?: Record<string, unknown> | null } }>(
    text,
    'the image config',
  );
  return Object.fromEntries(
    Object.entries(config?.Labels ?? {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    ),
  );
}

function parse<T extends object>(text: string, what: string): T {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null) return json as T;
  } catch {
    // falls through: both are no answer of a registry
  }
  throw new RegistryError(502, `${what} is no JSON`);
}
