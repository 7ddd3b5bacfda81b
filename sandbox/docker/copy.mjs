/** COPY: files of the build context, or of another stage, at their place in the image. */
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join, posix, sep } from 'node:path';
import { BuilderError } from './error.mjs';

/**
 * @param {{ context: string, files?: Map<string, { content: Buffer, mode: number }>, sources: string[],
 *   target: string, workdir: string }} input `files`: those of the stage that is copied from
 * @returns {Promise<Map<string, { content: Buffer, mode: number }>>} by path without a leading slash
 */
export async function copySources({ context, files, sources, target, workdir }) {
  if (sources.length === 0 || !target) throw new BuilderError('COPY requires at least two arguments');
  const intoFolder = target.endsWith('/') || target === '.' || sources.length > 1;
  const base = posix
    .join('/', target.startsWith('/') ? '' : workdir, target)
    .slice(1)
    .replace(/\/$/, '');
  const copied = new Map();
  for (const source of sources) {
    const found = files ? fromStage(files, source) : await fromContext(context, source);
    if (found.size === 0) throw missing(source);
    for (const [inner, file] of found) {
      const path =
        inner === '' ? (intoFolder ? posix.join(base, basename(source)) : base) : posix.join(base, inner);
      copied.set(path, file);
    }
  }
  return copied;
}

const missing = (source) =>
  new BuilderError(
    `COPY failed: file not found in build context or excluded by .dockerignore: stat ${source}: file does not exist`,
  );

/** Inner path '' is the source itself, where it is a file. */
async function fromContext(context, source) {
  const root = await realpath(context);
  const path = await realpath(join(root, source)).catch(() => {
    throw missing(source);
  });
  if (path !== root && !path.startsWith(root + sep)) {
    throw new BuilderError(`COPY failed: forbidden path outside the build context: ${source}`);
  }
  const found = new Map();
  await collect(path, '', found);
  return found;
}

async function collect(path, inner, found) {
  const stats = await lstat(path);
  if (stats.isDirectory()) {
    for (const name of await readdir(path)) await collect(join(path, name), posix.join(inner, name), found);
  } else if (stats.isFile()) {
    found.set(inner, { content: await readFile(path), mode: stats.mode & 0o755 });
  }
}

function fromStage(files, source) {
  const wanted = posix.join('/', source).slice(1).replace(/\/$/, '');
  const found = new Map();
  for (const [path, file] of files) {
    if (path === wanted) found.set('', file);
    else if (wanted === '' || path.startsWith(`${wanted}/`))
      found.set(path.slice(wanted && wanted.length + 1), file);
  }
  return found;
}
