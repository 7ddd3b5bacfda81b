/** Look, register and update against the stand-in, with crashes between them. */
import { DeregisterTaskDefinitionCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ID,
  lookAt,
  MARKER,
  definition,
  REF,
  registered,
  run,
  startEcsWorld,
  TARGET,
} from '../support/ecs.js';
import type { EcsWorld } from '../support/ecs.js';

let world: EcsWorld;
afterEach(async () => {
  await world.close();
});

describe('look', () => {
  it('keeps what runs as the way back, with drift noted where Sluice did not deploy it', async () => {
    world = await startEcsWorld();
    const { revision, deployment } = world.aws.standing(REF);
    const look = await lookAt(world);
    expect(look).toMatchObject({
      service: REF.service,
      cluster: REF.cluster,
      primary: deployment,
      revision,
      wayBack: revision,
      desired: 2,
    });
    expect(Object.keys(look.wayBackDigests)).toEqual(['django', 'nginx']);
    expect(look.wayBackDigests.django).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(look.warnings.map(({ code }) => code)).toEqual(['DRIFT']);
    expect(JSON.stringify(look)).not.toContain(MARKER);
  });

  it('notes no drift where Sluice deployed it', async () => {
    world = await startEcsWorld();
    const first = await registered(world, 'v2');
    await run(world.activities.update, { ...TARGET, id: ID, revision: first.revision, look: first.look });
    await world.settle();
    const look = await run(world.activities.look, { ...TARGET, id: 'staging.api.other123' });
    expect(look.warnings).toEqual([]);
    expect(look.wayBack).toBe(first.revision);
    expect(look.wayBackDigests.django).toBe(first.images[0]?.digest);
  });

  it('warns where the circuit breaker does not roll back', async () => {
    world = await startEcsWorld({ breaker: 'stop' });
    expect((await lookAt(world)).warnings.map(({ code }) => code)).toEqual(['NO_ROLLBACK', 'DRIFT']);
  });

  it('waits for somebody else’s deployment that is in progress', async () => {
    world = await startEcsWorld();
    world.images('v2');
    world.aws.taskDefinition(definition('foreign', world.reference('v2')));
    world.aws.deploy({ ...REF, taskDefinition: 'foreign' });
    await expect(lookAt(world)).rejects.toMatchObject({ type: 'FOREIGN_DEPLOYMENT', nonRetryable: false });
    await world.settle();
    expect((await lookAt(world)).revision).toContain('foreign');
  });

  it('does not take its own earlier update for a way back or for drift', async () => {
    world = await startEcsWorld();
    const first = await registered(world, 'v2');
    const { wayBack } = first.look;
    await run(world.activities.update, { ...TARGET, id: ID, revision: first.revision, look: first.look });
    const again = await lookAt(world);
    expect(again.wayBack).toBe(wayBack);
    expect(again.warnings).toEqual([]);
    await world.settle();
    const settled = await lookAt(world);
    expect(settled.wayBack).toBe(wayBack);
    const repeated = await run(world.activities.register, { ...first.input, look: settled });
    expect(repeated.revision).toBe(first.revision);
    const updated = await run(world.activities.update, {
      ...TARGET,
      id: ID,
      revision: first.revision,
      look: settled,
    });
    expect(updated.state).toBe('adopted');
  });

  it('refuses without a service, and without its cluster', async () => {
    world = await startEcsWorld({ service: false });
    await expect(lookAt(world)).rejects.toMatchObject({ type: 'SERVICE_GONE', nonRetryable: true });
    world.aws.service({ cluster: REF.cluster, service: 'another', taskDefinition: 'staging-api-template' });
    await expect(lookAt(world)).rejects.toMatchObject({ type: 'SERVICE_GONE', nonRetryable: true });
  });

  it('refuses another strategy', async () => {
    world = await startEcsWorld({ service: false });
    world.aws.service({
      ...REF,
      taskDefinition: definition('staging-api', world.reference('v1')),
      deploymentConfiguration: { strategy: 'BLUE_GREEN' },
    });
    await expect(lookAt(world)).rejects.toMatchObject({ type: 'UNSUPPORTED_STRATEGY', nonRetryable: true });
  });

  it('refuses a service that was deleted', async () => {
    world = await startEcsWorld();
    world.aws.removeService({ ...REF, how: 'inactive' });
    await expect(lookAt(world)).rejects.toMatchObject({
      type: 'SERVICE_GONE',
      message: expect.stringContaining('INACTIVE') as string,
    });
  });
});

