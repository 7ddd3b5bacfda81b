/** `sluice doctor` on the sandbox, whole, and then with each thing broken in turn. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { msToTs } from '@temporalio/common/lib/time.js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { run } from '../../cli/program.js';
import { checkMachine } from '../../clients/doctor/machine.js';
import { createTemporal } from '../../clients/temporal.js';
import type { Finding } from '../../domain/findings.js';
import { clusterOf, PEOPLE } from '../../sandbox/settings.js';
import type { Site } from '../e2e/site.js';
import { openSite, START_MS } from '../e2e/site.js';

let site: Site;

beforeAll(async () => {
  site = await openSite();
}, START_MS);
afterEach(() => {
  vi.unstubAllEnvs();
  site.aws.clearFaults();
  site.github.clearFaults();
});
afterAll(() => site?.close());

interface Examined {
  code: number;
  findings: Finding[];
  text: string;
  /** Those that are broken: `area | what | detail | hint` */
  broken: string[];
}

async function doctor(env: NodeJS.ProcessEnv = {}, json = true): Promise<Examined> {
  for (const [name, value] of Object.entries({ ...site.env, ...env })) vi.stubEnv(name, value);
  const out: string[] = [];
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void out.push(line),
    now: () => new Date(),
    interrupted: new AbortController().signal,
  };
  const code = await run(['doctor', ...(json ? ['--json'] : [])], process.env, io);
  const text = out.join('\n');
  const { findings } = json ? (JSON.parse(text) as { findings: Finding[] }) : { findings: [] };
  const broken = findings
    .filter(({ state }) => state === 'broken')
    .map(({ area, what, detail, hint }) => [area, what, detail, hint].join(' | '));
  return { code, findings, text, broken };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- sluice.yaml, to be changed anywhere
type Yaml = any;

/** The sandbox's sluice.yaml, changed. */
function configured(change: (config: Yaml) => void): NodeJS.ProcessEnv {
  const config = parse(readFileSync(site.env['SLUICE_CONFIG'] ?? '', 'utf8'));
  change(config);
  const path = join(site.directory, `changed-${randomBytes(4).toString('hex')}.yaml`);
  writeFileSync(path, stringify(config));
  return { SLUICE_CONFIG: path };
}

describe('on a whole sandbox', () => {
  it('finds nothing broken, and says what it looked at', async () => {
    const { code, broken, findings } = await doctor();
    expect(broken).toEqual([]);
    expect(code).toBe(0);
    const areas = new Set(findings.map(({ area }) => area));
    for (const area of ['Configuration', 'Temporal', 'AWS', 'api → staging', 'GitHub', 'Slack', 'Secrets'])
      expect(areas).toContain(area);
    const fine = findings.filter(({ state }) => state === 'ok').map(({ what }) => what);
    for (const what of ['search attributes', 'schedule of reconcile', 'queue sluice-watches, activities'])
      expect(fine).toContain(what);
    for (const what of ['repository openverse-api', 'circuit breaker with rollback', 'version endpoint'])
      expect(fine).toContain(what);
    for (const what of ['repository', 'branch', 'permissions', 'team', 'bot', 'channel'])
      expect(fine).toContain(what);
  });

  it('is read by people in groups, with marks and what to do', async () => {
    const { text } = await doctor({ SLACK_BOT_TOKEN: 'xoxb-wrong' }, false);
    expect(text).toMatch(
      /^Configuration\n {2}✓ .*sluice\.yaml: apps api, frontend, ingestion_server; environments staging, production/,
    );
    expect(text).toContain('Slack\n  ✗ bot: Slack does not take SLACK_BOT_TOKEN (invalid_auth)\n    → ');
    expect(text).toMatch(/\d+ fine, \d+ warnings?, 1 broken$/);
    expect(text).not.toContain('xoxb-wrong');
  });
});

/** Exactly this is broken, and the command fails. */
async function expectBroken(env: NodeJS.ProcessEnv, ...words: RegExp[]): Promise<Examined> {
  const examined = await doctor(env);
  expect(examined.code).toBe(1);
  for (const word of words) expect(examined.broken.join('\n')).toMatch(word);
  return examined;
}

