/**
 * What AWS does and ministack 1.5 does not, so that only the stand-in can be held to it:
 * - `currentServiceDeployment`, List/Describe/StopServiceDeployment, DescribeServiceRevisions
 * - `startedBy` of a task is its deployment (ministack: the service's name)
 * - more than 100 events; ministack writes few
 * - ListTaskDefinitions takes the exact family (ministack: a prefix); a family alone names its latest ACTIVE
 *   revision (ministack: its latest); tags only where asked for
 * - UpdateService refuses an INACTIVE definition
 * - ImageNotFoundException, ImageAlreadyExistsException
 * - a rollback makes a new deployment (ministack: the old one becomes PRIMARY again), AWS's wording of reasons
 * - at most 10 services a call
 */
import {
  DeregisterTaskDefinitionCommand,
  DescribeServiceDeploymentsCommand,
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ListServiceDeploymentsCommand,
  ListTaskDefinitionsCommand,
  StopServiceDeploymentCommand,
} from '@aws-sdk/client-ecs';
import type { ServiceDeployment } from '@aws-sdk/client-ecs';
import { BatchGetImageCommand, DescribeImagesCommand, PutImageCommand } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import { connect, QUICK } from '../sandbox/aws-support.js';
import type { Emulator } from './emulators.js';
import { CLUSTER, primary, read, readUntil, register, settledOn, tasks, update } from './rollouts.js';

let aws: AwsStandIn;
let emulator: Emulator;
let counter = 0;
let name = '';
let v1 = '';
let v2 = '';
let broken = '';

beforeAll(async () => {
  aws = await startAwsStandIn({ timings: QUICK });
  emulator = connect(aws);
  for (const tag of ['v1', 'v2']) aws.image({ repository: 'api', tag, release: tag });
  aws.image({ repository: 'api', tag: 'broken', labels: { 'sandbox.exit': '3' } });
});
afterAll(() => emulator.close());

beforeEach(async () => {
  name = `api-${++counter}`;
  const image = (tag: string): string => `${aws.registry}/api:${tag}`;
  v1 = await register(emulator, { family: name, image: image('v1') });
  v2 = await register(emulator, { family: name, image: image('v2') });
  broken = await register(emulator, { family: name, image: image('broken') });
  aws.service({ cluster: CLUSTER, service: name, taskDefinition: v1 });
  await readUntil(emulator, name, settledOn(v1));
});

async function current(): Promise<ServiceDeployment | undefined> {
  const { service } = await read(emulator, name);
  const input = { serviceDeploymentArns: [service.currentServiceDeployment ?? ''] };
  return (await emulator.ecs.send(new DescribeServiceDeploymentsCommand(input))).serviceDeployments?.[0];
}

describe('service deployments', () => {
  it('go from IN_PROGRESS to SUCCESSFUL, and name the images of their revisions', async () => {
    await update(emulator, name, v2);
    expect(await current()).toMatchObject({ status: 'IN_PROGRESS' });
    await readUntil(emulator, name, settledOn(v2));
    const done = await current();
    expect(done).toMatchObject({ status: 'SUCCESSFUL' });
    expect(done?.finishedAt).toBeInstanceOf(Date);
    const input = { serviceRevisionArns: [done?.targetServiceRevision?.arn ?? ''] };
    const { serviceRevisions } = await emulator.ecs.send(new DescribeServiceRevisionsCommand(input));
    expect(serviceRevisions?.[0]).toMatchObject({ taskDefinition: v2 });
    expect(serviceRevisions?.[0]?.containerImages?.[0]?.imageDigest).toMatch(/^sha256:/);
    const listed = await emulator.ecs.send(
      new ListServiceDeploymentsCommand({ cluster: CLUSTER, service: name }),
    );
    expect(listed.serviceDeployments?.map((one) => one.status)).toEqual(['SUCCESSFUL', 'SUCCESSFUL']);
  });

  it('are stopped with a rollback to what was COMPLETED, once', async () => {
    await update(emulator, name, v2);
    const serviceDeploymentArn = (await current())?.serviceDeploymentArn;
    const stop = { serviceDeploymentArn, stopType: 'ROLLBACK' } as const;
    await emulator.ecs.send(new StopServiceDeploymentCommand(stop));
    const { service } = await read(emulator, name);
    expect(primary(service)).toMatchObject({ taskDefinition: v1, rolloutState: 'IN_PROGRESS' });
    expect(await current()).toMatchObject({ serviceDeploymentArn, status: 'ROLLBACK_IN_PROGRESS' });
    const again = emulator.ecs.send(new StopServiceDeploymentCommand(stop));
    await expect(again).rejects.toMatchObject({ name: 'ConflictException' });
    await readUntil(emulator, name, settledOn(v1));
    expect(await current()).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
    const late = emulator.ecs.send(new StopServiceDeploymentCommand(stop));
    await expect(late).rejects.toMatchObject({ name: 'ConflictException' });
  });

  it('say how the circuit breaker rolled back', async () => {
    await update(emulator, name, broken);
    await readUntil(
      emulator,
      name,
      (service) => service.deployments?.some((one) => one.rolloutState === 'FAILED') ?? false,
    );
    expect((await current())?.status).toBe('ROLLBACK_IN_PROGRESS');
    await readUntil(emulator, name, settledOn(v1));
    expect(await current()).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' });
    expect((await current())?.rollback?.reason).toContain('circuit breaker');
  });

  it('end as STOPPED where another UpdateService came', async () => {
    await update(emulator, name, v2);
    const first = await current();
    await update(emulator, name, v1);
    const input = { serviceDeploymentArns: [first?.serviceDeploymentArn ?? ''] };
    const { serviceDeployments } = await emulator.ecs.send(new DescribeServiceDeploymentsCommand(input));
    expect(serviceDeployments?.[0]).toMatchObject({ status: 'STOPPED' });
  });

  it('are not there where the service lacks them', async () => {
    const { serviceDeploymentArn } = (await current()) ?? {};
    aws.behave({ cluster: CLUSTER, service: name, behaviour: { serviceDeployments: false } });
    expect((await read(emulator, name)).service.currentServiceDeployment).toBeUndefined();
    const stopped = emulator.ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn }));
    await expect(stopped).rejects.toMatchObject({ name: 'ServiceDeploymentNotFoundException' });
  });
});

