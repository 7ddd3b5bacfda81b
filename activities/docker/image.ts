/** One image of the set: kept where the registry has it with this revision, else built and pushed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../../clients/registry.js';
import type { Config, ImageConfig } from '../../domain/config/config.js';
import type { BuiltImage } from '../../domain/messages.js';
import { REVISION_LABEL } from '../../domain/tags.js';
import { registryFailure } from '../ecr/registry.js';
import { later, refuse } from '../failure.js';
import { run } from '../run.js';
import type { Ran } from '../run.js';
import { buildArguments, references } from './command.js';
import { requireDocker } from './daemon.js';
import type { Output, Progress } from './progress.js';

const PUSH_TRIES = 3;
const PAUSE_MS = 1_000;

/** @returns undefined where the registry lacks it, or holds it with another revision. */
export async function findBuilt(input: {
  registry: Registry;
  image: ImageConfig;
  commit: string;
  /** Somebody else builds it: its tag is enough. */
  anyRevision?: boolean;
}): Promise<BuiltImage | undefined> {
  const { registry, commit } = input;
  const { repository, platform } = input.image;
  try {
    const manifest = await registry.manifest(repository, commit);
    if (!manifest) return undefined;
    const labels = input.anyRevision
      ? {}
      : await registry.labels({ repository, manifest, ...(platform ? { platform } : {}) });
    if (!input.anyRevision && labels[REVISION_LABEL] !== commit) return undefined;
    return { repository, digest: manifest.digest };
  } catch (error) {
    throw registryFailure(error, registry.host);
  }
}

export interface BuildImageInput {
  image: ImageConfig;
  commit: string;
  repository: Config['repository'];
  registry: Registry;
  source: string;
  prepared: Record<string, string>;
  buildkit: boolean;
  environment: Record<string, string>;
  /** Values of the image's build secrets, by name of their variable. */
  secrets: Record<string, string>;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * @returns the digest that the registry answers after the push: Docker's own may differ
 * @throws ApplicationFailure `BUILD_FAILED` with `lastLines`; retryable `NO_BUILD_WORKER`, `REGISTRY_DOWN`
 */
export async function buildImage(input: BuildImageInput): Promise<BuiltImage> {
  const { image, commit, registry, progress } = input;
  const output = progress.output(image.repository);
  progress.enter('build', image.repository);
  const args = await buildArguments({ ...input, registry: registry.host });
  const ran = await docker(input, args, output);
  if (ran.code !== 0) {
    await requireDocker(input.environment, input.signal);
    throw failed(`${image.repository} could not be built`, output);
  }
  progress.enter('push', image.repository);
  for (const reference of references(image, registry.host, commit)) await push(input, reference, output);
  const built = await findBuilt({ registry, image, commit });
  if (!built)
    throw later('REGISTRY_DOWN', `${registry.host} took ${image.repository}:${commit} and does not hold it`);
  return built;
}

/** The exit code tells not why: whether trying again can help is asked of the daemon and the registry. */
async function push(input: BuildImageInput, reference: string, output: Output): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const ran = await docker(input, ['push', reference], output);
    if (ran.code === 0) return;
    if (attempt === PUSH_TRIES) break;
    await sleep(PAUSE_MS * attempt);
    input.signal.throwIfAborted();
  }
  await requireDocker(input.environment, input.signal);
  await input.registry.ping().catch((error: unknown) => {
    throw registryFailure(error, input.registry.host);
  });
  throw failed(`${reference} could not be pushed`, output);
}

async function docker(input: BuildImageInput, args: string[], output: Output): Promise<Ran> {
  const ran = await run({
    command: 'docker',
    args,
    cwd: input.source,
    signal: input.signal,
    onLine: output.add,
    env: {
      ...input.environment,
      ...input.secrets,
      DOCKER_BUILDKIT: input.buildkit ? '1' : '0',
      // A provenance record would make an index of every image.
      BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
    },
  });
  input.signal.throwIfAborted();
  return ran;
}

const failed = (what: string, output: Output): Error =>
  refuse('BUILD_FAILED', `${what}: ${meaningful(output.lines)}`, { lastLines: output.lines });

const COMPLAINT = /\b(error|failed|fatal|denied|not found|non-zero code|cannot|unknown|invalid|no such)\b/i;

/** The last line that complains; builders print advice and addresses after it. */
const meaningful = (lines: string[]): string =>
  lines.findLast((line) => COMPLAINT.test(line)) ?? lines.at(-1) ?? 'it printed nothing';
