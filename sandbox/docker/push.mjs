/** `docker push`: blobs, then the manifest, over the registry's v2 protocol. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BuilderError } from './error.mjs';

export async function push({ store, reference, env }) {
  const { host, repository, tag } = parseReference(reference);
  const digest = await store.resolve(reference);
  const bytes = await store.get(digest);
  const manifest = JSON.parse(bytes.toString('utf8'));
  const registry = await connect(host, env);
  console.log(`The push refers to repository [${host}/${repository}]`);
  for (const blob of [...manifest.layers, manifest.config]) {
    const short = blob.digest.slice('sha256:'.length, 'sha256:'.length + 12);
    const state = await pushBlob(registry, { store, repository, digest: blob.digest });
    if (blob !== manifest.config) console.log(`${short}: ${state}`);
  }
  const response = await registry(`/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: bytes,
  });
  await expectOk(response);
  console.log(`${tag}: digest: ${digest} size: ${bytes.length}`);
}

function parseReference(reference) {
  const [, host, repository, tag] = /^([^/]+)\/(.+):([^:/]+)$/.exec(reference) ?? [];
  if (tag) return { host, repository, tag };
  throw new BuilderError(`invalid reference format: ${reference}`);
}

/** @returns fetch for the registry, logged in as Docker's configuration says; redirects of uploads included */
async function connect(host, env) {
  const secure = !/^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
  const base = `${secure ? 'https' : 'http'}://${host}`;
  const auth = await basicAuth(host, env);
  return async (path, init = {}) => {
    try {
      return await fetch(new URL(path, base), {
        ...init,
        headers: { ...init.headers, ...(auth ? { authorization: `Basic ${auth}` } : {}) },
      });
    } catch (error) {
      throw new BuilderError(
        `Get "${base}/v2/": ${error.cause?.code ?? error.cause?.message ?? error.message}`,
      );
    }
  };
}

async function basicAuth(host, env) {
  try {
    const path = join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
    return JSON.parse(await readFile(path, 'utf8')).auths?.[host]?.auth;
  } catch {
    return undefined;
  }
}

async function pushBlob(registry, { store, repository, digest }) {
  const known = await registry(`/v2/${repository}/blobs/${digest}`, { method: 'HEAD' });
  if (known.status === 200) return 'Layer already exists';
  const started = await registry(`/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  await expectOk(started);
  const location = new URL(started.headers.get('location') ?? '', started.url);
  location.searchParams.set('digest', digest);
  const uploaded = await registry(location, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: await store.get(digest),
  });
  await expectOk(uploaded);
  return 'Pushed';
}

async function expectOk(response) {
  if (response.ok) {
    await response.arrayBuffer();
    return;
  }
  const text = await response.text();
  let words = `received unexpected HTTP status: ${response.status} ${response.statusText}`;
  if (response.status === 401) words = 'no basic auth credentials';
  try {
    const [error] = JSON.parse(text).errors ?? [];
    if (error && response.status !== 401) words = `${String(error.code).toLowerCase()}: ${error.message}`;
  } catch {
    // no error of the registry's form
  }
  throw new BuilderError(words);
}