describe('register', () => {
  it('registers the template with family, images and tags changed, and tells names only', async () => {
    world = await startEcsWorld();
    const { look, revision, images, input } = await registered(world, 'v2');
    const { taskDefinition, tags } = await world.client.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: revision, include: ['TAGS'] }),
    );
    expect(taskDefinition?.family).toBe('staging-api');
    expect(taskDefinition?.containerDefinitions?.map(({ image }) => image)).toEqual(
      images.map(({ repository, digest }) => `${world.aws.registry}/${repository}:v2@${digest}`),
    );
    expect(taskDefinition?.containerDefinitions?.[0]?.environment).toEqual([
      { name: 'PASSWORD', value: MARKER },
    ]);
    expect(tags).toContainEqual({ key: 'sluice:deployment', value: ID });
    expect(tags).toContainEqual({ key: 'team', value: 'openverse' });
    const again = await run(world.activities.register, input);
    expect(again).toMatchObject({ revision, variables: { added: [], removed: [], changed: [] } });
    expect(again.images[0]).toEqual({
      container: 'django',
      before: `${world.aws.registry}/openverse-api:v1`,
      after: `${world.aws.registry}/openverse-api:v2@${images[0]?.digest}`,
    });
    expect(JSON.stringify([again, look])).not.toContain(MARKER);
  });

  it('registers once, though the answer was lost and others registered since', async () => {
    world = await startEcsWorld();
    world.aws.fault({ operation: 'ecs:RegisterTaskDefinition', kind: 'lose-after', times: 1 });
    const images = world.images('v2');
    const look = await lookAt(world);
    const input = {
      ...TARGET,
      id: ID,
      actor: 'alice',
      checkActor: true,
      tag: 'v2',
      release: 'v2',
      images,
      look,
    };
    await expect(run(world.activities.register, input)).rejects.toMatchObject({
      type: 'AWS_DOWN',
      nonRetryable: false,
    });
    const [, mine] = world.aws.revisions({ family: 'staging-api' });
    world.aws.taskDefinition(definition('staging-api', world.reference('v1')));
    world.aws.taskDefinition(definition('staging-api-other', world.reference('v1')));
    expect((await run(world.activities.register, input)).revision).toBe(mine);
    expect(world.aws.revisions({ family: 'staging-api' })).toHaveLength(3);
  });

  it('asks for membership before it writes, and writes nothing for somebody who was removed', async () => {
    world = await startEcsWorld();
    const images = world.images('v2');
    const look = await lookAt(world);
    world.refused.add('mallory');
    const input = { ...TARGET, id: ID, actor: 'mallory', tag: 'v2', release: 'v2', images, look };
    await expect(run(world.activities.register, { ...input, checkActor: true })).rejects.toThrow(
      'mallory is refused',
    );
    expect(world.aws.revisions({ family: 'staging-api' })).toHaveLength(1);
    await run(world.activities.register, { ...input, checkActor: false });
    expect(world.aws.revisions({ family: 'staging-api' })).toHaveLength(2);
  });

  it('refuses without a template, and names the container that it lacks', async () => {
    world = await startEcsWorld();
    const images = world.images('v2');
    const look = await lookAt(world);
    const input = {
      ...TARGET,
      id: ID,
      actor: 'alice',
      checkActor: false,
      tag: 'v2',
      release: 'v2',
      images,
      look,
    };
    const other = images.map((image) => ({ ...image, containers: ['web'] }));
    await expect(run(world.activities.register, { ...input, images: other })).rejects.toMatchObject({
      type: 'CONTAINER_MISSING',
      message: expect.stringContaining('“web”') as string,
    });
    await world.client.send(
      new DeregisterTaskDefinitionCommand({ taskDefinition: 'staging-api-template:1' }),
    );
    await expect(run(world.activities.register, input)).rejects.toMatchObject({ type: 'TEMPLATE_NOT_FOUND' });
    expect(world.aws.revisions({ family: 'staging-api' })).toHaveLength(1);
  });
});

