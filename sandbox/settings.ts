/** The sandbox's world: Openverse's names, two clusters, three people. */
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { stringify } from 'yaml';
import type { Seed } from './aws/index.js';
import type { OAuthAppOptions } from './github/caller.js';
import type { UserOptions } from './github/state.js';
import { TESTS_WORKFLOW } from './sample/files.js';

export const ORG = 'WordPress';
export const TEAM = 'openverse-maintainers';
export const REPOSITORY = 'openverse';
export const SLACK = {
  token: 'xoxb-sandbox-5f0c2a9d7e41',
  channel: { name: 'deployments', id: 'C0DEPLOY01' },
} as const;
/** Of nothing but the stand-in's EventBridge. */
export const ECS_WEBHOOK_SECRET = 'sandbox-ecs-webhook-0c4e6a1b9d2f7e53';
export const ENVIRONMENTS = ['staging', 'production'] as const;

/** Tokens of nothing but the stand-in. */
export const PEOPLE = {
  alice: { login: 'alice', token: 'ghp_sandboxTokenOfAlice0000000000000000', team: 'active' },
  bob: { login: 'bob', token: 'ghp_sandboxTokenOfBob000000000000000000', team: 'active' },
  mallory: { login: 'mallory', token: 'ghp_sandboxTokenOfMallory00000000000000' },
  sluice: {
    login: 'sluice',
    token: 'ghp_sandboxTokenOfSluice000000000000000',
    team: 'active',
    signsIn: false,
  },
} as const satisfies Record<string, UserOptions>;

/** Sluice's own OAuth app at the stand-in. */
export const OAUTH_APP = {
  clientId: 'Ov23liSandbox0000000',
  clientSecret: 'sandboxSecretOfTheOAuthApp00000000000000',
  name: 'Sluice',
  callbackUrl: 'http://127.0.0.1/auth/callback',
} as const satisfies OAuthAppOptions;

/** Of nothing but the sandbox. */
export const SECRETS = {
  /** Signs what the stand-in of GitHub tells. */
  webhook: 'sandboxSecretOfTheWebhook000000000000000',
  /** Encrypts the browsers' cookies. */
  session: 'sandboxSecretOfTheSessions00000000000000',
} as const;

/** What the webhook of the sandbox's repository is told of. */
export const WEBHOOK_EVENTS = ['push', 'pull_request', 'workflow_run'];

/** Of nothing but the stand-in, which takes any. */
export const AWS_KEYS = {
  id: 'AKIASANDBOX000000000',
  secret: 'sandboxSecretAccessKey0000000000000000000',
} as const;

interface SandboxApp {
  service: string;
  /** Container → repository. */
  containers: Record<string, string>;
  /** Container → stage of its Dockerfile, where it is not the last. */
  targets?: Record<string, string>;
  /** The container that requests come to. */
  front: string;
}

export const SERVICES: Record<'api' | 'frontend', SandboxApp> = {
  api: {
    service: 'api',
    containers: { django: 'openverse-api', nginx: 'openverse-api_nginx' },
    targets: { nginx: 'nginx' },
    front: 'nginx',
  },
  frontend: { service: 'nuxt', containers: { nuxt: 'openverse-frontend' }, front: 'nuxt' },
};

export const clusterOf = (environment: string): string => `${environment}-default`;
export const serviceOf = (app: keyof typeof SERVICES, environment: string): string =>
  `${environment}-${SERVICES[app].service}`;

/** What ran before Sluice came: in the registry under this tag; built of the sample's first commit. */
export const FIRST_TAG = 'before-sluice';

function template(
  app: keyof typeof SERVICES,
  environment: string,
  registry: string,
): RegisterTaskDefinitionCommandInput {
  return {
    family: `${serviceOf(app, environment)}-template`,
    networkMode: 'bridge',
    containerDefinitions: Object.entries(SERVICES[app].containers).map(([name, repository]) => ({
      name,
      image: `${registry}/${repository}:${FIRST_TAG}`,
      essential: true,
      memory: 64,
      ...(name === SERVICES[app].front ? { portMappings: [{ containerPort: 8080, hostPort: 0 }] } : {}),
      environment: [{ name: 'ENVIRONMENT', value: environment }],
    })),
    tags: [{ key: 'owner', value: 'terraform' }],
  };
}

/** Repositories, a first image each, templates, and services that run it. @param first release of the first images */
export function seedOf(registry: string, first: string = FIRST_TAG): Seed {
  const apps = Object.keys(SERVICES) as (keyof typeof SERVICES)[];
  const places = apps.flatMap((app) => ENVIRONMENTS.map((environment) => ({ app, environment })));
  const repositories = apps.flatMap((app) => Object.values(SERVICES[app].containers));
  const definitions = places.map(({ app, environment }) => template(app, environment, registry));
  return {
    repositories: [...repositories, 'openverse-ingestion_server'],
    images: repositories.map((repository) => ({ repository, tag: FIRST_TAG, release: first })),
    taskDefinitions: definitions,
    services: places.map(({ app, environment }, at) => ({
      cluster: clusterOf(environment),
      service: serviceOf(app, environment),
      taskDefinition: { ...definitions[at]!, family: serviceOf(app, environment) },
      desired: 2,
    })),
  };
}

export interface ConfigInput {
  cloneUrl: string;
  /** `host:port` */
  registry: string;
  /** Base of a service's address. */
  urlOf: (ref: { cluster: string; service: string }) => string;
}

/** Tested by the sample's workflow, whose run is found by its marker; production waits for a maintainer. */
const PROMOTED = {
  tests: {
    github: {
      workflow: TESTS_WORKFLOW,
      inputs: { service_url: '{staging.url}', release: '{release}', marker: '{marker}' },
    },
  },
  promotion: { queue: 'latest', approval: 'required' },
};

/** The text of the sandbox's `sluice.yaml`. */
export function configOf({ cloneUrl, registry, urlOf }: ConfigInput): string {
  const place = (app: keyof typeof SERVICES, environment: string) => {
    const service = serviceOf(app, environment);
    const url = urlOf({ cluster: clusterOf(environment), service });
    return { service, url, versionUrl: `${url}/version.json` };
  };
  const environments = (app: keyof typeof SERVICES) =>
    Object.fromEntries(ENVIRONMENTS.map((environment) => [environment, place(app, environment)]));
  const config = {
    repository: { owner: ORG, name: REPOSITORY, branch: 'main', cloneUrl },
    maintainers: { org: ORG, team: TEAM },
    access: { read: 'maintainers' },
    aws: { region: 'us-east-1', registry },
    environments: Object.fromEntries(ENVIRONMENTS.map((name) => [name, { cluster: clusterOf(name) }])),
    apps: {
      api: {
        paths: ['api/**'],
        images: [
          { container: 'django', repository: 'openverse-api', context: 'api' },
          { container: 'nginx', repository: 'openverse-api_nginx', context: 'api', target: 'nginx' },
        ],
        environments: environments('api'),
        ...PROMOTED,
      },
      frontend: {
        paths: ['frontend/**'],
        images: [{ container: 'nuxt', repository: 'openverse-frontend', context: 'frontend' }],
        environments: environments('frontend'),
        ...PROMOTED,
      },
      ingestion_server: {
        paths: ['ingestion_server/**'],
        images: [
          {
            container: 'ingestion_server',
            repository: 'openverse-ingestion_server',
            context: 'ingestion_server',
          },
        ],
        releaseOnly: true,
      },
    },
    limits: { verify: '20s', callsPerSecond: 10 },
  };
  // Written out for each app, as a person would.
  return stringify(config, { aliasDuplicateObjects: false });
}
