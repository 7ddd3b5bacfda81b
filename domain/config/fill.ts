/** From the checked file to `Config`: defaults filled in, durations in milliseconds. */
import type { ConfigFile } from './schema.js';
import type {
  AppConfig,
  Config,
  ImageConfig,
  PromotionConfig,
  ServiceConfig,
  TestsConfig,
} from './config.js';
import { parseDuration } from '../duration.js';
import { familyOf, templateOf } from '../family.js';

type AppFile = ConfigFile['apps'][string];
type ImageFile = AppFile['images'][number];
type ServiceFile = NonNullable<AppFile['environments']>[string];

/** GitHub CLI’s own. Sluice’s, from `GITHUB_OAUTH_CLIENT_ID`, is added where tokens are judged. */
const GITHUB_CLI = '178c6fc778ccc68e1d6a';

/** Openverse's practice. */
const RELEASE_NOTES: Config['releaseNotes'] = {
  label: '🧱 stack: {app}',
  exclude: ['skip-changelog'],
  sections: [
    { title: 'New Features', labels: ['🌟 goal: addition'] },
    { title: 'Improvements', labels: ['✨ goal: improvement'] },
    { title: 'Internal Improvements', labels: ['🤖 aspect: dx', '🧰 goal: internal improvement'] },
    { title: 'Bug Fixes', labels: ['🛠 goal: fix'] },
  ],
  changelogPath: 'documentation/changelogs/{app}/{date}.md',
  pullRequestLabels: [
    '🧱 stack: {app}',
    '🌟 goal: addition',
    '📄 aspect: text',
    '🟩 priority: low',
    'skip-changelog',
  ],
};

/** @param file has passed the schema and the checks */
export function fillConfig(file: ConfigFile, githubUrl: string): Config {
  const { repository, aws } = file;
  const cloneUrl = `${githubUrl.replace(/\/+$/, '')}/${repository.owner}/${repository.name}.git`;
  return {
    repository: { cloneUrl, ...repository },
    maintainers: file.maintainers,
    access: { read: 'maintainers', logs: 'maintainers', oauthClients: [GITHUB_CLI], ...file.access },
    aws,
    environments: mapValues(file.environments, (environment) => ({ region: aws.region, ...environment })),
    apps: mapValues(file.apps, appOf),
    limits: {
      tellAfterMs: ms(file.limits?.tellAfter ?? '15m'),
      giveUpAfterMs: ms(file.limits?.giveUpAfter ?? '60m'),
      verifyMs: ms(file.limits?.verify ?? '2m'),
      callsPerSecond: file.limits?.callsPerSecond ?? 5,
    },
    slack: { users: mapValues(file.slack?.users ?? {}, (member) => member) },
    releaseNotes: { ...RELEASE_NOTES, ...file.releaseNotes },
  };
}

function appOf(app: AppFile): AppConfig {
  const environments = mapValues(app.environments ?? {}, serviceOf);
  const isPromoted = 'staging' in environments && 'production' in environments;
  return {
    paths: app.paths,
    images: app.images.map(imageOf),
    environments,
    releaseOnly: app.releaseOnly ?? false,
    build: app.build ?? 'sluice',
    prepare: app.prepare ?? [],
    ...(app.runbookUrl === undefined ? {} : { runbookUrl: app.runbookUrl }),
    ...(app.tests ? { tests: testsOf(app.tests) } : {}),
    ...(isPromoted ? { promotion: promotionOf(app.promotion ?? {}) } : {}),
  };
}

function imageOf({ container, ...image }: ImageFile): ImageConfig {
  return {
    buildArgs: {},
    buildContexts: {},
    secrets: [],
    alsoTag: [],
    ...image,
    containers: Array.isArray(container) ? container : [container],
  };
}

function serviceOf(service: ServiceFile): ServiceConfig {
  const template = service.template ?? templateOf(service.service);
  return { ...service, template, family: service.family ?? familyOf(template) };
}

function testsOf(tests: NonNullable<AppFile['tests']>): TestsConfig {
  const bounds = { attempts: tests.attempts ?? 2, timeoutMs: ms(tests.timeout ?? '30m') };
  if (tests.github) {
    const { workflow, inputs } = tests.github;
    return { ...bounds, kind: 'github', workflow, inputs: inputs ?? {} };
  }
  return tests.command
    ? { ...bounds, kind: 'command', command: tests.command }
    : { ...bounds, kind: 'report' };
}

const promotionOf = (promotion: NonNullable<AppFile['promotion']>): PromotionConfig => ({
  queue: promotion.queue ?? 'latest',
  approval: promotion.approval ?? 'required',
  remindAfterMs: ms(promotion.remindAfter ?? '1h'),
  escalateAfterMs: ms(promotion.escalateAfter ?? '24h'),
});

function ms(duration: string): number {
  const value = parseDuration(duration);
  if (value === undefined) throw new RangeError(`${duration} has not passed the schema`);
  return value;
}

/** Without a prototype: `apps['constructor']`, a name that comes from outside, must be undefined. */
function mapValues<A, B>(values: Record<string, A>, change: (value: A) => B): Record<string, B> {
  const result = Object.create(null) as Record<string, B>;
  for (const [key, value] of Object.entries(values)) result[key] = change(value);
  return result;
}