describe('update', () => {
  it('sends once, though the answer was lost', async () => {
    world = await startEcsWorld();
    const { look, revision } = await registered(world, 'v2');
    world.aws.fault({ operation: 'ecs:UpdateService', kind: 'lose-after', times: 1 });
    const input = { ...TARGET, id: ID, revision, look };
    await expect(run(world.activities.update, input)).rejects.toMatchObject({
      type: 'AWS_DOWN',
      nonRetryable: false,
    });
    const updated = await run(world.activities.update, input);
    expect(updated).toMatchObject({ state: 'adopted', deployment: world.aws.standing(REF).deployment });
    expect(world.aws.calls({ operation: 'ecs:UpdateService' })).toHaveLength(1);
  });

  it('gives the id of the deployment that it started', async () => {
    world = await startEcsWorld();
    const { look, revision } = await registered(world, 'v2');
    const updated = await run(world.activities.update, { ...TARGET, id: ID, revision, look });
    expect(updated).toMatchObject({ state: 'sent', deployment: world.aws.standing(REF).deployment });
    expect(Date.parse(updated.at)).toBeGreaterThan(Date.now() - 2_000);
  });

  it('sends nothing where somebody deployed since the look', async () => {
    world = await startEcsWorld();
    const { look, revision } = await registered(world, 'v2');
    world.aws.taskDefinition(definition('foreign', world.reference('v1')));
    world.aws.deploy({ ...REF, taskDefinition: 'foreign' });
    const updated = await run(world.activities.update, { ...TARGET, id: ID, revision, look });
    expect(updated).toMatchObject({ state: 'superseded', by: world.aws.standing(REF).revision });
    expect(world.aws.calls({ operation: 'ecs:UpdateService' })).toHaveLength(0);
  });

  it.each([
    ['AWS', {}],
    ['an emulator that takes the old deployment up again', { rollbackReusesDeployment: true }],
    ['a service without service deployments', { serviceDeployments: false }],
  ])('finds that ours was used and rolled back while no worker ran: %s', async (_name, behaviour) => {
    world = await startEcsWorld({ behaviour });
    const { look, revision } = await registered(world, 'v2', { 'sandbox.exit': '3' });
    world.aws.fault({ operation: 'ecs:UpdateService', kind: 'lose-after', times: 1 });
    const input = { ...TARGET, id: ID, revision, look };
    await expect(run(world.activities.update, input)).rejects.toMatchObject({ type: 'AWS_DOWN' });
    await world.settle();
    const updated = await run(world.activities.update, input);
    expect(updated.state).toBe('used');
    expect(world.aws.calls({ operation: 'ecs:UpdateService' })).toHaveLength(1);
    const ours = {
      ...TARGET,
      id: ID,
      revision,
      since: updated.at,
      giveUpAt: new Date(Date.now() + 60_000).toISOString(),
    };
    const judged = await run(world.activities.stabilise, {
      ...ours,
      deployment: updated.deployment,
      wayBack: look.wayBack,
    });
    expect(judged.verdict).toBe('rolled-back');
  });

  it('refuses for a service that is gone', async () => {
    world = await startEcsWorld();
    const { look, revision } = await registered(world, 'v2');
    world.aws.removeService({ ...REF, how: 'gone' });
    await expect(run(world.activities.update, { ...TARGET, id: ID, revision, look })).rejects.toMatchObject({
      type: 'SERVICE_GONE',
    });
  });
});