describe('the circuit breaker', () => {
  it('rolls back by a new deployment, in AWS’s words', async () => {
    const before = primary((await read(emulator, name)).service)?.id;
    const ours = primary(await update(emulator, name, broken))?.id;
    const reads = await readUntil(
      emulator,
      name,
      (service) => primary(service)?.id !== ours && settledOn(v1)(service),
    );
    const rolling = reads
      .flatMap(({ service }) => service.deployments ?? [])
      .filter((one) => one.status === 'PRIMARY');
    const next = rolling.at(-1)?.id;
    expect([before, ours]).not.toContain(next);
    expect(rolling.map((one) => one.rolloutStateReason)).toContain(
      `ECS deployment circuit breaker: rolling back to deploymentId ${next}.`,
    );
    const messages = reads.at(-1)?.service.events?.map((event) => event.message) ?? [];
    expect(messages.slice(0, 2)).toEqual([
      `(service ${name}) has reached a steady state.`,
      `(service ${name}) (deployment ${next}) deployment completed.`,
    ]);
    expect(messages).toContain(
      `(service ${name}) (deployment ${ours}) deployment failed: tasks failed to start.`,
    );
    expect(messages).toContain(`(service ${name}) rolling back to deployment ${next}.`);
    expect(aws.revisions({ family: name })).toEqual([v1, v2, broken]);
  });

  it('names the deployment that started a task', async () => {
    const ours = primary(await update(emulator, name, v2))?.id;
    await readUntil(emulator, name, settledOn(v2));
    expect((await tasks(emulator, name, 'RUNNING')).map((task) => task.startedBy)).toEqual([ours, ours]);
  });
});

describe('events', () => {
  it('are the newest 100, newest first, and may come twice', async () => {
    aws.emitEvents({ cluster: CLUSTER, service: name, count: 130, message: 'did something', copies: 2 });
    const { events = [] } = (await read(emulator, name)).service;
    expect(events).toHaveLength(100);
    expect(events[0]?.message).toBe(`(service ${name}) did something 130`);
    expect(new Set(events.map((event) => event.id)).size).toBe(50);
  });
});

describe('strictness', () => {
  it('of task definitions: exact family, latest ACTIVE, tags where asked for, INACTIVE not used', async () => {
    await register(emulator, { family: `${name}-template`, image: `${aws.registry}/api:v1` });
    const listed = await emulator.ecs.send(new ListTaskDefinitionsCommand({ familyPrefix: name }));
    expect(listed.taskDefinitionArns).toEqual([v1, v2, broken]);
    await emulator.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: broken }));
    const found = await emulator.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: name }));
    expect(found.taskDefinition?.taskDefinitionArn).toBe(v2);
    expect(found.tags).toBeUndefined();
    await expect(update(emulator, name, broken)).rejects.toMatchObject({ name: 'ClientException' });
    expect(primary((await read(emulator, name)).service)?.taskDefinition).toBe(v1);
  });

  it('of DescribeServices: at most 10', async () => {
    const services = Array.from({ length: 11 }, (_, at) => `s${at}`);
    const asked = emulator.ecs.send(new DescribeServicesCommand({ cluster: CLUSTER, services }));
    await expect(asked).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('of ECR: what is not there, what is there already, and who accepts no index', async () => {
    const { ecr } = emulator;
    const made = aws.image({ repository: 'multi', tag: 'v1', release: 'v1', index: true });
    const ids = (imageTag: string): { repositoryName: string; imageIds: { imageTag: string }[] } => ({
      repositoryName: 'multi',
      imageIds: [{ imageTag }],
    });
    await expect(ecr.send(new DescribeImagesCommand(ids('never')))).rejects.toMatchObject({
      name: 'ImageNotFoundException',
    });
    const index = await ecr.send(new BatchGetImageCommand(ids('v1')));
    expect(index.images?.[0]?.imageId?.imageDigest).toBe(made.digest);
    const again = {
      repositoryName: 'multi',
      imageTag: 'v1',
      imageManifest: index.images?.[0]?.imageManifest,
    };
    await expect(ecr.send(new PutImageCommand(again))).rejects.toMatchObject({
      name: 'ImageAlreadyExistsException',
    });
    const acceptedMediaTypes = ['application/vnd.oci.image.manifest.v1+json'];
    const narrow = await ecr.send(new BatchGetImageCommand({ ...ids('v1'), acceptedMediaTypes }));
    expect(made.listed).toContain(narrow.images?.[0]?.imageId?.imageDigest);
  });
});