describe('Temporal', () => {
  it('down', async () => {
    const { broken } = await expectBroken(
      { TEMPORAL_ADDRESS: '127.0.0.1:9' },
      /Temporal \| server \| does not answer at 127\.0\.0\.1:9.* \| start Temporal/,
    );
    expect(broken).toHaveLength(1);
  });

  it('without the namespace', async () => {
    await expectBroken(
      { TEMPORAL_NAMESPACE: 'nowhere' },
      /namespace \| nowhere cannot be read.*namespace create/,
    );
  });

  it('without attributes, schedule, retention and workers', async () => {
    const namespace = `test-${randomBytes(4).toString('hex')}`;
    const temporal = createTemporal({ address: site.temporal.address, namespace });
    await temporal.connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    await temporal.close();
    const { findings } = await expectBroken(
      { TEMPORAL_NAMESPACE: namespace },
      /search attributes \| SluiceApp, .* missing.* \| run sluice setup/,
      /schedule of reconcile \| missing.* \| run sluice setup/,
      /queue sluice, workflows \| nobody polls \| start a worker/,
      /queue sluice-watches, activities \| nobody polls/,
    );
    const warned = findings.filter(({ state }) => state === 'warning').map(({ what }) => what);
    expect(warned).toEqual(expect.arrayContaining(['retention', 'queue sluice-builds, activities']));
  });
});

describe('AWS', () => {
  it('without credentials', async () => {
    await expectBroken(
      {
        ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' },
        ...{ AWS_SHARED_CREDENTIALS_FILE: '/nowhere', AWS_CONFIG_FILE: '/nowhere' },
      },
      /AWS \| credentials \| none are found \(CredentialsProviderError\) \| set AWS_PROFILE/,
    );
  });

  it.each([
    ['ecs:DescribeServices', /api → staging \| ecs:DescribeServices \| AWS denies it/],
    [
      'ecs:DescribeTaskDefinition',
      /template staging-api-template: ecs:DescribeTaskDefinition \| AWS denies it/,
    ],
    ['ecs:ListTasks', /api → staging \| ecs:ListTasks \| AWS denies it/],
    ['ecs:ListTaskDefinitions', /ecs:ListTaskDefinitions \| AWS denies it/],
    ['ecs:ListServiceDeployments', /ecs:ListServiceDeployments \| AWS denies it/],
    ['ecs:DescribeTasks', /api → staging \| ecs:DescribeTasks \| AWS denies it/],
    ['ecs:DescribeServiceDeployments', /ecs:DescribeServiceDeployments \| AWS denies it/],
    ['ecs:DescribeServiceRevisions', /ecs:DescribeServiceRevisions \| AWS denies it/],
    ['ecr:GetAuthorizationToken', /AWS \| ecr:GetAuthorizationToken \| AWS denies it/],
    [
      'ecr:DescribeImages',
      /repository openverse-api: ecr:DescribeImages, ecr:BatchGetImage \| AWS denies it/,
    ],
    ['ecr:BatchGetImage', /repository openverse-frontend: .* \| AWS denies it .* \| docs\/setup\.md/],
  ])('that denies %s', async (operation, words) => {
    site.aws.fault({ operation, kind: 'deny', message: 'arn:aws:iam::1:role/secret-name may not' });
    const { text } = await expectBroken({}, words);
    expect(text).not.toContain('secret-name');
  });

  it('that does not answer', async () => {
    await expectBroken(
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
      /ecs:DescribeServices \| failed \(ECONNREFUSED\)/,
    );
  });

  it.each([
    [
      'a cluster that is not there',
      (c: Yaml) => (c.environments.staging.cluster = 'nowhere'),
      /api → staging \| (cluster \| nowhere does not exist|service \| staging-api in nowhere does not exist)/,
    ],
    [
      'a service that is not there',
      (c: Yaml) => (c.apps.api.environments.staging.service = 'nobody'),
      /service \| nobody in staging-default does not exist \| create it/,
    ],
    [
      'a template that is not there',
      (c: Yaml) => (c.apps.api.environments.staging.template = 'nothing'),
      /template nothing \| does not exist \| register it/,
    ],
    [
      'a container that the template lacks',
      (c: Yaml) => (c.apps.api.images[0].container = 'web'),
      /template staging-api-template \| lacks the container web \| it has django, nginx/,
    ],
    [
      'a repository that is not there',
      (c: Yaml) => (c.apps.frontend.images[0].repository = 'nothing'),
      /repository nothing \| does not exist \| create it in ECR/,
    ],
  ])('with %s', async (_name, change, words) => {
    await expectBroken(configured(change), words);
  });

  it('with a service that another controller deploys, or without a circuit breaker', async () => {
    const ref = { cluster: clusterOf('staging'), service: 'odd' };
    site.aws.service({
      ...ref,
      taskDefinition: 'staging-nuxt',
      breaker: 'none',
      deploymentConfiguration: { strategy: 'BLUE_GREEN' },
    });
    const env = configured((c) => {
      Object.assign(c.apps.frontend.environments.staging, {
        service: 'odd',
        template: 'staging-nuxt-template',
      });
    });
    const { findings } = await expectBroken(env, /rollout \| controller ECS, strategy BLUE_GREEN/);
    expect(findings).toContainEqual(expect.objectContaining({ what: 'circuit breaker', state: 'warning' }));
  });
});

