import type { TaskDefinition } from '@aws-sdk/client-ecs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesAgainst, ContainerMissingError, imageChanges, render } from '../../domain/render.js';
import type { RenderInput } from '../../domain/render.js';

const DIGEST = `sha256:${'d'.repeat(64)}`;
const IMAGE = `registry.example/openverse-api:abc@${DIGEST}`;
const OWN = { deployment: 'staging.api.abcd1234', tag: 'abc', release: 'abc' };

const template = (change: Partial<TaskDefinition> = {}): TaskDefinition => ({
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:1:task-definition/staging-api-template:4',
  family: 'staging-api-template',
  revision: 4,
  status: 'ACTIVE',
  requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' }],
  compatibilities: ['EC2', 'FARGATE'],
  requiresCompatibilities: ['FARGATE'],
  registeredAt: new Date(0),
  deregisteredAt: new Date(0),
  deleteRequestedAt: new Date(0),
  registeredBy: 'arn:aws:iam::1:root',
  cpu: '256',
  memory: '512',
  networkMode: 'awsvpc',
  containerDefinitions: [
    {
      name: 'django',
      image: 'old',
      environment: [{ name: 'A', value: '' }],
      essential: false,
      cpu: 0,
      links: [],
    },
    { name: 'nginx', image: 'old-nginx' },
    { name: 'sidecar', image: 'theirs' },
  ],
  ...change,
});

const input = (change: Partial<RenderInput> = {}): RenderInput => ({
  template: template(),
  family: 'staging-api',
  images: [{ container: 'django', image: IMAGE }],
  tags: [],
  own: OWN,
  ...change,
});

describe('render', () => {
  it('sets family and images, and leaves other containers as they are', () => {
    const rendered = render(
      input({
        images: [
          { container: 'django', image: IMAGE },
          { container: 'nginx', image: 'n' },
        ],
      }),
    );
    expect(rendered.family).toBe('staging-api');
    expect(rendered.containerDefinitions?.map(({ image }) => image)).toEqual([IMAGE, 'n', 'theirs']);
  });

  it('drops every read-only field', () => {
    expect(Object.keys(render(input())).sort()).toEqual([
      'containerDefinitions',
      'cpu',
      'family',
      'memory',
      'networkMode',
      'requiresCompatibilities',
      'tags',
    ]);
  });

  it('drops null, also deep down, and keeps empty values', () => {
    const given = template({ proxyConfiguration: null as never, volumes: [], pidMode: '' as never });
    Object.assign(given.containerDefinitions?.[0] ?? {}, { healthCheck: null, command: [] });
    const rendered = render(input({ template: given }));
    expect(rendered).not.toHaveProperty('proxyConfiguration');
    expect(rendered).toMatchObject({ volumes: [], pidMode: '' });
    expect(rendered.containerDefinitions?.[0]).toEqual({
      name: 'django',
      image: IMAGE,
      environment: [{ name: 'A', value: '' }],
      essential: false,
      cpu: 0,
      links: [],
      command: [],
    });
  });

  it('copies tags except AWS’s own, and marks the revision as ours', () => {
    const tags = [
      { key: 'team', value: 'openverse' },
      { key: 'empty', value: '' },
      { key: 'aws:cloudformation:stack-name', value: 's' },
      { key: 'sluice:deployment', value: 'staging.api.other' },
    ];
    expect(render(input({ tags })).tags).toEqual([
      { key: 'team', value: 'openverse' },
      { key: 'empty', value: '' },
      { key: 'sluice:deployment', value: OWN.deployment },
      { key: 'sluice:tag', value: OWN.tag },
      { key: 'sluice:release', value: OWN.release },
    ]);
  });

  it('names the containers that are missing, and those that are there', () => {
    const call = (): unknown => render(input({ images: [{ container: 'web', image: IMAGE }] }));
    expect(call).toThrow(ContainerMissingError);
    expect(call).toThrow(/no container “web”; it has “django”, “nginx”, “sidecar”/);
  });

  it('does not change its input', () => {
    const given = template();
    const before = structuredClone(given);
    render(input({ template: given }));
    expect(given).toEqual(before);
  });

  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(''),
    fc.constant(0),
    fc.constant([]),
  );
  const settings = fc.dictionary(
    fc.stringMatching(/^x[a-zA-Z]{1,8}$/),
    fc.oneof(value, fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), value)),
  );

  it('changes nothing but family, images and tags', () => {
    fc.assert(
      fc.property(settings, settings, (top, inner) => {
        const given = {
          ...template(),
          ...top,
          containerDefinitions: [{ name: 'django', image: 'old', ...inner }],
        };
        const { family, tags, containerDefinitions, ...rest } = render(input({ template: given }));
        expect(family).toBe('staging-api');
        expect(tags).toHaveLength(3);
        expect(containerDefinitions).toEqual([{ name: 'django', image: IMAGE, ...plain(inner) }]);
        expect(rest).toEqual({
          ...plain(top),
          cpu: '256',
          memory: '512',
          networkMode: 'awsvpc',
          requiresCompatibilities: ['FARGATE'],
        });
      }),
    );
  });
});

