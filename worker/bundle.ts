/** The workflows' code as Temporal runs it: one file, built once for a state of the sources and kept. */
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** What the bundle may hold of ours (design §11). */
const SOURCES = ['workflows', 'domain'];
/** A worker that just started from one of them may not have read it yet. */
const KEEP_MS = 24 * 3_600_000;

export interface WorkflowBundle {
  /** For `Worker.create({ workflowBundle })` and `Worker.runReplayHistories`. */
  codePath: string;
}

/**
 * Builds `workflows/index.ts` into `build/`, or finds what was built from the same sources and SDK.
 * Any number of processes may call it at once: a file appears whole or not at all.
 */
export async function workflowBundle({ root = ROOT }: { root?: string } = {}): Promise<WorkflowBundle> {
  const directory = join(root, 'build');
  const name = `workflows-${await fingerprint(root)}.js`;
  const codePath = join(directory, name);
  if (await exists(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows', 'index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  await mkdir(directory, { recursive: true });
  const half = `${codePath}.${randomUUID()}`;
  await writeFile(half, code);
  await rename(half, codePath);
  await removeOld(directory);
  return { codePath };
}

async function fingerprint(root: string): Promise<string> {
  const hash = createHash('sha256');
  const sdk = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  hash.update(sdk.version);
  for (const folder of SOURCES) {
    const entries = await readdir(join(root, folder), { recursive: true });
    for (const entry of entries.filter((path) => path.endsWith('.ts')).sort()) {
      hash.update(`\0${folder}/${entry}\0`).update(await readFile(join(root, folder, entry)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function removeOld(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!/^workflows-[0-9a-f]{16}\.js/.test(name)) continue;
    const { mtimeMs } = await stat(join(directory, name)).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > KEEP_MS) await rm(join(directory, name), { force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
