/** Rollbacks and redeployments against the stand-in: what they find before anything is written. */
import { DeregisterTaskDefinitionCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createValidate } from '../../activities/ecr/validate.js';
import { tagsOfSet } from '../../activities/ecr/tags.js';
import { createRollbackActivities } from '../../activities/rollback/index.js';
import type { PlanRollbackInput, RollbackDeps } from '../../activities/rollback/index.js';
import type { AppConfig, Config } from '../../domain/config/config.js';
import type { BadMark, LaneView, LiveRelease } from '../../domain/messages.js';
import { definition, MARKER, REF, run, startEcsWorld } from '../support/ecs.js';
import type { EcsWorld } from '../support/ecs.js';
import { failureOf } from '../support/failures.js';
import { ecrAt } from '../support/images.js';

const TARGET = { app: 'api', environment: 'production' };
const AT = '2026-01-01T00:00:00.000Z';

let world: EcsWorld;
let config: Config;
let lane: LaneView;
let deps: RollbackDeps;
let activities: ReturnType<typeof createRollbackActivities>;

/** The stand-in's only service, as production's. Its version endpoint reports `v1`. */
beforeEach(async () => {
  world = await startEcsWorld();
  const { staging } = world.config.environments;
  const api = world.config.apps['api']!;
  config = {
    ...world.config,
    environments: { staging: staging!, production: staging! },
    apps: {
      api: {
        ...api,
        environments: { staging: api.environments['staging']!, production: api.environments['staging']! },
      },
    },
  };
  lane = { ...TARGET, waiting: [], waitingCount: 0, verified: [], bad: [] };
  const aws = { ...ecrAt(world.aws.url), ecs: () => world.client };
  const { validate } = createValidate({ config, aws });
  const readLane: RollbackDeps['readLane'] = async ({ environment }) =>
    environment === 'production' ? lane : undefined;
  deps = { config, aws, validate, readLane };
  activities = createRollbackActivities(deps);
});
afterEach(() => world.close());

const plan = async (input: Partial<PlanRollbackInput> = {}) =>
  await run(activities.planRollback, { ...TARGET, ...input });
const current = async () => await run(activities.validateCurrent, TARGET);

function verified(name: string, change: Partial<LiveRelease> = {}): LiveRelease {
  const digests = Object.fromEntries(
    world.images(name).map(({ repository, digest }) => [repository, digest]),
  );
  return {
    ...{ id: `production.api.${name}`, release: name, tag: name, digests, revision: 'arn:none' },
    ...{ verified: true, at: AT, by: 'alice', ...change },
  };
}

const mark = (release: string): BadMark => ({ release, reason: 'errors', by: 'bob', at: AT });

/** As a deployment of Sluice's would have registered it, with variables of its own. */
function ownRevision(release: string, variables: { name: string; value: string }[]): void {
  const base: RegisterTaskDefinitionCommandInput = definition('staging-api', world.reference('v1'));
  const [django, ...others] = base.containerDefinitions ?? [];
  world.aws.taskDefinition({
    ...base,
    containerDefinitions: [
      { ...django, environment: [...(django?.environment ?? []), ...variables] },
      ...others,
    ],
    tags: [{ key: 'sluice:release', value: release }],
  });
}

