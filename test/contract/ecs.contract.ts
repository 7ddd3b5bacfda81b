/** What ECS does, as far as we stand on it: held against our stand-in and against ministack. */
import {
  DeregisterTaskDefinitionCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ListTagsForResourceCommand,
  ListTaskDefinitionsCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { Service } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Emulator } from './emulators.js';
import {
  CLUSTER,
  createService,
  primary,
  read,
  readUntil,
  register,
  settledOn,
  tasks,
  update,
} from './rollouts.js';

export function ecsContract(start: () => Promise<Emulator>): void {
  let aws: Emulator;
  const digests: Record<string, string> = {};
  const image = (tag: string): string => `${aws.registry}/api:${tag}`;

  beforeAll(async () => {
    aws = await start();
    for (const tag of ['v1', 'v2']) digests[tag] = await aws.image({ repository: 'api', tag, release: tag });
    await aws.image({ repository: 'api', tag: 'broken', release: 'broken', exit: 3 });
  }, 120_000);
  afterAll(() => aws?.close(), 60_000);

  describe('task definitions', () => {
    it('makes a revision for every registration, the same ones too', async () => {
      const first = await register(aws, { family: 'twice', image: image('v1') });
      const second = await register(aws, { family: 'twice', image: image('v1') });
      expect(first).toMatch(/:task-definition\/twice:1$/);
      expect(second).toMatch(/:task-definition\/twice:2$/);
      const input = { familyPrefix: 'twice', sort: 'DESC', status: 'ACTIVE' } as const;
      const { taskDefinitionArns } = await aws.ecs.send(new ListTaskDefinitionsCommand(input));
      expect(taskDefinitionArns).toEqual([second, first]);
    });

    it('describes by family, by family:revision and by ARN, with tags where asked for', async () => {
      const tags = [{ key: 'sluice:deployment', value: 'staging.api.1' }];
      const arn = await register(aws, { family: 'tagged', image: image('v1'), tags });
      for (const taskDefinition of ['tagged', 'tagged:1', arn]) {
        const found = await aws.ecs.send(
          new DescribeTaskDefinitionCommand({ taskDefinition, include: ['TAGS'] }),
        );
        expect(found.taskDefinition).toMatchObject({ family: 'tagged', revision: 1, status: 'ACTIVE' });
        expect(found.taskDefinition?.containerDefinitions?.[0]?.environment).toEqual([
          { name: 'EMPTY', value: '' },
        ]);
        expect(found.taskDefinition?.registeredAt).toBeInstanceOf(Date);
        expect(found.tags).toEqual(tags);
      }
      const listed = await aws.ecs.send(new ListTagsForResourceCommand({ resourceArn: arn }));
      expect(listed.tags).toEqual(tags);
    });

    it('says ClientException of a definition that is not there', async () => {
      const asked = aws.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'nothing' }));
      await expect(asked).rejects.toMatchObject({ name: 'ClientException' });
    });

    it('goes on describing an INACTIVE revision, and lists only ACTIVE ones', async () => {
      const first = await register(aws, { family: 'retired', image: image('v1') });
      const second = await register(aws, { family: 'retired', image: image('v1') });
      await aws.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: second }));
      const inactive = await aws.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: second }));
      expect(inactive.taskDefinition?.status).toBe('INACTIVE');
      const input = { familyPrefix: 'retired', sort: 'DESC', status: 'ACTIVE' } as const;
      const { taskDefinitionArns } = await aws.ecs.send(new ListTaskDefinitionsCommand(input));
      expect(taskDefinitionArns).toEqual([first]);
    });
  });

  describe('services that are not there', () => {
    it('are failures of an answer that is 200', async () => {
      await createService(aws, {
        name: 'there',
        taskDefinition: await register(aws, { family: 'there', image: image('v1') }),
        desired: 0,
      });
      const input = { cluster: CLUSTER, services: ['there', 'nowhere'] };
      const { services, failures } = await aws.ecs.send(new DescribeServicesCommand(input));
      expect(services?.map((service) => service.serviceName)).toEqual(['there']);
      expect(failures).toMatchObject([{ reason: 'MISSING' }]);
    });

    it('cannot be updated', async () => {
      const input = { cluster: CLUSTER, service: 'nowhere', desiredCount: 1 };
      const updated = aws.ecs.send(new UpdateServiceCommand(input));
      await expect(updated).rejects.toMatchObject({ name: 'ServiceNotFoundException' });
    });

    it('are refused in a cluster that is not there', async () => {
      const input = { cluster: 'nowhere', services: ['there'] };
      const asked = aws.ecs.send(new DescribeServicesCommand(input));
      await expect(asked).rejects.toMatchObject({ name: 'ClusterNotFoundException' });
    });
  });

  describe('a rollout', () => {
    const name = 'api';
    let v1 = '';
    let v2 = '';

    beforeAll(async () => {
      v1 = await register(aws, { family: name, image: image('v1') });
      v2 = await register(aws, { family: name, image: image('v2') });
      await createService(aws, { name, taskDefinition: v1 });
      await readUntil(aws, name, settledOn(v1));
    }, 60_000);

    it('makes a new PRIMARY beside the old one, and completes with no task of the old one left', async () => {
      const before = primary((await read(aws, name)).service);
      const answer = await update(aws, name, v2);
      const ours = primary(answer);
      expect(ours).toMatchObject({ taskDefinition: v2, rolloutState: 'IN_PROGRESS' });
      expect(ours?.id).toMatch(/^ecs-svc\//);
      expect(ours?.id).not.toBe(before?.id);
      expect(answer.deployments?.find((one) => one.id === before?.id)).toMatchObject({
        status: 'ACTIVE',
        taskDefinition: v1,
      });
      const reads = await readUntil(aws, name, settledOn(v2));
      const last = reads.at(-1)?.service;
      expect(primary(last ?? {})?.id).toBe(ours?.id);
      // Zero downtime: at no read were there fewer running tasks than wanted.
      expect(Math.min(...reads.map(({ service }) => service.runningCount ?? 0))).toBeGreaterThanOrEqual(2);
      expect(last?.events?.every((event) => event.id && event.createdAt && event.message)).toBe(true);
    }, 60_000);

    it('runs the digest that was pushed, and says which tasks it stopped', async () => {
      const running = await tasks(aws, name, 'RUNNING');
      expect(running).toHaveLength(2);
      for (const task of running) {
        expect(task).toMatchObject({ taskDefinitionArn: v2, lastStatus: 'RUNNING' });
        expect(task.containers).toMatchObject([
          { name: 'django', image: image('v2'), imageDigest: digests.v2 },
        ]);
      }
      const stopped = await tasks(aws, name, 'STOPPED');
      expect(stopped.filter((task) => task.taskDefinitionArn === v1)).toHaveLength(2);
      expect(stopped.every((task) => task.stoppedReason && task.stoppedAt)).toBe(true);
    });

    it('does not begin again for the same definition, unless forced', async () => {
      const before = primary((await read(aws, name)).service)?.id;
      expect(primary(await update(aws, name, v2))?.id).toBe(before);
      const input = { cluster: CLUSTER, service: name, taskDefinition: v2, forceNewDeployment: true };
      const { service } = await aws.ecs.send(new UpdateServiceCommand(input));
      expect(primary(service ?? {})?.id).not.toBe(before);
      await readUntil(aws, name, settledOn(v2));
    }, 60_000);

    it('of an image that does not stay up is rolled back, and no revision is made', async () => {
      const broken = await register(aws, { family: name, image: image('broken') });
      const ours = primary(await update(aws, name, broken));
      const reads = await readUntil(aws, name, rolledBack(ours?.id, v2));
      const evidence = reads
        .flatMap(({ service }) => service.deployments ?? [])
        .filter((one) => one.id === ours?.id);
      expect(evidence.some((one) => one.status === 'ACTIVE' && one.rolloutState === 'FAILED')).toBe(true);
      expect(Math.max(...evidence.map((one) => one.failedTasks ?? 0))).toBeGreaterThanOrEqual(3);
      expect(Math.min(...reads.map(({ service }) => service.runningCount ?? 0))).toBeGreaterThanOrEqual(2);
      const last = reads.at(-1)?.service;
      expect(last?.events?.some((event) => /deployment failed/.test(event.message ?? ''))).toBe(true);
      const input = { familyPrefix: name, sort: 'DESC' } as const;
      const { taskDefinitionArns } = await aws.ecs.send(new ListTaskDefinitionsCommand(input));
      expect(taskDefinitionArns?.[0]).toBe(broken);
      const dead = (await tasks(aws, name, 'STOPPED')).filter((task) => task.taskDefinitionArn === broken);
      // One that has only just started is stopped by the rollback.
      const ended = dead.filter(({ stopCode }) => stopCode === 'EssentialContainerExited');
      expect(ended.length).toBeGreaterThanOrEqual(3);
      for (const task of ended) {
        expect(task.stoppedReason).toContain('Essential container');
        expect(task.containers).toMatchObject([{ name: 'django', exitCode: 3 }]);
      }
    }, 60_000);

    it('of an image that was never pushed is rolled back', async () => {
      const missing = await register(aws, { family: name, image: image('never') });
      const ours = primary(await update(aws, name, missing));
      await readUntil(aws, name, rolledBack(ours?.id, v2));
      const dead = (await tasks(aws, name, 'STOPPED')).filter((task) => task.taskDefinitionArn === missing);
      expect(dead.map((task) => task.stopCode)).toContain('TaskFailedToStart');
      expect(dead[0]?.stoppedReason).toContain('CannotPullContainerError');
    }, 60_000);
  });

  it('leaves a failed deployment PRIMARY where the breaker does not roll back', async () => {
    const name = 'worker';
    const first = await register(aws, { family: name, image: image('v1') });
    const broken = await register(aws, { family: name, image: image('broken') });
    await createService(aws, { name, taskDefinition: first, breaker: { enable: true, rollback: false } });
    await readUntil(aws, name, settledOn(first));
    const ours = primary(await update(aws, name, broken));
    const reads = await readUntil(aws, name, (service) => primary(service)?.rolloutState === 'FAILED');
    expect(primary(reads.at(-1)?.service ?? {})).toMatchObject({ id: ours?.id, taskDefinition: broken });
  }, 60_000);
}

/** Ours was PRIMARY and is not, and what ran before is settled again. */
const rolledBack =
  (ours: string | undefined, revision: string) =>
  (service: Service): boolean =>
    primary(service)?.id !== ours && settledOn(revision)(service);
