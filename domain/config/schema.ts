/**
 * The form of `sluice.yaml`. A `description` says what is expected in words that end an error message
 * ("expected …"); what needs more than one value to judge is in `checks.ts`.
 */
import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';

const text = (pattern: string, description: string) => Type.String({ pattern, description });
/** Also a key with line breaks: its value must not go unchecked. */
const ANY = '^[^\\0]*$';
const words = (description: string) => Type.String({ minLength: 1, description });
const format = (name: string, description: string) => Type.String({ format: name, description });
const oneOf = <const T extends string>(...values: T[]) =>
  Type.Enum(values, { description: `one of ${values.map((value) => `"${value}"`).join(', ')}` });
const flag = Type.Boolean({ description: 'true or false' });
const list = <T extends TSchema>(items: T, description: string, minItems = 0) =>
  Type.Array(items, { minItems, description });
const map = <T extends TSchema>(values: T, description: string, minProperties = 0) =>
  Type.Record(Type.String({ pattern: ANY }), values, { minProperties, description });
const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);

/** Unknown keys are refused everywhere: a key that does nothing is a mistake that nobody sees. */
const closed = <T extends TProperties>(properties: T, description: string): TObject<T> =>
  Type.Object(properties, { additionalProperties: false, description });

const duration = format('duration', 'a duration such as "90s", "15m" or "1h"');
const url = format('web-url', 'an http or https URL without user and password');
const inside = format('inside', 'a path inside the checkout, without ".."');
const quoted = Type.String({ description: 'a string (put numbers and true/false in quotes)' });
const ecsName = (what: string) =>
  text('^[A-Za-z0-9_-]{1,255}$', `${what} (letters, digits, "-", "_"; up to 255)`);
const region = text('^[a-z]{2}(-[a-z]+)+-[0-9]$', 'an AWS region such as us-east-1');
const owner = (what: string) => text('^[A-Za-z0-9][A-Za-z0-9_-]*$', what);
const variable = text('^[A-Za-z_][A-Za-z0-9_]*$', 'the name of an environment variable');
const container = ecsName('the name of a container');
const REPOSITORY = '[a-z0-9]+((\\.|_{1,2}|-+)[a-z0-9]+)*';

const Image = closed(
  {
    container: Type.Union([container, list(container, '', 1)], {
      description: 'the name of a container, or a list of them',
    }),
    repository: text(
      `^(?=.{2,256}$)${REPOSITORY}(/${REPOSITORY})*$`,
      'the name of an image repository (lower case, without registry and tag)',
    ),
    context: inside,
    dockerfile: optional(inside),
    target: optional(words('the name of a build stage')),
    buildArgs: optional(map(quoted, 'a map of build arguments')),
    buildContexts: optional(map(words('a path or an address'), 'a map of names to build contexts')),
    platform: optional(text('^[a-z0-9]+(/[a-z0-9]+){1,2}$', 'one platform such as linux/amd64')),
    secrets: optional(
      list(
        closed({ id: words('the id of a build secret'), env: variable }, '{ id, env }'),
        'a list of { id, env }',
      ),
    ),
    alsoTag: optional(
      list(text('^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$', 'an image tag'), 'a list of image tags'),
    ),
  },
  'an image: { container, repository, context, … }',
);

const Service = closed(
  {
    service: ecsName('the name of an ECS service'),
    template: optional(ecsName('a task definition family')),
    family: optional(ecsName('a task definition family')),
    versionUrl: optional(url),
    url: optional(url),
    logsUrl: optional(url),
    runbookUrl: optional(url),
  },
  'a service: { service, versionUrl, … }',
);

const Tests = closed(
  {
    github: optional(
      closed(
        {
          workflow: words('the file name or id of a workflow'),
          inputs: optional(map(quoted, 'a map of the workflow’s inputs')),
        },
        '{ workflow, inputs }',
      ),
    ),
    command: optional(list(words('a part of the command'), 'a command as a list: [program, argument, …]', 1)),
    report: optional(Type.Literal(true, { description: 'true' })),
    attempts: optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'a whole number from 1 to 100' }),
    ),
    timeout: optional(duration),
  },
  'tests: { github }, { command } or { report: true }, and { attempts, timeout }',
);