describe('the plan of a rollback', () => {
  it('without a tag is the last release verified before the one that is reported, by its digests', async () => {
    const v0 = verified('v0');
    lane.verified = [verified('v1'), v0];
    // Moved since: what was verified counts.
    world.images('v0', { other: 'image' });
    expect(await plan()).toEqual({
      plan: {
        tag: 'v0',
        digests: v0.digests,
        release: 'v0',
        live: { release: 'v1', tag: 'v1' },
        warnings: [],
      },
    });
  });

  it('counts as live what the endpoint reports, not what was done last', async () => {
    lane.verified = [verified('v2'), verified('v1'), verified('v0')];
    lane.live = lane.verified[0]!;
    expect((await plan()).plan).toMatchObject({ release: 'v0', live: { release: 'v1' } });
  });

  it('counts what was done last, where the endpoint cannot be asked', async () => {
    const production = config.apps['api']!.environments['production']!;
    const { versionUrl: _versionUrl, ...silent } = production;
    config.apps['api']!.environments['production'] = silent;
    lane.verified = [verified('v2'), verified('v1')];
    lane.live = lane.verified[0]!;
    expect((await plan()).plan).toMatchObject({ release: 'v1', live: { release: 'v2', tag: 'v2' } });
    delete lane.live;
    const unknown = (await plan({ tag: 'v1' })).plan;
    expect(unknown?.live).toBeUndefined();
    expect(unknown?.warnings.map(({ code }) => code)).toEqual(['LIVE_UNKNOWN']);
  });

  it('passes a bad release, and has no target where none is left', async () => {
    lane.verified = [verified('v1'), verified('v0'), verified('older')];
    lane.bad = [mark('v0')];
    expect((await plan()).plan?.release).toBe('older');
    lane.bad = [mark('v0'), mark('older')];
    const failure = await failureOf(plan());
    expect(failure).toMatchObject({ type: 'NO_ROLLBACK_TARGET', nonRetryable: true });
    expect(failure.message).toContain('before v1: name a tag');
  });

  it('with a tag takes any that every image has, old ones and git tags of releases too', async () => {
    world.images('old-tag');
    expect((await plan({ tag: 'old-tag' })).plan).toMatchObject({ tag: 'old-tag', release: 'old-tag' });
    world.images('rel-2024.01.02.03.04.05');
    expect((await plan({ tag: 'api-2024.01.02.03.04.05' })).plan?.tag).toBe('rel-2024.01.02.03.04.05');
  });

  it('to what is live marks nothing, and says so', async () => {
    expect((await plan({ tag: 'v1' })).plan?.warnings.map(({ code }) => code)).toEqual(['SAME_RELEASE']);
  });

  it('refuses a bad release, unless overridden', async () => {
    world.images('v0');
    lane.bad = [mark('v0')];
    const failure = await failureOf(plan({ tag: 'v0' }));
    expect(failure.type).toBe('RELEASE_BAD');
    expect(failure.message).toContain('marked bad by bob');
    expect((await plan({ tag: 'v0', override: true })).plan?.release).toBe('v0');
    // Marks are the app's, for both environments.
    expect((await failureOf(plan({ environment: 'staging', tag: 'v0' }))).type).toBe('RELEASE_BAD');
  });

  it('refuses a locked lane with its lock, unless overridden or at its turn', async () => {
    lane.lock = { reason: 'freeze', by: 'bob', at: AT };
    lane.verified = [verified('v1'), verified('v0')];
    const failure = await failureOf(plan());
    expect(failure).toMatchObject({ type: 'LOCKED', details: [lane.lock] });
    expect((await plan({ override: true })).plan?.release).toBe('v0');
    expect((await plan({ atTurn: true })).plan?.release).toBe('v0');
  });

  it('finds no service that is not configured', async () => {
    expect((await failureOf(plan({ app: 'nothing' }))).type).toBe('NOT_FOUND');
  });
});

describe('where something goes before it', () => {
  const ticket = { tag: 'v2', actor: 'alice', queuedAt: AT, ready: true };

  it('decides later, and checks now what can be checked', async () => {
    lane.running = { id: 'production.api.running', kind: 'release', ...ticket };
    expect(await plan()).toEqual({ undecided: 'production.api.running' });
    expect((await failureOf(plan({ tag: 'absent' }))).type).toBe('TAG_NOT_FOUND');
    expect(await plan({ tag: 'v1' })).toMatchObject({
      undecided: 'production.api.running',
      plan: { tag: 'v1' },
    });
    lane.verified = [verified('v1'), verified('v0')];
    expect((await plan({ atTurn: true })).plan?.release).toBe('v0');
  });

  it('is only what does: another rollback, not a deployment that waits', async () => {
    lane.verified = [verified('v1'), verified('v0')];
    lane.waiting = [{ id: 'production.api.deploy', kind: 'deploy', ...ticket }];
    expect((await plan()).undecided).toBeUndefined();
    lane.waiting.push({ id: 'production.api.back', kind: 'rollback', ...ticket });
    expect((await plan()).undecided).toBe('production.api.back');
  });
});

describe('an unknown tag', () => {
  it('gets the nearest and the most recent tags that every image has', async () => {
    for (const tag of ['release-one', 'release-two']) world.images(tag);
    world.aws.image({ repository: 'openverse-api', tag: 'release-six', release: 'x' });
    const failure = await failureOf(plan({ tag: 'release-on' }));
    expect(failure).toMatchObject({ type: 'TAG_NOT_FOUND', nonRetryable: true });
    expect(failure.message).toMatch(/openverse-api(_nginx)?:release-on does not exist/);
    expect(failure.message).toContain('nearest: release-one');
    const [details] = failure.details as [{ nearest: string[]; recent: string[] }];
    expect(details.nearest).toContain('release-one');
    expect(details.recent).toContain('v1');
    expect([...details.nearest, ...details.recent]).not.toContain('release-six');
  });

  it('of a form that no tag has is refused the same way', async () => {
    expect((await failureOf(plan({ tag: '--help me/$(x)' }))).type).toBe('TAG_NOT_FOUND');
  });

  it('may be one whose images were removed since they were verified', async () => {
    const gone = {
      'openverse-api': `sha256:${'0'.repeat(64)}`,
      'openverse-api_nginx': `sha256:${'0'.repeat(64)}`,
    };
    lane.verified = [verified('v1'), { ...verified('v0'), digests: gone }];
    const failure = await failureOf(plan());
    expect(failure.type).toBe('TAG_NOT_FOUND');
    expect(failure.message).toContain('most recent: ');
  });

  it('gets nothing where images may not be listed', async () => {
    world.aws.fault({ operation: 'ecr:DescribeImages', kind: 'deny' });
    const failure = await failureOf(plan({ tag: 'absent' }));
    expect(failure.type).toBe('TAG_NOT_FOUND');
    expect(failure.message).not.toContain('most recent');
  });

  it('is looked for through all pages', async () => {
    for (let i = 0; i < 1_005; i += 1) {
      world.aws.image({ repository: 'openverse-api', tag: `t${i}`, release: `t${i}` });
    }
    const api = config.apps['api']!;
    const [django] = api.images;
    const only = { ...api, images: [django!] };
    const tags = await run(async (app: AppConfig) => await tagsOfSet(deps.aws, app), only);
    expect(tags.length).toBeGreaterThanOrEqual(1_005);
    expect(tags.every(({ pushedAt }) => !Number.isNaN(Date.parse(pushedAt)))).toBe(true);
  });
});

