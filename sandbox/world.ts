/** What Sluice works with, on this machine: Temporal's real dev server, stand-ins for AWS and GitHub, a repository. */
import { rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceRef } from './aws/index.js';
import type { GitHubStandIn } from './github/server.js';
import { startGitHubStandIn } from './github/server.js';
import type { SampleRepository } from './sample/repository.js';
import { makeSampleRepository } from './sample/repository.js';
import {
  AWS_KEYS,
  configOf,
  ECS_WEBHOOK_SECRET,
  OAUTH_APP,
  ORG,
  PEOPLE,
  REPOSITORY,
  SECRETS,
  SLACK,
  TEAM,
} from './settings.js';
import type { SlackStandIn } from './slack/server.js';
import { startSlackStandIn } from './slack/server.js';
import type { DevServer } from './temporal/dev-server.js';
import { startDevServer } from './temporal/dev-server.js';

const DOCKER_STAND_IN = fileURLToPath(new URL('docker/bin', import.meta.url));

/** ECS, ECR and a registry, whoever plays them. */
export interface AwsPart {
  /** For `AWS_ENDPOINT_URL`. */
  url: string;
  /** `host:port` for image references. */
  registry: string;
  /** The address of a service, as its load balancer's. */
  serviceUrl(ref: ServiceRef): string;
  close(): Promise<void>;
}

export interface AwsInput {
  sample: SampleRepository;
  /** The world's. */
  directory: string;
}

/** @returns with repositories, templates and services in it */
export type StartAws<Aws extends AwsPart> = (input: AwsInput) => Promise<Aws>;

export interface WorldOptions<Aws extends AwsPart> {
  /** Empty; removed at the end. */
  directory: string;
  uiPort: number;
  startAws: StartAws<Aws>;
  /** Absent: the dev server. */
  startTemporal?: () => Promise<DevServer>;
}

export interface World<Aws extends AwsPart> {
  temporal: DevServer;
  aws: Aws;
  github: GitHubStandIn;
  slack: SlackStandIn;
  sample: SampleRepository;
  /** May be called twice; each waits for the end. */
  close(): Promise<void>;
}

export async function startWorld<Aws extends AwsPart>(options: WorldOptions<Aws>): Promise<World<Aws>> {
  const { directory, uiPort, startAws, startTemporal = () => startDevServer({ uiPort }) } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    await Promise.allSettled(closers.map((one) => one()));
    await rm(directory, { recursive: true, force: true });
  };
  let ending: Promise<void> | undefined;
  const close = (): Promise<void> => (ending ??= end());
  const dir = join(directory, 'openverse');
  const repository = makeSampleRepository(dir);
  const parts = [
    startTemporal(),
    repository.then((sample) => startAws({ sample, directory })),
    repository.then(() =>
      startGitHubStandIn({
        ...{ org: ORG, team: TEAM, users: Object.values(PEOPLE) },
        repository: { owner: ORG, name: REPOSITORY, dir },
        oauthApps: [OAUTH_APP],
      }),
    ),
    startSlackStandIn({ token: SLACK.token, channels: [SLACK.channel] }),
  ] as const;
  const settled = await Promise.allSettled(parts);
  for (const part of settled) if (part.status === 'fulfilled') closers.push(part.value.close);
  try {
    const [temporal, aws, github, slack] = await Promise.all(parts);
    return { temporal, aws, github, slack, sample: await repository, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What Sluice's processes need of this machine's environment, beside PATH. */
const KEPT = [
  ...['HOME', 'TMPDIR', 'LANG', 'XDG_CACHE_HOME'],
  ...['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH'],
];

export interface EnvironmentOptions {
  directory: string;
  usesDocker: boolean;
  /** Where the API will be. */
  apiUrl: string;
  configure: (config: string) => string;
}

/** What Sluice's processes run with, and nothing else of this machine's environment. */
export async function environmentOf(
  world: World<AwsPart>,
  options: EnvironmentOptions,
): Promise<NodeJS.ProcessEnv> {
  const { temporal, aws, github, slack, sample } = world;
  const { directory, usesDocker, apiUrl, configure } = options;
  const config = join(directory, 'sluice.yaml');
  const { cloneUrl } = sample;
  const text = configOf({ cloneUrl, registry: aws.registry, urlOf: (ref) => aws.serviceUrl(ref) });
  await writeFile(config, configure(text));
  const { PATH = '' } = process.env;
  const kept = KEPT.map((name) => [name, process.env[name]] as const).filter(([, value]) => value);
  return {
    ...Object.fromEntries(kept),
    PATH: usesDocker ? PATH : `${DOCKER_STAND_IN}${delimiter}${PATH}`,
    SLUICE_CONFIG: config,
    SLUICE_CACHE: join(directory, 'cache'),
    TEMPORAL_ADDRESS: temporal.address,
    ...(temporal.uiUrl ? { TEMPORAL_UI_URL: temporal.uiUrl } : {}),
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: AWS_KEYS.id,
    AWS_SECRET_ACCESS_KEY: AWS_KEYS.secret,
    GITHUB_API_URL: github.url,
    GITHUB_SERVER_URL: github.url,
    GITHUB_TOKEN: PEOPLE.sluice.token,
    GITHUB_WEBHOOK_SECRET: SECRETS.webhook,
    GITHUB_OAUTH_CLIENT_ID: OAUTH_APP.clientId,
    GITHUB_OAUTH_CLIENT_SECRET: OAUTH_APP.clientSecret,
    SESSION_SECRET: SECRETS.session,
    SLUICE_PUBLIC_URL: apiUrl,
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: SLACK.token,
    SLACK_CHANNEL: SLACK.channel.id,
    ECS_WEBHOOK_SECRET,
  };
}