const Promotion = closed(
  {
    queue: optional(oneOf('latest', 'every-merge', 'off')),
    approval: optional(oneOf('required', 'automatic')),
    remindAfter: optional(duration),
    escalateAfter: optional(duration),
  },
  '{ queue, approval, remindAfter, escalateAfter }',
);

const App = closed(
  {
    paths: list(words('a path pattern such as "api/**"'), 'a list of at least one path pattern', 1),
    images: list(Image, 'a list of at least one image', 1),
    environments: optional(map(Service, 'a map of environments to services')),
    releaseOnly: optional(flag),
    build: optional(oneOf('sluice', 'external')),
    prepare: optional(list(words('a command'), 'a list of commands')),
    runbookUrl: optional(url),
    tests: optional(Tests),
    promotion: optional(Promotion),
  },
  'an app: { paths, images, environments, … }',
);

const Environment = closed(
  {
    cluster: text('^([A-Za-z0-9_-]{1,255}|arn:aws[a-z-]*:ecs:\\S+)$', 'the name or ARN of an ECS cluster'),
    region: optional(region),
    roleArn: optional(text('^arn:aws[a-z-]*:iam::[0-9]{12}:role/\\S+$', 'the ARN of an IAM role')),
  },
  'an environment: { cluster, … }',
);

const ReleaseNotes = closed(
  {
    label: optional(words('a label')),
    exclude: optional(list(words('a label'), 'a list of labels')),
    sections: optional(
      list(
        closed(
          { title: words('a title'), labels: list(words('a label'), 'a list of labels', 1) },
          '{ title, labels }',
        ),
        'a list of { title, labels }',
      ),
    ),
    changelogPath: optional(inside),
    pullRequestLabels: optional(list(words('a label'), 'a list of labels')),
  },
  '{ label, exclude, sections, changelogPath, pullRequestLabels }',
);

const Limits = closed(
  {
    tellAfter: optional(duration),
    giveUpAfter: optional(duration),
    verify: optional(duration),
    callsPerSecond: optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 100, description: 'a number above 0, up to 100' }),
    ),
  },
  '{ tellAfter, giveUpAfter, verify, callsPerSecond }',
);

const Access = closed(
  {
    read: optional(oneOf('public', 'signed-in', 'maintainers')),
    logs: optional(oneOf('maintainers', 'public')),
    oauthClients: optional(list(words('an OAuth client id'), 'a list of OAuth client ids')),
  },
  '{ read, logs, oauthClients }',
);

const Repository = closed(
  {
    owner: owner('the owner of a GitHub repository'),
    name: text('^[A-Za-z0-9._-]+$', 'the name of a GitHub repository'),
    branch: format('branch', 'the name of a branch'),
    cloneUrl: optional(format('git-url', 'a Git URL (https, ssh, git, file or a path) without a password')),
  },
  '{ owner, name, branch }',
);

export const ConfigSchema = closed(
  {
    repository: Repository,
    maintainers: closed(
      {
        org: owner('a GitHub organisation'),
        team: text('^[A-Za-z0-9._-]+$', 'the slug of a GitHub team, as in its address'),
      },
      '{ org, team }',
    ),
    access: optional(Access),
    aws: closed(
      {
        region,
        registry: optional(
          text('^[A-Za-z0-9.-]+(:[0-9]{1,5})?$', 'the host of a registry, without scheme and path'),
        ),
      },
      '{ region }',
    ),
    environments: map(Environment, 'a map of at least one environment', 1),
    apps: map(App, 'a map of at least one app', 1),
    limits: optional(Limits),
    slack: optional(
      closed(
        {
          users: optional(
            map(text('^[UW][A-Z0-9]+$', 'a Slack member id such as U024BE7LH'), 'a map of logins to members'),
          ),
        },
        '{ users }',
      ),
    ),
    releaseNotes: optional(ReleaseNotes),
  },
  'a configuration: { repository, maintainers, aws, environments, apps, … }',
);

export type ConfigFile = Static<typeof ConfigSchema>;
