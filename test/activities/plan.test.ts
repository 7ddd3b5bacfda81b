/** A plan is what the deployment does, less its writes: both are done, and compared. */
import { ListTaskDefinitionsCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createGitHubActivities } from '../../activities/github/index.js';
import type { EcsWorld } from '../support/ecs.js';
import { definition, ID, lookAt, MARKER, run, startEcsWorld, TARGET, ACTOR } from '../support/ecs.js';
import { failureOf } from '../support/failures.js';
import type { GitHubWorld } from '../support/github-world.js';
import { createWorld } from '../support/github-world.js';

describe('renderPlan', () => {
  let world: EcsWorld;
  afterEach(() => world.close());
  const revisions = async () =>
    (await world.client.send(new ListTaskDefinitionsCommand({}))).taskDefinitionArns ?? [];

  it('says what register then does, and registers nothing', async () => {
    world = await startEcsWorld();
    const template = definition('staging-api-template', world.reference('v1'));
    const [django, ...others] = template.containerDefinitions ?? [];
    await world.client.send(
      new RegisterTaskDefinitionCommand({
        ...template,
        containerDefinitions: [{ ...django, environment: [{ name: 'NEW', value: MARKER }] }, ...others],
      }),
    );
    const before = await revisions();
    const images = world.images('v2');
    const look = await lookAt(world);
    const planned = await run(world.activities.renderPlan, {
      ...TARGET,
      ...{ tag: 'v2', release: 'v2', images, look },
    });
    expect(await revisions()).toEqual(before);
    expect(planned.variables.added).toEqual(['django/NEW']);
    expect(planned.images.map(({ after }) => after)).toEqual(
      images.map(({ repository, digest }) => `${world.aws.registry}/${repository}:v2@${digest}`),
    );
    expect(JSON.stringify(planned)).not.toContain(MARKER);
    const input = { ...TARGET, id: ID, ...ACTOR, tag: 'v2', release: 'v2', images, look };
    const { revision, ...done } = await run(world.activities.register, input);
    expect(planned).toEqual(done);

    // What runs then is known by what Sluice wrote on it.
    await run(world.activities.update, { ...TARGET, id: ID, revision, look });
    await world.settle();
    const again = await run(world.activities.renderPlan, {
      ...{
        ...TARGET,
        tag: 'v2',
        release: 'v2',
        images,
        look: await run(world.activities.look, { ...TARGET, id: 'plan' }),
      },
    });
    expect(again.runs).toBe('v2');
    expect(again.variables).toEqual({ added: [], removed: [], changed: [] });
  });

  it('names images that are not built yet without a digest', async () => {
    world = await startEcsWorld();
    const commit = 'c'.repeat(40);
    const input = { ...TARGET, tag: commit, release: commit, look: await lookAt(world) };
    const { images } = await run(world.activities.renderPlan, input);
    expect(images.map(({ after }) => after)).toEqual([
      `${world.aws.registry}/openverse-api:${commit}`,
      `${world.aws.registry}/openverse-api_nginx:${commit}`,
    ]);
  });

  it('is refused as register is', async () => {
    world = await startEcsWorld();
    const look = await lookAt(world);
    const images = world.images('v2').map((image) => ({ ...image, containers: ['missing'] }));
    const planned = run(world.activities.renderPlan, { ...TARGET, tag: 'v2', release: 'v2', images, look });
    const input = { ...TARGET, id: ID, ...ACTOR, tag: 'v2', release: 'v2', images, look };
    const [one, two] = [await failureOf(planned), await failureOf(run(world.activities.register, input))];
    expect([one.type, one.message]).toEqual(['CONTAINER_MISSING', two.message]);
  });
});

describe('compareCommits', () => {
  let world: GitHubWorld;
  const commits: string[] = [];
  beforeAll(async () => {
    world = await createWorld();
    for (let n = 0; n < 4; n += 1) {
      commits.push(await world.source.commit({ 'a.txt': `${n}\n` }, `change ${n}\n\nwith a body`));
    }
  }, 60_000);
  afterAll(() => world.close());
  const compare = (base: number, head: number) =>
    createGitHubActivities(world).compareCommits({ base: commits[base] ?? '', head: commits[head] ?? '' });

  it('lists what comes, newest first, by the first line', async () => {
    const answer = await compare(0, 3);
    expect([answer.status, answer.commitCount]).toEqual(['ahead', 3]);
    expect(answer.commits.map(({ title }) => title)).toEqual(['change 3', 'change 2', 'change 1']);
    expect(answer.commits[0]).toMatchObject({ sha: commits[3], author: expect.any(String) });
  });

  it('going back it lists what goes', async () => {
    const answer = await compare(3, 1);
    expect(answer.status).toBe('behind');
    expect(answer.commits.map(({ title }) => title)).toEqual(['change 3', 'change 2']);
  });

  it('says so where GitHub knows neither', async () => {
    const unknown = createGitHubActivities(world).compareCommits({
      base: 'd'.repeat(40),
      head: commits[0] ?? '',
    });
    expect((await failureOf(unknown)).type).toBe('NOT_FOUND');
  });
});
