/** Step `build`: one activity from the commit to the digests, so that no build depends on which worker goes on. */
import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Context } from '@temporalio/activity';
import type { Aws } from '../../clients/aws.js';
import type { AppConfig, Config, ImageConfig } from '../../domain/config/config.js';
import type { BuiltImage } from '../../domain/messages.js';
import { scrubber } from '../../domain/scrub.js';
import { createRegistryAccess } from '../ecr/registry.js';
import type { RegistryAccess } from '../ecr/registry.js';
import { later, refuse } from '../failure.js';
import { createMirror } from '../git/mirror.js';
import type { Mirror } from '../git/mirror.js';
import { hasBuildKit, requireDocker } from './daemon.js';
import { withDockerEnvironment } from './environment.js';
import { buildImage, findBuilt } from './image.js';
import { mapLimited } from './limited.js';
import { prepare } from './prepare.js';
import { Progress } from './progress.js';

/** How often CI is looked for, where it builds. */
const EXTERNAL_POLL_MS = 10_000;

export interface BuildImagesInput {
  app: string;
  /** 40 hex. */
  commit: string;
}

export interface BuiltSet {
  /** In the order of the configuration. */
  images: BuiltImage[];
  /** Repositories whose image was there with this revision. */
  kept: string[];
  /** Last output, scrubbed; at most 20 lines. */
  lastLines: string[];
}

export interface BuildActivities {
  /**
   * Builds and pushes what the registry lacks of the app's image set. Safe to repeat: what was pushed is kept.
   * Heartbeats `BuildProgress`; cancelled, it ends its processes before it returns.
   * @throws ApplicationFailure `NOT_ON_BRANCH`, `CLONE_FAILED`, `BUILD_FAILED` (details: `{ lastLines }`),
   *   `AWS_REFUSED`; retryable `NO_BUILD_WORKER`, `REGISTRY_DOWN`, `AWS_DOWN`, `BUILDING` (CI builds it)
   */
  buildImages(input: BuildImagesInput): Promise<BuiltSet>;
}

export interface BuildDeps {
  config: Config;
  aws: Pick<Aws, 'ecr'>;
  registry?: RegistryAccess;
  mirror?: Mirror;
  env?: NodeJS.ProcessEnv;
  /** For clones over HTTPS. */
  token?: () => Promise<string | undefined>;
}

type Work = Required<Omit<BuildDeps, 'token'>>;

export function createBuildActivities(deps: BuildDeps): BuildActivities {
  const { config, env = process.env } = deps;
  const work: Work = {
    config,
    aws: deps.aws,
    env,
    registry: deps.registry ?? createRegistryAccess(deps),
    mirror:
      deps.mirror ??
      createMirror({ repository: config.repository, env, ...(deps.token ? { token: deps.token } : {}) }),
  };
  return {
    buildImages: async (input) => {
      try {
        return await buildImages(work, input);
      } catch (error) {
        // Whatever broke off because of it: it was cancelled.
        Context.current().cancellationSignal.throwIfAborted();
        throw error;
      }
    },
  };
}

interface Job {
  app: AppConfig;
  commit: string;
  progress: Progress;
  signal: AbortSignal;
}

async function buildImages(deps: Work, { app: name, commit }: BuildImagesInput): Promise<BuiltSet> {
  const app = deps.config.apps[name];
  if (!app) throw refuse('NOT_FOUND', `No app ${name} is configured`);
  const signal = Context.current().cancellationSignal;
  const progress = new Progress(scrubber(await knownSecrets(deps, app)));
  return await progress.during(async () => {
    await requireOnBranch(deps, commit, signal);
    const registry = await deps.registry.open(signal);
    const external = app.build === 'external';
    const found = await Promise.all(
      app.images.map(async (image) => await findBuilt({ registry, image, commit, anyRevision: external })),
    );
    const missing = app.images.filter((_, index) => !found[index]);
    if (external && missing.length > 0) {
      const names = missing.map(({ repository }) => `${repository}:${commit}`).join(', ');
      throw later('BUILDING', `CI has not pushed ${names} yet`, EXTERNAL_POLL_MS);
    }
    const built =
      missing.length === 0 ? [] : await buildMissing(deps, { app, commit, progress, signal }, missing);
    const kept = found.filter((image) => image !== undefined);
    const byRepository = new Map([...kept, ...built].map((image) => [image.repository, image]));
    return {
      images: app.images.flatMap(({ repository }) => byRepository.get(repository) ?? []),
      kept: kept.map(({ repository }) => repository),
      lastLines: progress.lines,
    };
  });
}

async function requireOnBranch(deps: Work, commit: string, signal: AbortSignal): Promise<void> {
  if (await deps.mirror.isOnBranch(commit, signal)) return;
  const { owner, name, branch } = deps.config.repository;
  throw refuse(
    'NOT_ON_BRANCH',
    `${commit} is not a commit on ${branch} of ${owner}/${name}: merge it, or name one that is`,
  );
}

async function buildMissing(deps: Work, job: Job, missing: ImageConfig[]): Promise<BuiltImage[]> {
  const { app, commit, progress, signal } = job;
  const login = await deps.registry.login();
  return await withDockerEnvironment({ env: deps.env, login }, async (environment) => {
    await requireDocker(environment, signal);
    const buildkit = await hasBuildKit(environment, signal);
    const secrets = missing.map((image) => buildSecrets(deps.env, image, buildkit));
    return await deps.mirror.withCheckout({ commit, signal }, async (directory) => {
      const source = await realpath(directory);
      const prepared = await prepare({ commands: app.prepare, source, environment, progress, signal });
      const registry = await deps.registry.open(signal);
      return await mapLimited(
        { items: missing, limit: Math.max(2, availableParallelism()), signal },
        (image, index, ends) =>
          buildImage({
            image,
            commit,
            repository: deps.config.repository,
            registry,
            source,
            prepared,
            buildkit,
            environment,
            secrets: secrets[index] ?? {},
            progress,
            signal: ends,
          }),
      );
    });
  });
}

/** @throws ApplicationFailure `BUILD_FAILED` where the image asks for what this worker cannot give */
function buildSecrets(env: NodeJS.ProcessEnv, image: ImageConfig, buildkit: boolean): Record<string, string> {
  const { repository, secrets, buildContexts } = image;
  if (!buildkit && (secrets.length > 0 || Object.keys(buildContexts).length > 0)) {
    throw refuse(
      'BUILD_FAILED',
      `${repository} uses buildContexts or secrets, which need BuildKit: install docker buildx on the build worker`,
      { lastLines: [] },
    );
  }
  return Object.fromEntries(
    secrets.map(({ id, env: name }) => {
      const value = env[name];
      if (value !== undefined) return [name, value];
      throw refuse(
        'BUILD_FAILED',
        `${repository}: the build worker has no variable ${name} for the secret ${id}`,
        {
          lastLines: [],
        },
      );
    }),
  );
}

/** Everything secret that a build could print. */
async function knownSecrets(deps: Work, app: AppConfig): Promise<(string | undefined)[]> {
  const { username, password } = await deps.registry.login();
  return [
    password,
    `${username}:${password}`,
    deps.env['GITHUB_TOKEN'],
    deps.env['AWS_SECRET_ACCESS_KEY'],
    deps.env['AWS_SESSION_TOKEN'],
    ...app.images.flatMap(({ secrets }) => secrets.map(({ env }) => deps.env[env])),
  ];
}