describe('version endpoints', () => {
  it.each([
    ['that nobody serves', 'http://127.0.0.1:9/version.json', /does not answer/],
    ['of nobody', '/nobody/version.json', /answers 400 \| it must answer 200/],
    ['that report nothing', '/v2', /reports no release/],
  ])('%s', async (_name, path, words) => {
    const env = configured((c) => {
      c.apps.frontend.environments.production.versionUrl = path.startsWith('/')
        ? `${site.aws.url}${path}`
        : path;
    });
    await expectBroken(env, words);
  });

  it('that are not configured are a warning', async () => {
    const { code, findings } = await doctor(
      configured((c) => delete c.apps.frontend.environments.production.versionUrl),
    );
    expect(code).toBe(0);
    expect(findings).toContainEqual(
      expect.objectContaining({ area: 'frontend → production', what: 'version endpoint', state: 'warning' }),
    );
  });
});

describe('GitHub', () => {
  it('that does not take the token', async () => {
    const { text } = await expectBroken(
      { GITHUB_TOKEN: 'ghp_wrongToken0000000000000000000000000' },
      /GitHub \| repository \| WordPress\/openverse cannot be read: GitHub answers 401 \| set a valid GITHUB_TOKEN/,
    );
    expect(text).not.toContain('wrongToken');
  });

  it('that is down', async () => {
    site.github.fault({ kind: 'unavailable' });
    await expectBroken({}, /repository \| .*GitHub answers 503 \| can this machine reach GitHub/);
  });

  it('with a token that may too little', async () => {
    site.github.addUser({ login: 'weak', token: 'ghp_weakToken', scopes: ['public_repo'] });
    await expectBroken(
      { GITHUB_TOKEN: 'ghp_weakToken' },
      /permissions \| the token lacks the scope repo, read:org/,
      /team \| WordPress\/openverse-maintainers cannot be read/,
    );
  });

  it.each([
    ['team', (c: Yaml) => (c.maintainers.team = 'nobody'), /team \| WordPress\/nobody cannot be read/],
    ['branch', (c: Yaml) => (c.repository.branch = 'gone'), /branch \| gone cannot be read/],
    ['repository', (c: Yaml) => (c.repository.name = 'gone'), /repository \| WordPress\/gone cannot be read/],
  ])('without the %s', async (_name, change, words) => {
    await expectBroken(configured(change), words);
  });

  it('with half an App', async () => {
    await expectBroken(
      { GITHUB_APP_ID: '1', GITHUB_TOKEN: '' },
      /GitHub \| check \| GITHUB_APP_ID is set without/,
    );
  });

  it('with a wrong OAuth secret', async () => {
    await expectBroken(
      { GITHUB_OAUTH_CLIENT_ID: 'Iv1.none', GITHUB_OAUTH_CLIENT_SECRET: 'wrong', SESSION_SECRET: '' },
      /OAuth app \| GitHub answers 401/,
      /browser sign-in \| SESSION_SECRET not set/,
    );
  });
});

