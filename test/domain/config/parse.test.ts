import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../../domain/config/parse.js';
import type { Config } from '../../../domain/config/config.js';

const MINIMAL = `repository: { owner: WordPress, name: openverse, branch: main }
maintainers: { org: WordPress, team: openverse-maintainers }
aws: { region: us-east-1 }
environments:
  staging: { cluster: staging-default }
  production: { cluster: production-default, region: eu-west-1 }
apps:
  api:
    paths: ["api/**", "docker/nginx/**"]
    images:
      - { container: django, repository: openverse-api, context: api }
      - { container: nginx, repository: openverse-api_nginx, context: api, target: nginx }
    environments:
      staging: { service: staging-api, versionUrl: "https://s.example.org/version.json", url: "https://s.example.org" }
      production: { service: production-api }
  ingestion_server:
    paths: ["ingestion_server/**"]
    images: [{ container: [a, b], repository: openverse-ingestion_server, context: ingestion_server }]
    releaseOnly: true
`;

function configOf(text: string): Config {
  const parsed = parseConfig(text, 'sluice.yaml');
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return parsed.config;
}

function problemsOf(text: string): string[] {
  const parsed = parseConfig(text, 'sluice.yaml');
  return 'problems' in parsed ? parsed.problems : [];
}

/** The minimal file with one value changed; `undefined` takes the key out. */
function changed(path: (string | number)[], value: unknown): string {
  const root = parse(MINIMAL) as Record<string | number, unknown>;
  const parent = path.slice(0, -1).reduce((at, key) => (at[key] ??= {}) as typeof root, root);
  const last = path.at(-1) ?? '';
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return stringify(root);
}

