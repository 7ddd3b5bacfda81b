import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment, Service } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import type { Emulator } from '../contract/emulators.js';
import {
  CLUSTER,
  primary,
  read,
  readUntil,
  register,
  settledOn,
  tasks,
  update,
} from '../contract/rollouts.js';
import { connect, QUICK } from './aws-support.js';

const ref = { cluster: CLUSTER, service: 'api' };
let aws: AwsStandIn;
let emulator: Emulator;
let v1 = '';
let v2 = '';

const define = (tag: string): Promise<string> =>
  register(emulator, { family: 'api', image: `${aws.registry}/api:${tag}` });

beforeEach(async () => {
  aws = await startAwsStandIn({ timings: QUICK });
  emulator = connect(aws);
  for (const tag of ['v1', 'v2']) aws.image({ repository: 'api', tag, release: tag });
  v1 = await define('v1');
  v2 = await define('v2');
  aws.service({ ...ref, taskDefinition: v1 });
  await readUntil(emulator, 'api', settledOn(v1));
});
afterEach(() => emulator.close());

const version = async (): Promise<{ status: number; release?: string }> => {
  const answer = await fetch(`${aws.serviceUrl(ref)}/version.json`);
  return { status: answer.status, ...((await answer.json()) as { release?: string }) };
};

const other = (service: Service): Deployment | undefined =>
  service.deployments?.find((one) => one.status !== 'PRIMARY');

describe('the service’s address', () => {
  it('answers throughout a rollout and a rollback, and never the broken release', async () => {
    aws.image({ repository: 'api', tag: 'broken', release: 'broken', labels: { 'sandbox.exit': '1' } });
    const broken = await define('broken');
    const seen: { status: number; release?: string }[] = [];
    let over = false;
    const probe = (async () => {
      while (!over) seen.push(await version());
    })();
    await update(emulator, 'api', v2);
    await readUntil(emulator, 'api', settledOn(v2));
    const ours = primary(await update(emulator, 'api', broken))?.id;
    await readUntil(emulator, 'api', (service) => primary(service)?.id !== ours && settledOn(v2)(service));
    over = true;
    await probe;
    expect(seen.length).toBeGreaterThan(10);
    expect([...new Set(seen.map((one) => one.status))]).toEqual([200]);
    expect([...new Set(seen.map((one) => one.release))]).toEqual(['v1', 'v2']);
  });

  it('is 503 without a healthy task, 404 without a service', async () => {
    aws.scale({ ...ref, desired: 0 });
    await expect.poll(version).toMatchObject({ status: 503 });
    expect((await fetch(aws.serviceUrl({ cluster: CLUSTER, service: 'nowhere' }))).status).toBe(404);
  });

  it('reports what the labels say', async () => {
    aws.image({ repository: 'api', tag: 'lies', release: 'lies', labels: { 'sandbox.release': 'other' } });
    aws.image({ repository: 'api', tag: 'mute', release: 'mute', labels: { 'sandbox.version': 'none' } });
    aws.image({ repository: 'api', tag: 'env', release: 'label', env: { RELEASE: 'env' } });
    for (const [tag, release] of [
      ['lies', 'other'],
      ['mute', undefined],
      ['env', 'env'],
    ] as const) {
      const revision = await define(tag);
      await update(emulator, 'api', revision);
      await readUntil(emulator, 'api', settledOn(revision));
      expect(await version()).toEqual({ status: 200, ...(release ? { release } : {}) });
    }
  });
});

