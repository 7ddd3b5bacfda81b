/** The registry's HTTP API v2, as `docker push` and `docker pull` speak it, over the image store. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { digestOf, mediaTypeOf } from './image-store.js';
import type { ImageStore } from './image-store.js';
import { readBody, sendJson } from './protocol.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const refuse = (response: ServerResponse, status: number, code: string, message: string): void =>
  sendJson(response, status, { errors: [{ code, message }] });

/** No name and password are asked for. As at ECR, a repository has to be there before it is pushed to. */
export function createRegistry(store: ImageStore): Handler {
  const uploads = new Map<string, Buffer[]>();
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://registry');
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    if (/^\/v2\/?$/.test(url.pathname)) return sendJson(response, 200, {});
    const match = /^\/v2\/(.+?)\/(manifests|blobs|tags)\/(.+)$/.exec(url.pathname);
    if (!match) return refuse(response, 404, 'UNSUPPORTED', 'no such route');
    const [, name = '', kind, rest = ''] = match;
    if (!store.repository(name))
      return refuse(response, 404, 'NAME_UNKNOWN', `the repository with name '${name}' does not exist`);
    if (kind === 'tags') return listTags(store, name, response);
    if (kind === 'manifests') return manifests(store, { name, reference: rest }, request, response);
    if (rest.startsWith('uploads')) return upload({ store, uploads, name, url }, request, response);
    return blobs(store, rest, request, response);
  };
}

const VERBS: Record<string, string> = { GET: 'Get', HEAD: 'Head', PUT: 'Put', POST: 'Post', PATCH: 'Patch' };

/** What a request does, in one word: `PutManifest` is what a push of an image ends with. */
export function registryOperation({ url = '', method = '' }: { url?: string; method?: string }): string {
  const kind = /\/(manifests|blobs\/uploads|blobs|tags)(\/|$|\?)/.exec(url)?.[1];
  const noun = { manifests: 'Manifest', 'blobs/uploads': 'Upload', blobs: 'Blob', tags: 'Tags' }[kind ?? ''];
  return `${VERBS[method] ?? method}${noun ?? 'Version'}`;
}

function listTags(store: ImageStore, name: string, response: ServerResponse): void {
  sendJson(response, 200, { name, tags: [...(store.repository(name)?.tags.keys() ?? [])].sort() });
}

async function manifests(
  store: ImageStore,
  { name, reference }: { name: string; reference: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'PUT') {
    const bytes = await readBody(request);
    const missing = store.missingParts(name, bytes);
    if (missing.length > 0)
      return refuse(response, 400, 'MANIFEST_BLOB_UNKNOWN', `unknown: ${missing.join(', ')}`);
    const byDigest = reference.startsWith('sha256:');
    if (byDigest && reference !== digestOf(bytes))
      return refuse(response, 400, 'DIGEST_INVALID', 'the digest is not that of the manifest');
    const mediaType = mediaTypeOf(bytes, request.headers['content-type']);
    const { digest } = store.putManifest({
      repository: name,
      bytes,
      mediaType,
      tag: byDigest ? undefined : reference,
    });
    response.writeHead(201, { location: `/v2/${name}/manifests/${digest}`, 'docker-content-digest': digest });
    return void response.end();
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'UNSUPPORTED', 'this registry deletes by ECR only');
  const manifest = store.manifest(name, reference);
  if (!manifest) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  response.writeHead(200, {
    'content-type': manifest.mediaType,
    'content-length': manifest.bytes.length,
    'docker-content-digest': manifest.digest,
  });
  response.end(request.method === 'HEAD' ? undefined : manifest.bytes);
}

function blobs(store: ImageStore, digest: string, request: IncomingMessage, response: ServerResponse): void {
  const blob = store.blobs.get(digest);
  if (!blob) return refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': blob.length,
    'docker-content-digest': digest,
  });
  response.end(request.method === 'HEAD' ? undefined : blob);
}

interface Upload {
  store: ImageStore;
  uploads: Map<string, Buffer[]>;
  name: string;
  url: URL;
}

async function upload(
  { store, uploads, name, url }: Upload,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  const digest = url.searchParams.get('digest') ?? undefined;
  const mounted = url.searchParams.get('mount');
  const id = url.pathname.split('/uploads/')[1] || undefined;
  const finish = (bytes: Buffer): void => {
    if (digestOf(bytes) !== digest)
      return refuse(response, 400, 'DIGEST_INVALID', 'the digest is not that of the content');
    store.putBlob(bytes);
    response.writeHead(201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest });
    response.end();
  };
  if (request.method === 'POST') {
    if (mounted && store.blobs.has(mounted)) {
      response.writeHead(201, { location: `/v2/${name}/blobs/${mounted}`, 'docker-content-digest': mounted });
      return void response.end();
    }
    if (digest) return finish(body);
    const session = randomUUID();
    uploads.set(session, []);
    return progress(response, name, session, 0);
  }
  const chunks = id ? uploads.get(id) : undefined;
  if (!id || !chunks) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
  if (body.length > 0) chunks.push(body);
  if (request.method !== 'PUT') {
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return progress(response, name, id, size);
  }
  uploads.delete(id);
  finish(Buffer.concat(chunks));
}

function progress(response: ServerResponse, name: string, id: string, size: number): void {
  response.writeHead(202, {
    location: `/v2/${name}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': id,
    'content-length': 0,
  });
  response.end();
}