describe('Slack', () => {
  it.each([
    [
      'a wrong token',
      { SLACK_BOT_TOKEN: 'xoxb-wrong' },
      /bot \| Slack does not take SLACK_BOT_TOKEN \(invalid_auth\)/,
    ],
    [
      'a channel that is not there',
      { SLACK_CHANNEL: 'C0NOWHERE1' },
      /channel \| C0NOWHERE1: channel_not_found/,
    ],
    ['half a bot', { SLACK_BOT_TOKEN: '' }, /bot \| SLACK_BOT_TOKEN is not set/],
    [
      'a webhook that is no URL',
      { SLACK_BOT_TOKEN: '', SLACK_CHANNEL: '', SLACK_WEBHOOK_URL: 'here' },
      /webhook \| SLACK_WEBHOOK_URL is no URL/,
    ],
  ])('with %s', async (_name, env, words) => {
    await expectBroken(env, words);
  });
});

describe('secrets', () => {
  it.each(['GITHUB_WEBHOOK_SECRET', 'ECS_WEBHOOK_SECRET', 'TESTS_WEBHOOK_SECRET', 'SLUICE_EMERGENCY_TOKEN'])(
    'a %s that is too short',
    async (name) => {
      const { text } = await expectBroken(
        { [name]: 'tooShortToBeOne' },
        new RegExp(`Secrets \\| ${name} \\| has fewer than`),
      );
      expect(text).not.toContain('tooShortToBeOne');
    },
  );

  it('sign-in without the address that people come back to', async () => {
    await expectBroken(
      {
        ...{ GITHUB_OAUTH_CLIENT_ID: 'Iv1.none', GITHUB_OAUTH_CLIENT_SECRET: 'wrong', SESSION_SECRET: '' },
        ...{ SESSION_SECRET: 'short', SLUICE_PUBLIC_URL: '' },
      },
      /SESSION_SECRET has fewer than 32/,
      /SLUICE_PUBLIC_URL \| not set: GitHub sends people back/,
    );
  });
});

it('a configuration that is wrong is said with its line, and nothing else is looked at', async () => {
  const env = configured((c) => (c.repository.owner = 7));
  const { findings } = await expectBroken(env, /Configuration \| .*repository\.owner.* \| mend it/);
  expect(findings).toHaveLength(1);
});

describe('a machine', () => {
  const told = async (builds: boolean): Promise<string[]> =>
    (await checkMachine({ PATH: '/nowhere' }, builds)).map(
      ({ what, state, detail, hint }) => `${what} ${state}: ${detail}; ${hint}`,
    );
  const git = 'git broken: is not installed; install it for every worker: without it no merge is found';

  it('without git can be no worker, whoever builds', async () => {
    expect(await told(false)).toEqual([git]);
  });

  it('without Docker is only warned of: most are no build workers', async () => {
    expect(await told(true)).toEqual([
      git,
      'docker warning: is not installed; for build workers only: install it, start its daemon, or set DOCKER_HOST',
    ]);
  });

  it('is looked at where Sluice builds nothing, too', async () => {
    const env = configured((c) => {
      for (const app of Object.values<Yaml>(c.apps)) app.build = 'external';
    });
    const { broken, findings } = await doctor({ ...env, PATH: '/nowhere' });
    expect(broken).toContainEqual(expect.stringMatching(/^This machine, .* \| git \| is not installed/));
    expect(findings.map(({ what }) => what)).not.toContain('docker');
  });
});

it('never shows a secret', async () => {
  const { text } = await doctor();
  for (const name of ['GITHUB_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'SLACK_BOT_TOKEN', 'ECS_WEBHOOK_SECRET'])
    expect(text).not.toContain(site.env[name] ?? PEOPLE.sluice.token);
});