describe('the template', () => {
  it('that is not there is told before anything is written', async () => {
    await world.client.send(
      new DeregisterTaskDefinitionCommand({ taskDefinition: 'staging-api-template:1' }),
    );
    expect((await failureOf(plan({ tag: 'v1' }))).type).toBe('TEMPLATE_NOT_FOUND');
  });

  it('that lacks a container is told too', async () => {
    const whole = definition('staging-api-template', world.reference('v1'));
    world.aws.taskDefinition({ ...whole, containerDefinitions: whole.containerDefinitions?.slice(0, 1) });
    const failure = await failureOf(plan({ tag: 'v1' }));
    expect(failure.type).toBe('CONTAINER_MISSING');
    expect(failure.message).toContain('nginx');
  });

  it('warns of variables, by name, that the target’s own last revision had', async () => {
    world.images('v0');
    ownRevision('v0', [{ name: 'EVEN_OLDER', value: MARKER }]);
    ownRevision('v0', [{ name: 'OLD_FLAG', value: MARKER }]);
    ownRevision('other', [{ name: 'NOT_ITS', value: MARKER }]);
    const { plan: found } = await plan({ tag: 'v0' });
    expect(found?.warnings.map(({ code }) => code)).toEqual(['VARIABLES_MISSING']);
    const message = found?.warnings[0]?.message ?? '';
    expect(message).toContain('lacks: django/OLD_FLAG');
    expect(message).not.toContain('OLDER');
    expect(JSON.stringify(found)).not.toContain(MARKER);
  });
});

describe('what a redeployment deploys', () => {
  it('is the tag of what the version endpoint reports', async () => {
    expect(await current()).toMatchObject({
      tag: 'v1',
      release: 'v1',
      images: [{ tag: 'v1' }, { tag: 'v1' }],
    });
  });

  it('is a tag that the lane knows it by, where the release is no tag', async () => {
    const commit = 'c'.repeat(40);
    for (const repository of ['openverse-api', 'openverse-api_nginx']) {
      world.aws.image({
        repository,
        tag: 'rel-x',
        release: commit,
        labels: { 'org.opencontainers.image.revision': commit },
      });
    }
    world.aws.taskDefinition(definition('staging-api', world.reference('rel-x')));
    await world.client.send(new UpdateServiceCommand({ ...REF, taskDefinition: 'staging-api' }));
    await world.settle();
    expect((await failureOf(current())).message).toContain('of which no image tag is known. Pass a tag');
    lane.live = { ...verified('v9'), release: commit, tag: 'rel-x' };
    expect(await current()).toMatchObject({ tag: 'rel-x', release: commit });
  });

  it('is unknown where the tag has been moved to another release', async () => {
    world.images('v1', { 'org.opencontainers.image.revision': 'd'.repeat(40) });
    expect((await failureOf(current())).type).toBe('RELEASE_UNKNOWN');
  });

  it('is unknown where there is no endpoint', async () => {
    const { versionUrl: _versionUrl, ...silent } = config.apps['api']!.environments['production']!;
    config.apps['api']!.environments['production'] = silent;
    const failure = await failureOf(current());
    expect(failure).toMatchObject({ type: 'RELEASE_UNKNOWN', nonRetryable: true });
    expect(failure.message).toContain('Pass a tag');
  });

  it('may be bad: that is for its deployment to judge', async () => {
    lane.bad = [mark('v1')];
    expect((await current()).bad).toContain('v1 was marked bad by bob');
  });
});

describe('validate', () => {
  it('tells of a bad mark on the release that it finds, in either environment', async () => {
    const validate = async (environment: string) =>
      await run(activities.validate, { app: 'api', environment, tag: 'v1' });
    expect(await validate('staging')).not.toHaveProperty('bad');
    lane.bad = [mark('v1')];
    expect((await validate('staging')).bad).toContain('errors');
    expect((await validate('production')).bad).toContain('override');
  });
});