describe('a rollout', () => {
  it('keeps within maximumPercent and above minimumHealthyPercent', async () => {
    const deploymentConfiguration = { maximumPercent: 150, minimumHealthyPercent: 50 };
    const rolling = { cluster: CLUSTER, service: 'four', desired: 4, deploymentConfiguration };
    aws.service({ ...rolling, taskDefinition: v1 });
    await readUntil(emulator, 'four', settledOn(v1));
    aws.deploy({ ...rolling, taskDefinition: v2 });
    const reads = await readUntil(emulator, 'four', settledOn(v2));
    const counts = (text: RegExp): number[] =>
      (reads.at(-1)?.service.events ?? []).flatMap(({ message }) =>
        Number(text.exec(message ?? '')?.[1] ?? []),
      );
    // Four at the creation; then at most six at once, so two of ours, and two of theirs may go before.
    expect(counts(/has started (\d+) tasks/).at(-1)).toBe(4);
    expect(Math.max(...counts(/has started (\d+) tasks/).slice(0, -1))).toBeLessThanOrEqual(4);
    expect(counts(/has stopped (\d+) running tasks/)[0]).toBeLessThan(4);
    expect(Math.min(...reads.map(({ service }) => service.runningCount ?? 0))).toBeGreaterThanOrEqual(2);
  });

  it('gives up on tasks that never become healthy', async () => {
    aws.image({ repository: 'api', tag: 'sick', labels: { 'sandbox.unhealthy': '1' } });
    const sick = await define('sick');
    const ours = primary(await update(emulator, 'api', sick))?.id;
    await readUntil(emulator, 'api', (service) => primary(service)?.id !== ours && settledOn(v1)(service));
    const dead = (await tasks(emulator, 'api', 'STOPPED')).filter((task) => task.taskDefinitionArn === sick);
    expect(dead.length).toBeGreaterThanOrEqual(3);
    expect(dead[0]?.stoppedReason).toBe('Task failed container health checks');
  });

  it('stands still while frozen', async () => {
    await update(emulator, 'api', v2);
    aws.behave({ ...ref, behaviour: { frozen: true } });
    await sleep(QUICK.pull + QUICK.start + QUICK.drain + QUICK.settle + 100);
    expect(primary((await read(emulator, 'api')).service)).toMatchObject({
      rolloutState: 'IN_PROGRESS',
      runningCount: 0,
    });
    aws.behave({ ...ref, behaviour: { frozen: false } });
    await readUntil(emulator, 'api', settledOn(v2));
  });

  it('can be COMPLETED while old tasks drain', async () => {
    aws.behave({ ...ref, behaviour: { drainAfterCompleted: true, drainMs: 400 } });
    await update(emulator, 'api', v2);
    const reads = await readUntil(emulator, 'api', (service) => service.deployments?.length === 1);
    const draining = reads.filter(
      ({ service }) => primary(service)?.rolloutState === 'COMPLETED' && other(service),
    );
    expect(draining.map(({ service }) => other(service)?.runningCount)).toContain(2);
    const stableAt = aws.standing(ref).stableAt ?? 0;
    expect(stableAt).toBeGreaterThan(draining[0]?.at ?? Infinity);
  });

  it('can lack rolloutState and digests', async () => {
    aws.behave({ ...ref, behaviour: { rolloutState: false, imageDigests: false } });
    await update(emulator, 'api', v2);
    await expect
      .poll(() => aws.standing(ref))
      .toMatchObject({ revision: v2, stableAt: expect.any(Number) as number });
    const { service } = await read(emulator, 'api');
    expect(primary(service)).not.toHaveProperty('rolloutState');
    expect((await tasks(emulator, 'api', 'RUNNING'))[0]?.containers?.[0]).not.toHaveProperty('imageDigest');
  });

  it('can go on saying IN_PROGRESS of what it rolled back from', async () => {
    const missing = await define('never');
    aws.behave({ ...ref, behaviour: { failedShownLate: true } });
    const ours = primary(await update(emulator, 'api', missing))?.id;
    const reads = await readUntil(
      emulator,
      'api',
      (service) => primary(service)?.id !== ours && settledOn(v1)(service),
    );
    const states = reads.flatMap(
      ({ service }) => service.deployments?.filter((one) => one.id === ours) ?? [],
    );
    expect(new Set(states.map((one) => one.rolloutState))).toEqual(new Set(['IN_PROGRESS']));
    expect(states.map((one) => one.status)).toContain('ACTIVE');
  });

  it('can be rolled back by making the old deployment PRIMARY again', async () => {
    const missing = await define('never');
    aws.behave({ ...ref, behaviour: { rollbackReusesDeployment: true } });
    const before = primary((await read(emulator, 'api')).service)?.id;
    await update(emulator, 'api', missing);
    await readUntil(emulator, 'api', (service) => primary(service)?.id === before && settledOn(v1)(service));
    expect(aws.standing(ref).history).toHaveLength(2);
  });

  it('of a first deployment that fails has nothing to roll back to', async () => {
    aws.service({ cluster: CLUSTER, service: 'first', taskDefinition: await define('never') });
    const reads = await readUntil(
      emulator,
      'first',
      (service) => primary(service)?.rolloutState === 'FAILED',
    );
    expect(reads.at(-1)?.service.deployments).toHaveLength(1);
    const stopped = await tasks(emulator, 'first', 'STOPPED');
    expect(stopped[0]?.stoppedReason).toMatch(/^CannotPullContainerError: .*not found$/);
  });

  it('runs one of the digests that an index lists', async () => {
    const { listed } = aws.image({ repository: 'api', tag: 'multi', index: true });
    const multi = await define('multi');
    await update(emulator, 'api', multi);
    await readUntil(emulator, 'api', settledOn(multi));
    const running = await tasks(emulator, 'api', 'RUNNING');
    expect(listed).toContain(running[0]?.containers?.[0]?.imageDigest);
  });
});

describe('others', () => {
  it('deploy, scale and delete, without a call of ours', async () => {
    aws.resetCalls();
    const { deployment } = aws.deploy({ ...ref, taskDefinition: v2 });
    aws.scale({ ...ref, desired: 3 });
    const reads = await readUntil(
      emulator,
      'api',
      (service) => settledOn(v2)(service) && service.runningCount === 3,
    );
    expect(primary(reads.at(-1)?.service ?? {})?.id).toBe(deployment);
    expect(Object.keys(aws.counts())).toEqual(['ecs:DescribeServices']);
    expect(aws.standing(ref).history.at(-1)).toMatchObject({ by: 'sandbox', deployment });
    aws.removeService(ref);
    expect((await read(emulator, 'api')).service.status).toBe('INACTIVE');
    await expect(update(emulator, 'api', v1)).rejects.toMatchObject({ name: 'ServiceNotActiveException' });
    aws.removeService({ ...ref, how: 'gone' });
    await expect(read(emulator, 'api')).rejects.toThrow('No service api');
  });
});
