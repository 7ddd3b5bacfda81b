/** What ran before Sluice came, as images that Docker can run; and what a registry's images leave in Docker. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SampleRepository } from './sample/repository.js';
import { FIRST_TAG, SERVICES } from './settings.js';

const run = promisify(execFile);
const BUILDER = fileURLToPath(new URL('docker/main.mjs', import.meta.url));
const REVISION = 'org.opencontainers.image.revision';

export interface FirstImagesInput {
  /** `host:port`; its repositories are there already. */
  registry: string;
  sample: SampleRepository;
  /** For the builder's layers. */
  directory: string;
}

/** Builds what the sample's work tree holds and pushes it; by our own builder, which is quicker than Docker's. */
export async function pushFirstImages({ registry, sample, directory }: FirstImagesInput): Promise<void> {
  const builder = (...args: string[]): Promise<unknown> =>
    run(process.execPath, [BUILDER, ...args], {
      env: { PATH: process.env.PATH, HOME: directory, SLUICE_DOCKER_STORE: join(directory, 'first-images') },
      timeout: 60_000,
    });
  const source = fileURLToPath(sample.cloneUrl);
  const images = Object.entries(SERVICES).flatMap(([app, { containers, targets }]) =>
    Object.entries(containers).map(([name, repository]) => ({ app, target: targets?.[name], repository })),
  );
  const build = async ({ app, target, repository }: (typeof images)[number]): Promise<void> => {
    const reference = `${registry}/${repository}:${FIRST_TAG}`;
    const { first } = sample.commits;
    const marks = ['--build-arg', `SEMANTIC_VERSION=${first}`, '--label', `${REVISION}=${first}`];
    const stage = target ? ['--target', target] : [];
    await builder('build', '-t', reference, ...stage, ...marks, join(source, app));
    await builder('push', reference);
  };
  await Promise.all(images.map(build));
}

/** Docker keeps what was built for a registry and pulled from it; nobody needs that once the registry is gone. */
export async function removeImagesOf(registry: string): Promise<void> {
  const format = '{{.Repository}}\t{{.Tag}}\t{{.Digest}}';
  const { stdout } = await run('docker', ['images', '--digests', '--format', format, `${registry}/*`], {
    timeout: 20_000,
  });
  const references = stdout.split('\n').flatMap((line) => {
    const [repository = '', tag = '<none>', digest = '<none>'] = line.split('\t');
    return [`${repository}:${tag}`, `${repository}@${digest}`].filter((name) => !/<none>|^[:@]/.test(name));
  });
  // One that is gone already, with another of its names, does not keep the others.
  if (references.length > 0)
    await run('docker', ['rmi', '-f', ...references], { timeout: 60_000 }).catch(() => undefined);
}