/** fast-check's dictionaries may have no prototype. */
const plain = (of: object): object => JSON.parse(JSON.stringify(of)) as object;

describe('changesAgainst', () => {
  const one = (environment: [string, string][], secrets: [string, string][] = []): TaskDefinition => ({
    containerDefinitions: [
      {
        name: 'django',
        environment: environment.map(([name, value]) => ({ name, value })),
        secrets: secrets.map(([name, valueFrom]) => ({ name, valueFrom })),
      },
    ],
  });

  it('names what was added, removed and changed', () => {
    const before = one(
      [
        ['A', '1'],
        ['B', '2'],
        ['SAME', 'x'],
      ],
      [['S', 'arn:1']],
    );
    const after = one(
      [
        ['B', '3'],
        ['C', '4'],
        ['SAME', 'x'],
      ],
      [
        ['S', 'arn:2'],
        ['T', 'arn:3'],
      ],
    );
    expect(changesAgainst(before, after)).toEqual({
      variables: { added: ['C'], removed: ['A'], changed: ['B'] },
      secrets: { added: ['T'], removed: [], changed: ['S'] },
    });
  });

  it('names the container where there are several', () => {
    const before = {
      containerDefinitions: [{ name: 'a', environment: [{ name: 'X', value: '1' }] }, { name: 'b' }],
    };
    const after = {
      containerDefinitions: [{ name: 'a' }, { name: 'b', environment: [{ name: 'X', value: '1' }] }],
    };
    expect(changesAgainst(before, after).variables).toEqual({
      added: ['b/X'],
      removed: ['a/X'],
      changed: [],
    });
  });

  it('takes everything as added where nothing ran', () => {
    expect(changesAgainst(undefined, one([['A', '1']])).variables.added).toEqual(['A']);
  });

  it('never tells a value', () => {
    const pairs = fc.uniqueArray(
      fc.tuple(fc.stringMatching(/^[A-Z]{1,4}$/), fc.integer({ min: 1, max: 3 })),
      {
        selector: ([name]) => name,
      },
    );
    const secretive = (list: [string, number][]): [string, string][] =>
      list.map(([name, n]) => [name, `secret-${n}`]);
    fc.assert(
      fc.property(pairs, pairs, (before, after) => {
        const told = changesAgainst(
          one(secretive(before), secretive(after)),
          one(secretive(after), secretive(before)),
        );
        expect(JSON.stringify(told)).not.toContain('secret-');
      }),
    );
  });
});

describe('imageChanges', () => {
  it('tells before and after of the configured containers', () => {
    const running = { containerDefinitions: [{ name: 'django', image: 'was' }] };
    const rendered = {
      containerDefinitions: [
        { name: 'django', image: 'is' },
        { name: 'nginx', image: 'new' },
      ],
    };
    expect(imageChanges(running, rendered, ['django', 'nginx'])).toEqual([
      { container: 'django', before: 'was', after: 'is' },
      { container: 'nginx', after: 'new' },
    ]);
  });
});
