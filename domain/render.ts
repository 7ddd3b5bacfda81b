/** Renders a template task definition for registration (design, "Register"). */
import type {
  KeyValuePair,
  RegisterTaskDefinitionCommandInput,
  Secret,
  Tag,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import type { ImageChange, NameChanges } from './deployment.js';

/** Tags that mark a revision as Sluice's; a revision with our deployment's is looked for before registering. */
export const TAG = {
  deployment: 'sluice:deployment',
  tag: 'sluice:tag',
  release: 'sluice:release',
} as const;

const OWN_PREFIX = 'sluice:';
const RESERVED_PREFIX = 'aws:';

/** What DescribeTaskDefinition tells and RegisterTaskDefinition does not take. */
const READ_ONLY: ReadonlySet<string> = new Set<
  Exclude<keyof TaskDefinition, keyof RegisterTaskDefinitionCommandInput>
>([
  'compatibilities',
  'deleteRequestedAt',
  'deregisteredAt',
  'registeredAt',
  'registeredBy',
  'requiresAttributes',
  'revision',
  'status',
  'taskDefinitionArn',
]);

export interface RenderInput {
  template: TaskDefinition;
  /** Family to register under. */
  family: string;
  /** Container → `{registry}/{repository}:{tag}@{digest}`. */
  images: { container: string; image: string }[];
  /** Tags of the template. */
  tags: readonly Tag[];
  own: { deployment: string; tag: string; release: string };
}

/** `CONTAINER_MISSING`: the template lacks containers that the configuration names. */
export class ContainerMissingError extends Error {
  override name = 'ContainerMissingError';
  readonly code = 'CONTAINER_MISSING';
  constructor(
    readonly missing: string[],
    has: string[],
  ) {
    const named = missing.map((name) => `“${name}”`).join(', ');
    super(
      `The template has no container ${named}; it has ${has.map((name) => `“${name}”`).join(', ') || 'none'}. Mend the template or sluice.yaml`,
    );
  }
}

/** @throws {ContainerMissingError} */
export function render(input: RenderInput): RegisterTaskDefinitionCommandInput {
  const { template, family, images, tags, own } = input;
  const wanted = new Map(images.map(({ container, image }) => [container, image]));
  const has = (template.containerDefinitions ?? []).map(({ name }) => name ?? '');
  const missing = [...wanted.keys()].filter((container) => !has.includes(container));
  if (missing.length > 0) throw new ContainerMissingError(missing, has);

  const kept = Object.fromEntries(Object.entries(template).filter(([field]) => !READ_ONLY.has(field)));
  const copy = withoutNull(kept) as Omit<TaskDefinition, 'family' | 'containerDefinitions'>;
  const containerDefinitions = (template.containerDefinitions ?? []).map((container) => {
    const image = wanted.get(container.name ?? '');
    return { ...withoutNull(container), ...(image === undefined ? {} : { image }) };
  });
  return { ...copy, family, containerDefinitions, tags: [...copied(tags), ...marks(own)] };
}

const copied = (tags: readonly Tag[]): Tag[] =>
  tags.filter(
    ({ key }) => key !== undefined && !key.startsWith(RESERVED_PREFIX) && !key.startsWith(OWN_PREFIX),
  );

const marks = (own: RenderInput['own']): Tag[] => [
  { key: TAG.deployment, value: own.deployment },
  { key: TAG.tag, value: own.tag },
  { key: TAG.release, value: own.release },
];

/** A deep copy without null and undefined; `""`, `0`, `false` and `[]` stay. */
function withoutNull<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.filter((item) => item !== null && item !== undefined).map(withoutNull) as T;
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNull(item)]),
  ) as T;
}

/** Image of each container that the rendered revision changes or sets, before → after. */
export function imageChanges(
  running: Pick<TaskDefinition, 'containerDefinitions'> | undefined,
  rendered: Pick<TaskDefinition, 'containerDefinitions'>,
  containers: readonly string[],
): ImageChange[] {
  const before = byName(running);
  const after = byName(rendered);
  return containers.map((container) => {
    const was = before.get(container)?.image;
    return {
      container,
      ...(was === undefined ? {} : { before: was }),
      after: after.get(container)?.image ?? '',
    };
  });
}

/**
 * Names of variables and secrets that differ from what runs, sorted; `container/NAME` where there are
 * several containers. Never a value (rule 7).
 */
export function changesAgainst(
  running: Pick<TaskDefinition, 'containerDefinitions'> | undefined,
  rendered: Pick<TaskDefinition, 'containerDefinitions'>,
): { variables: NameChanges; secrets: NameChanges } {
  const before = byName(running);
  const after = byName(rendered);
  const containers = new Set([...before.keys(), ...after.keys()]);
  const prefix = (container: string): string => (containers.size > 1 ? `${container}/` : '');
  const values = (from: typeof before, read: (of: Container) => [string, string][]): Map<string, string> =>
    new Map(
      [...from].flatMap(([name, of]) =>
        read(of).map(([variable, value]): [string, string] => [`${prefix(name)}${variable}`, value]),
      ),
    );
  return {
    variables: difference(values(before, variablesOf), values(after, variablesOf)),
    secrets: difference(values(before, secretsOf), values(after, secretsOf)),
  };
}

type Container = NonNullable<TaskDefinition['containerDefinitions']>[number];

const byName = (of: Pick<TaskDefinition, 'containerDefinitions'> | undefined): Map<string, Container> =>
  new Map((of?.containerDefinitions ?? []).map((container) => [container.name ?? '', container]));

const variablesOf = (container: Container): [string, string][] =>
  (container.environment ?? []).map(({ name, value }: KeyValuePair) => [name ?? '', value ?? '']);

const secretsOf = (container: Container): [string, string][] =>
  (container.secrets ?? []).map(({ name, valueFrom }: Secret) => [name ?? '', valueFrom ?? '']);

function difference(before: Map<string, string>, after: Map<string, string>): NameChanges {
  const names = (of: Iterable<string>): string[] => [...of].sort();
  return {
    added: names([...after.keys()].filter((name) => !before.has(name))),
    removed: names([...before.keys()].filter((name) => !after.has(name))),
    changed: names(
      [...after].flatMap(([name, value]) => (before.has(name) && before.get(name) !== value ? [name] : [])),
    ),
  };
}
