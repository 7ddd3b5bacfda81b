/** The dashboard as browsers load it: built once for a state of its sources, and kept. */
import { createHash, randomUUID } from 'node:crypto';
import { access, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** What it is made of (design §11). */
const SOURCES = ['dashboard', 'domain'];
const PACKAGES = ['vite', 'preact'];
/** A process that just started from one of them may still serve it. */
const KEEP_MS = 24 * 3_600_000;
const COMPRESSED = /\.(js|css|html|svg)$/;

/**
 * Builds `dashboard/` into `build/`, or finds what was built from the same sources.
 * Any number of processes may call it at once: a folder appears whole or not at all.
 * @returns the folder that holds `index.html` and `assets/`
 */
export async function buildDashboard({ root = ROOT }: { root?: string } = {}): Promise<string> {
  const into = join(root, 'build');
  const directory = join(into, `dashboard-${await fingerprint(root)}`);
  if (await exists(directory)) return directory;
  const half = join(into, `dashboard-half-${randomUUID()}`);
  try {
    await bundle(root, half);
    await compress(half);
    await rename(half, directory);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another process was faster.
    if (!(await exists(directory))) throw error;
  }
  await removeOld(into, directory);
  return directory;
}

async function bundle(root: string, outDir: string): Promise<void> {
  // Loaded only where something is to be built: an image that holds the result starts without it.
  const { build } = await import('vite');
  await build({
    configFile: false,
    envFile: false,
    root: join(root, 'dashboard'),
    base: '/',
    publicDir: false,
    // What fails is thrown, and said by who asked.
    logLevel: 'silent',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      // The content security policy allows files of ours, and nothing within the page.
      assetsInlineLimit: 0,
      modulePreload: false,
      reportCompressedSize: false,
    },
  });
}

/** Beside each file its compressed forms: `@fastify/static` sends what the browser takes. */
async function compress(directory: string): Promise<void> {
  const files = (await readdir(directory, { recursive: true })).filter((file) => COMPRESSED.test(file));
  for (const file of files) {
    const path = join(directory, file);
    const content = await readFile(path);
    await writeFile(`${path}.br`, await promisify(brotliCompress)(content));
    await writeFile(`${path}.gz`, await promisify(gzip)(content));
  }
}

async function fingerprint(root: string): Promise<string> {
  const hash = createHash('sha256');
  const require = createRequire(import.meta.url);
  for (const name of PACKAGES) hash.update((require(`${name}/package.json`) as { version: string }).version);
  hash.update(await readFile(fileURLToPath(import.meta.url)));
  for (const folder of SOURCES) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    for (const path of paths.sort())
      hash.update(`\0${path.slice(root.length)}\0`).update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}

async function removeOld(into: string, current: string): Promise<void> {
  for (const name of await readdir(into)) {
    const path = join(into, name);
    if (!/^dashboard-(half-)?[0-9a-f-]+$/.test(name) || path === current) continue;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > KEEP_MS) await rm(path, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
