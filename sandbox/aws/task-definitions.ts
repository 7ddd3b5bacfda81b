/** Task definitions: every registration is a revision of its own, since AWS takes no token here. */
import type {
  DeregisterTaskDefinitionCommandInput,
  DescribeTaskDefinitionCommandInput,
  ListTaskDefinitionsCommandInput,
  RegisterTaskDefinitionCommandInput,
} from '@aws-sdk/client-ecs';
import { AwsError, operation, paginate, seconds } from './protocol.js';
import type { Operation } from './protocol.js';
import { arn } from './state.js';
import type { TaskDefinitionRecord, World } from './state.js';

/** `family`, `family:revision` or ARN; a family alone means its latest ACTIVE revision. */
export function findTaskDefinition(
  world: World,
  reference: string | undefined,
): TaskDefinitionRecord | undefined {
  const name = (reference ?? '').split('/').at(-1) ?? '';
  const [family = '', revision] = name.split(':');
  const revisions = world.taskDefinitions.get(family) ?? [];
  if (revision === undefined) return revisions.findLast((one) => one.status === 'ACTIVE');
  return revisions.find((one) => one.revision === Number(revision));
}

/** AWS fills these in, so what is described is more than what was registered. */
const CONTAINER_DEFAULTS = {
  cpu: 0,
  portMappings: [],
  essential: true,
  environment: [],
  mountPoints: [],
  volumesFrom: [],
  systemControls: [],
};

export function registerTaskDefinition(
  world: World,
  input: RegisterTaskDefinitionCommandInput,
): TaskDefinitionRecord {
  const { tags = [], family, ...body } = input;
  if (!family || !/^[A-Za-z0-9_-]{1,255}$/.test(family))
    throw new AwsError('ClientException', 'Invalid family.');
  if (!body.containerDefinitions?.length)
    throw new AwsError('ClientException', 'Container list cannot be empty.');
  if (body.containerDefinitions.some((container) => !container.name || !container.image))
    throw new AwsError('ClientException', 'Container.image should not be null or empty.');
  if (tags.some((tag) => tag.key?.toLowerCase().startsWith('aws:')))
    throw new AwsError('InvalidParameterException', "Tag keys can't start with 'aws:'.");
  const revisions = world.taskDefinitions.get(family) ?? [];
  const revision = (revisions.at(-1)?.revision ?? 0) + 1;
  const record: TaskDefinitionRecord = {
    arn: arn(world, `task-definition/${family}:${revision}`),
    family,
    revision,
    status: 'ACTIVE',
    body: {
      volumes: [],
      placementConstraints: [],
      ...body,
      family,
      containerDefinitions: body.containerDefinitions.map((one) => ({ ...CONTAINER_DEFAULTS, ...one })),
    },
    tags,
    registeredAt: Date.now(),
  };
  world.taskDefinitions.set(family, [...revisions, record]);
  return record;
}

const present = (world: World, record: TaskDefinitionRecord): object => ({
  ...record.body,
  taskDefinitionArn: record.arn,
  revision: record.revision,
  status: record.status,
  requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' }],
  compatibilities: ['EC2', ...(record.body.requiresCompatibilities?.includes('FARGATE') ? ['FARGATE'] : [])],
  registeredAt: seconds(record.registeredAt),
  registeredBy: `arn:aws:iam::${world.account}:root`,
  ...(record.deregisteredAt ? { deregisteredAt: seconds(record.deregisteredAt) } : {}),
});

export function taskDefinitionOperations(world: World): Record<string, Operation> {
  return {
    RegisterTaskDefinition: operation<RegisterTaskDefinitionCommandInput>((input) => {
      const record = registerTaskDefinition(world, input);
      return { taskDefinition: present(world, record), tags: record.tags };
    }),
    DescribeTaskDefinition: operation<DescribeTaskDefinitionCommandInput>(({ taskDefinition, include }) => {
      const record = findTaskDefinition(world, taskDefinition);
      if (!record) throw new AwsError('ClientException', 'Unable to describe task definition.');
      return {
        taskDefinition: present(world, record),
        ...(include?.includes('TAGS') ? { tags: record.tags } : {}),
      };
    }),
    DeregisterTaskDefinition: operation<DeregisterTaskDefinitionCommandInput>(({ taskDefinition }) => {
      const record = taskDefinition?.includes(':') ? findTaskDefinition(world, taskDefinition) : undefined;
      if (!record) throw new AwsError('ClientException', 'The specified task definition does not exist.');
      record.status = 'INACTIVE';
      record.deregisteredAt = Date.now();
      return { taskDefinition: present(world, record) };
    }),
    ListTaskDefinitions: operation<ListTaskDefinitionsCommandInput>((input) => {
      // At AWS `familyPrefix` is the whole family name, in spite of its name.
      const families = input.familyPrefix ? [input.familyPrefix] : [...world.taskDefinitions.keys()].sort();
      const arns = families
        .flatMap((family) => world.taskDefinitions.get(family) ?? [])
        .filter((record) => record.status === (input.status ?? 'ACTIVE'))
        .map((record) => record.arn);
      if (input.sort === 'DESC') arns.reverse();
      const { page, nextToken } = paginate(arns, input);
      return { taskDefinitionArns: page, nextToken };
    }),
  };
}