describe('a good sluice.yaml', () => {
  it('gets its defaults', () => {
    const config = configOf(MINIMAL);
    expect(config.repository.cloneUrl).toBe('https://github.com/WordPress/openverse.git');
    expect(config.access).toEqual({
      read: 'maintainers',
      logs: 'maintainers',
      oauthClients: ['178c6fc778ccc68e1d6a'],
    });
    expect(config.aws).toEqual({ region: 'us-east-1' });
    expect(config.environments).toEqual({
      staging: { cluster: 'staging-default', region: 'us-east-1' },
      production: { cluster: 'production-default', region: 'eu-west-1' },
    });
    expect(config.limits).toEqual({
      tellAfterMs: 900_000,
      giveUpAfterMs: 3_600_000,
      verifyMs: 120_000,
      callsPerSecond: 5,
    });
    expect(config.slack).toEqual({ users: {} });
    expect(config.releaseNotes.sections.map(({ title }) => title)).toEqual([
      'New Features',
      'Improvements',
      'Internal Improvements',
      'Bug Fixes',
    ]);
    expect(config.apps['api']).toEqual({
      paths: ['api/**', 'docker/nginx/**'],
      releaseOnly: false,
      build: 'sluice',
      prepare: [],
      images: [
        {
          containers: ['django'],
          repository: 'openverse-api',
          context: 'api',
          buildArgs: {},
          buildContexts: {},
          secrets: [],
          alsoTag: [],
        },
        {
          containers: ['nginx'],
          repository: 'openverse-api_nginx',
          context: 'api',
          target: 'nginx',
          buildArgs: {},
          buildContexts: {},
          secrets: [],
          alsoTag: [],
        },
      ],
      environments: {
        staging: {
          service: 'staging-api',
          template: 'staging-api-template',
          family: 'staging-api',
          versionUrl: 'https://s.example.org/version.json',
          url: 'https://s.example.org',
        },
        production: {
          service: 'production-api',
          template: 'production-api-template',
          family: 'production-api',
        },
      },
      promotion: {
        queue: 'latest',
        approval: 'required',
        remindAfterMs: 3_600_000,
        escalateAfterMs: 86_400_000,
      },
    });
    expect(config.apps['ingestion_server']).toMatchObject({ releaseOnly: true, environments: {} });
    expect(config.apps['ingestion_server']?.images[0]?.containers).toEqual(['a', 'b']);
    expect(config.apps['ingestion_server']?.promotion).toBeUndefined();
  });

  it('clones from the server it is given, unless the file says otherwise', () => {
    const parsed = parseConfig(MINIMAL, 'f', 'https://git.example.org/');
    expect('config' in parsed && parsed.config.repository.cloneUrl).toBe(
      'https://git.example.org/WordPress/openverse.git',
    );
    const own = changed(['repository', 'cloneUrl'], 'file:///srv/sample');
    expect(configOf(own).repository.cloneUrl).toBe('file:///srv/sample');
  });

  it('has no app of a name that every object has', () => {
    const { apps, environments } = configOf(MINIMAL);
    expect([apps['constructor'], environments['toString'], apps['__proto__']]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is Openverse’s example at the root of the repository', () => {
    const config = configOf(readFileSync(new URL('../../../sluice.yaml', import.meta.url), 'utf8'));
    const services = Object.values(config.apps).flatMap(({ environments }) =>
      Object.values(environments).map(({ service, template }) => [service, template]),
    );
    expect(services).toEqual([
      ['staging-api', 'staging-api-template'],
      ['production-api', 'production-api-template'],
      ['staging-nuxt', 'staging-nuxt-template'],
      ['production-nuxt', 'production-nuxt-template'],
    ]);
    expect(config.apps['api']?.images.map(({ containers }) => containers[0])).toEqual(['django', 'nginx']);
    expect(config.apps['ingestion_server']?.releaseOnly).toBe(true);
    expect(config.environments['production']?.cluster).toBe('production-default');
  });

  it.each<[string, (string | number)[], unknown, (config: Config) => unknown, unknown]>([
    [
      'limits',
      ['limits'],
      { tellAfter: '3s', verify: '500ms', callsPerSecond: 0.5 },
      (c) => c.limits,
      { tellAfterMs: 3_000, giveUpAfterMs: 3_600_000, verifyMs: 500, callsPerSecond: 0.5 },
    ],
    [
      'access',
      ['access'],
      { read: 'public', logs: 'public', oauthClients: [] },
      (c) => c.access,
      { read: 'public', logs: 'public', oauthClients: [] },
    ],
    ['a registry', ['aws', 'registry'], 'localhost:5000', (c) => c.aws.registry, 'localhost:5000'],
    [
      'a role',
      ['environments', 'staging', 'roleArn'],
      'arn:aws:iam::123456789012:role/sluice',
      (c) => c.environments['staging']?.roleArn,
      'arn:aws:iam::123456789012:role/sluice',
    ],
    [
      'a template without the suffix',
      ['apps', 'api', 'environments', 'staging', 'template'],
      'base',
      (c) => c.apps['api']?.environments['staging']?.family,
      'base',
    ],
    [
      'a template and its family',
      ['apps', 'api', 'environments', 'staging', 'template'],
      'x-template',
      (c) => c.apps['api']?.environments['staging']?.family,
      'x',
    ],
    [
      'a family',
      ['apps', 'api', 'environments', 'staging', 'family'],
      'own',
      (c) => c.apps['api']?.environments['staging']?.family,
      'own',
    ],
    [
      'tests on GitHub',
      ['apps', 'api', 'tests'],
      { github: { workflow: 'e2e.yml', inputs: { url: '{staging.url}/x', json: '{"a":1}' } } },
      (c) => c.apps['api']?.tests,
      {
        kind: 'github',
        workflow: 'e2e.yml',
        inputs: { url: '{staging.url}/x', json: '{"a":1}' },
        attempts: 2,
        timeoutMs: 1_800_000,
      },
    ],
    [
      'a test command',
      ['apps', 'api', 'tests'],
      { command: ['npm', 'test'], attempts: 1, timeout: '5m' },
      (c) => c.apps['api']?.tests,
      { kind: 'command', command: ['npm', 'test'], attempts: 1, timeoutMs: 300_000 },
    ],
    [
      'reported tests',
      ['apps', 'api', 'tests'],
      { report: true },
      (c) => c.apps['api']?.tests,
      { kind: 'report', attempts: 2, timeoutMs: 1_800_000 },
    ],
    [
      'promotion',
      ['apps', 'api', 'promotion'],
      { queue: 'off', approval: 'automatic', remindAfter: '2h' },
      (c) => c.apps['api']?.promotion,
      { queue: 'off', approval: 'automatic', remindAfterMs: 7_200_000, escalateAfterMs: 86_400_000 },
    ],
    ['an external build', ['apps', 'api', 'build'], 'external', (c) => c.apps['api']?.build, 'external'],
    [
      'Slack',
      ['slack'],
      { users: { sarayourfriend: 'U01ABCDEF' } },
      (c) => c.slack,
      { users: { sarayourfriend: 'U01ABCDEF' } },
    ],
    [
      'release notes',
      ['releaseNotes'],
      { label: 'area: {app}', exclude: [] },
      (c) => [c.releaseNotes.label, c.releaseNotes.exclude, c.releaseNotes.sections.length],
      ['area: {app}', [], 4],
    ],
    [
      'all of an image',
      ['apps', 'api', 'images', 0],
      {
        container: 'django',
        repository: 'team/api',
        context: '.',
        dockerfile: 'api/Dockerfile',
        target: 't',
        buildArgs: { A: '1' },
        buildContexts: { root: '.' },
        platform: 'linux/arm64',
        secrets: [{ id: 'npm', env: 'NPM_TOKEN' }],
        alsoTag: ['latest'],
      },
      (c) => c.apps['api']?.images[0],
      {
        containers: ['django'],
        repository: 'team/api',
        context: '.',
        dockerfile: 'api/Dockerfile',
        target: 't',
        buildArgs: { A: '1' },
        buildContexts: { root: '.' },
        platform: 'linux/arm64',
        secrets: [{ id: 'npm', env: 'NPM_TOKEN' }],
        alsoTag: ['latest'],
      },
    ],
  ])('takes %s', (_name, path, value, look, expected) => {
    expect(look(configOf(changed(path, value)))).toEqual(expected);
  });

  it('reads `off` as YAML 1.2 does, and anchors with merge keys', () => {
    const text = MINIMAL.replace(
      '    paths: ["api/**", "docker/nginx/**"]',
      '    promotion: { queue: off }\n$&',
    );
    expect(configOf(text).apps['api']?.promotion?.queue).toBe('off');
    const merged = text
      .replace('staging: { cluster', 'staging: &base { cluster')
      .replace('production: { cluster: production-default', 'production: { <<: *base');
    expect(configOf(merged).environments['production']).toEqual({
      cluster: 'staging-default',
      region: 'eu-west-1',
    });
  });
});

describe('a bad sluice.yaml', () => {
  it('names file, line, key, what is expected and what is there, for all problems at once', () => {
    const text = MINIMAL.replace('repository: openverse-api,', 'repository: 5,')
      .replace('branch: main', 'brnach: main')
      .replace('staging: { service', 'stagin: { service');
    expect(problemsOf(text)).toEqual([
      'sluice.yaml:1: repository.branch: missing, expected the name of a branch',
      'sluice.yaml:1: repository.brnach: unknown key; did you mean "branch"?',
      'sluice.yaml:11: apps.api.images[0].repository: expected a string: the name of an image repository (lower case, without registry and tag), got 5',
      'sluice.yaml:14: apps.api.environments.stagin: no such environment; did you mean "staging"?',
    ]);
  });

  it.each<[(string | number)[], unknown, string]>([
    [['repository'], undefined, 'repository: missing, expected'],
    [
      ['repository', 'owner'],
      'a/b',
      'repository.owner: expected the owner of a GitHub repository, got "a/b"',
    ],
    [['repository', 'branch'], 'a..b', 'repository.branch: expected the name of a branch, got "a..b"'],
    [['repository', 'cloneUrl'], 'ext::sh -c id', 'repository.cloneUrl: expected a Git URL'],
    [['maintainers', 'team'], 'Open Verse', 'maintainers.team: expected the slug of a GitHub team'],
    [['aws', 'region'], 'us-east', 'aws.region: expected an AWS region such as us-east-1, got "us-east"'],
    [['aws', 'registry'], 'https://r.example.org/x', 'aws.registry: expected the host of a registry'],
    [['aws', 'profile'], 'x', 'aws.profile: unknown key; known are region, registry'],
    [['environments'], {}, 'environments: expected a map of at least one environment, got an empty map'],
    [['environments', 'Prod'], { cluster: 'x' }, 'environments.Prod: the name cannot stand in ids'],
    [
      ['environments', 'staging'],
      null,
      'environments.staging: expected an environment: { cluster, … }, got nothing',
    ],
    [
      ['environments', 'staging', 'roleArn'],
      'sluice',
      'environments.staging.roleArn: expected the ARN of an IAM role',
    ],
    [['apps'], [], 'apps: expected a map of at least one app, got an empty list'],
    [
      ['apps', 'a.b'],
      { paths: ['a'], images: [{ container: 'c', repository: 'aa', context: '.' }], releaseOnly: true },
      'apps["a.b"]: the name cannot stand in ids',
    ],
    [
      ['apps', 'api', 'paths'],
      [],
      'apps.api.paths: expected a list of at least one path pattern, got an empty list',
    ],
    [['apps', 'api', 'images'], 'api', 'apps.api.images: expected a list of at least one image, got "api"'],
    [
      ['apps', 'api', 'images', 0, 'container'],
      5,
      'apps.api.images[0].container: expected the name of a container, or a list of them, got 5',
    ],
    [
      ['apps', 'api', 'images', 0, 'container'],
      [],
      'apps.api.images[0].container: expected the name of a container, or a list',
    ],
    [
      ['apps', 'api', 'images', 0, 'container'],
      ['web', 'nginx'],
      'apps.api.images[1].container: the container "nginx" stands at apps.api.images[0].container[1] already',
    ],
    [
      ['apps', 'api', 'images', 0, 'repository'],
      'openverse-api_nginx',
      'apps.api.images[1].repository: the repository "openverse-api_nginx" stands at apps.api.images[0].repository already',
    ],
    [
      ['apps', 'api', 'images', 0, 'repository'],
      'host.example.org/api:v1',
      'apps.api.images[0].repository: expected the name of an image repository',
    ],
    [
      ['apps', 'api', 'images', 0, 'context'],
      '../x',
      'apps.api.images[0].context: expected a path inside the checkout',
    ],
    [
      ['apps', 'api', 'images', 0, 'buildArgs'],
      { A: 1.1 },
      'apps.api.images[0].buildArgs.A: expected a string (put numbers and true/false in quotes), got 1.1',
    ],
    [
      ['apps', 'api', 'images', 0, 'buildArgs'],
      { 'a\nb': 1 },
      'apps.api.images[0].buildArgs["a\\nb"]: expected a string',
    ],
    [
      ['apps', 'api', 'images', 0, 'platform'],
      'linux/amd64,linux/arm64',
      'apps.api.images[0].platform: expected one platform',
    ],
    [
      ['apps', 'api', 'images', 0, 'secrets'],
      [{ id: 'x' }],
      'apps.api.images[0].secrets[0].env: missing, expected the name of an environment variable',
    ],
    [
      ['apps', 'api', 'images', 0, 'alsoTag'],
      ['a b'],
      'apps.api.images[0].alsoTag[0]: expected an image tag, got "a b"',
    ],
    [
      ['apps', 'api', 'environments'],
      undefined,
      'apps.api.environments: missing, expected at least one environment, or releaseOnly: true',
    ],
    [
      ['apps', 'api', 'environments', 'test'],
      { service: 'x' },
      'apps.api.environments.test: no such environment; known are staging, production',
    ],
    [
      ['apps', 'api', 'environments', 'staging', 'versionUrl'],
      'ftp://x',
      'apps.api.environments.staging.versionUrl: expected an http or https URL without user and password, got "ftp://x"',
    ],
    [
      ['apps', 'api', 'environments', 'staging', 'version_url'],
      'x',
      'apps.api.environments.staging.version_url: unknown key; did you mean "versionUrl"?',
    ],
    [['apps', 'api', 'releaseOnly'], 'no', 'apps.api.releaseOnly: expected true or false, got "no"'],
    [['apps', 'api', 'releaseOnly'], true, 'apps.api.environments: a releaseOnly app is not deployed'],
    [
      ['apps', 'ingestion_server', 'promotion'],
      {},
      'apps.ingestion_server.promotion: a releaseOnly app is not promoted',
    ],
    [
      ['apps', 'ingestion_server', 'tests'],
      { report: true },
      'apps.ingestion_server.tests: a releaseOnly app is not deployed',
    ],
    [
      ['apps', 'api', 'build'],
      'docker',
      'apps.api.build: expected one of "sluice", "external", got "docker"',
    ],
    [
      ['apps', 'api', 'tests'],
      {},
      'apps.api.tests: expected exactly one of github, command, report, got none',
    ],
    [
      ['apps', 'api', 'tests'],
      { report: true, command: ['x'] },
      'apps.api.tests: expected exactly one of github, command, report, got command and report',
    ],
    [['apps', 'api', 'tests'], { report: false }, 'apps.api.tests.report: expected true, got false'],
    [
      ['apps', 'api', 'tests'],
      { github: { workflow: 'w', inputs: { a: '{realease}' } } },
      'apps.api.tests.github.inputs.a: unknown {realease}; known are',
    ],
    [
      ['apps', 'api', 'tests'],
      { report: true, attempts: 0 },
      'apps.api.tests.attempts: expected a whole number from 1 to 100, got 0',
    ],
    [
      ['apps', 'api', 'tests'],
      { report: true, timeout: 30 },
      'apps.api.tests.timeout: expected a string: a duration such as "90s", "15m" or "1h", got 30',
    ],
    [
      ['apps', 'api', 'promotion'],
      { queue: 'newest' },
      'apps.api.promotion.queue: expected one of "latest", "every-merge", "off", got "newest"',
    ],
    [['limits'], { tellAfter: '15' }, 'limits.tellAfter: expected a duration'],
    [['limits'], { callsPerSecond: 0 }, 'limits.callsPerSecond: expected a number above 0, up to 100, got 0'],
    [
      ['access'],
      { read: 'all' },
      'access.read: expected one of "public", "signed-in", "maintainers", got "all"',
    ],
    [['slack'], { users: { a: '@sara' } }, 'slack.users.a: expected a Slack member id'],
    [
      ['releaseNotes'],
      { changelogPath: '/etc/x' },
      'releaseNotes.changelogPath: expected a path inside the checkout',
    ],
    [
      ['limits'],
      { callsPerSecond: Number.NaN },
      'limits.callsPerSecond: expected a number above 0, up to 100, got NaN',
    ],
    [['sluice'], 1, 'sluice: unknown key'],
  ])('%j: %j', (path, value, problem) => {
    const problems = problemsOf(changed(path, value));
    expect(problems).toContainEqual(expect.stringContaining(`: ${problem}`));
    for (const line of problems) expect(line).toMatch(/^sluice\.yaml:[1-9][0-9]*: /);
  });

  it('needs a staging URL where a test asks for it', () => {
    const tests = { github: { workflow: 'w', inputs: { url: '{staging.url}' } } };
    const text = changed(['apps', 'api', 'tests'], tests).replace(/ +url: https:\/\/s.example.org\n/, '');
    expect(problemsOf(text)).toEqual([expect.stringContaining('needs environments.staging.url of this app')]);
  });

  it('refuses a promotion without both environments', () => {
    const text = changed(['apps', 'api', 'promotion'], {}).replace(
      / +production:\n +service: production-api\n/,
      '',
    );
    expect(problemsOf(text)).toEqual([expect.stringContaining('missing: production')]);
  });

  it('refuses two lanes on one service, and takes the same name in another cluster, region or role', () => {
    const same = changed(['environments', 'production'], { cluster: 'staging-default' });
    const both = same.replace('service: production-api', 'service: staging-api');
    expect(problemsOf(both)).toEqual([
      expect.stringContaining(
        'the service "staging-api" of that cluster stands at apps.api.environments.staging.service already',
      ),
    ]);
    expect(problemsOf(MINIMAL.replace('service: production-api', 'service: staging-api'))).toEqual([]);
    expect(
      problemsOf(both.replace(/production:\n {4}cluster/, 'production:\n    region: eu-west-1\n    cluster')),
    ).toEqual([]);
  });

  it.each([
    ['', 1, 'the file is empty'],
    ['# nothing\n', 1, 'the file is empty'],
    ['- 1\n', 1, 'expected a configuration'],
    ['a: 1\nb: [1\nc: 2', 3, 'Flow sequence'],
    ['a: 1\na: 2\n', 2, 'Map keys must be unique'],
    ['a: 1\n---\nb: 2\n', 2, 'expected one document, got a second one'],
    ['a: !secret x\n', 1, 'Unresolved tag'],
    ['a:\n\tb: 1\n', 2, ''],
    ['a: *x\n', 1, 'Unresolved alias'],
  ])('tells the line of %j', (text, line, message) => {
    const [first] = problemsOf(text);
    expect(first).toContain(`sluice.yaml:${line}: `);
    expect(first).toContain(message);
  });

  it('tells the line of what an alias stands for', () => {
    const text = MINIMAL.replace(
      'staging: { cluster: staging-default }',
      'staging: &base\n      cluster: 5',
    ).replace(/production: \{ cluster.*/, 'production: *base');
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^sluice\.yaml:6: environments\.staging\.cluster: /),
      expect.stringMatching(/^sluice\.yaml:6: environments\.production\.cluster: /),
    ]);
  });

  it('is not blown up by aliases', () => {
    const rows = Array.from(
      { length: 12 },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`,
    );
    expect(problemsOf(['a0: &a0 [x]', ...rows].join('\n'))).toEqual([
      expect.stringMatching(/^sluice\.yaml:1: .*alias/),
    ]);
  });

  it('never repeats a password', () => {
    for (const path of [
      ['repository', 'cloneUrl'],
      ['apps', 'api', 'runbookUrl'],
    ]) {
      const problems = problemsOf(changed(path, 'https://me:hunter2@github.com/a/b'));
      expect(problems).toHaveLength(1);
      expect(problems.join()).not.toContain('hunter2');
    }
  });
});
