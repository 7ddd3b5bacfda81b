/** The images of this builder: blobs by digest, and references to manifests. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuilderError } from './error.mjs';

export const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export function openStore(root) {
  const blobPath = (digest) => join(root, 'blobs', digest.replace(':', '-'));
  const referencePath = (reference) => join(root, 'references', encodeURIComponent(reference));

  /** Written aside and moved: other builds of the set use the same store at the same time. */
  const write = async (folder, path, bytes) => {
    await mkdir(join(root, folder), { recursive: true });
    const aside = join(root, folder, `.${randomUUID()}`);
    await writeFile(aside, bytes);
    await rename(aside, path);
  };

  return {
    async put(bytes) {
      const digest = digestOf(bytes);
      await write('blobs', blobPath(digest), bytes);
      return { digest, size: bytes.length };
    },

    get: (digest) => readFile(blobPath(digest)),

    tag: (reference, digest) => write('references', referencePath(reference), digest),

    async resolve(reference) {
      try {
        return await readFile(referencePath(reference), 'utf8');
      } catch {
        throw new BuilderError(`An image does not exist locally with the tag: ${reference}`);
      }
    },
  };
}
