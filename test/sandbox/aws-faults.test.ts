import { DescribeServicesCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAwsStandIn } from '../../sandbox/aws/index.js';
import type { AwsStandIn } from '../../sandbox/aws/index.js';
import { clientSettings } from '../contract/emulators.js';
import type { Emulator } from '../contract/emulators.js';
import { CLUSTER, register } from '../contract/rollouts.js';
import { connect, QUICK } from './aws-support.js';

let aws: AwsStandIn;
let emulator: Emulator;
let image = '';

beforeEach(async () => {
  aws = await startAwsStandIn({ timings: QUICK });
  emulator = connect(aws);
  image = `${aws.registry}/api:v1`;
  aws.image({ repository: 'api', tag: 'v1' });
  aws.service({
    cluster: CLUSTER,
    service: 'api',
    taskDefinition: { family: 'api', containerDefinitions: [{ name: 'django', image }] },
  });
});
afterEach(() => emulator.close());

const describeApi = (): Promise<unknown> =>
  emulator.ecs.send(new DescribeServicesCommand({ cluster: CLUSTER, services: ['api'] }));

describe('faults', () => {
  it('throttle every n-th call of an operation, and no other', async () => {
    aws.fault({ operation: 'ecs:DescribeServices', kind: 'throttle', every: 3 });
    const answers: string[] = [];
    for (let at = 0; at < 6; at += 1)
      answers.push(
        await describeApi().then(
          () => 'ok',
          (error: Error) => error.name,
        ),
      );
    expect(answers).toEqual(['ok', 'ok', 'ThrottlingException', 'ok', 'ok', 'ThrottlingException']);
    await register(emulator, { family: 'other', image });
    expect(aws.counts()).toEqual({ 'ecs:DescribeServices': 6, 'ecs:RegisterTaskDefinition': 1 });
    expect(aws.calls({ operation: 'ecs:DescribeServices' }).filter((call) => call.effect)).toHaveLength(4);
  });

  it('answer 500 and AccessDenied under AWS’s names', async () => {
    aws.fault({ operation: 'ecs:*', kind: 'error', times: 1 });
    await expect(describeApi()).rejects.toMatchObject({
      name: 'ServerException',
      $metadata: { httpStatusCode: 500 },
    });
    const { id } = aws.fault({ operation: 'ecs:DescribeServices', kind: 'deny' });
    await expect(describeApi()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    aws.clearFaults({ id });
    aws.fault({ operation: '*', kind: 'deny', message: 'no identity-based policy allows it', times: 1 });
    await expect(describeApi()).rejects.toThrow('no identity-based policy allows it');
    await expect(describeApi()).resolves.toBeDefined();
  });

  it('lose the answer after the effect, or the call before it', async () => {
    const input = { family: 'lost', containerDefinitions: [{ name: 'django', image }] };
    aws.fault({ operation: 'ecs:RegisterTaskDefinition', kind: 'lose-before', times: 1 });
    await expect(emulator.ecs.send(new RegisterTaskDefinitionCommand(input))).rejects.toThrow();
    expect(aws.revisions({ family: 'lost' })).toEqual([]);
    aws.fault({ operation: 'ecs:RegisterTaskDefinition', kind: 'lose-after', times: 1 });
    await expect(emulator.ecs.send(new RegisterTaskDefinitionCommand(input))).rejects.toThrow();
    expect(aws.revisions({ family: 'lost' })).toHaveLength(1);
    expect(aws.calls({ operation: 'ecs:RegisterTaskDefinition' })).toMatchObject([
      { status: 0, effect: false, fault: 'lose-before' },
      { status: 0, effect: true, fault: 'lose-after' },
    ]);
  });

  it('strike the registry too', async () => {
    const ask = (method: string, body?: string): Promise<number> =>
      fetch(`${aws.url}/v2/api/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`, { method, body }).then(
        (one) => one.status,
      );
    aws.fault({ operation: 'registry:PostUpload', kind: 'error', times: 1 });
    expect(await ask('POST', 'x')).toBe(500);
    expect(await ask('POST', 'x')).toBe(400);
    const manifest = await (await fetch(`${aws.url}/v2/api/manifests/v1`)).text();
    aws.fault({ operation: 'registry:PutManifest', kind: 'lose-after', times: 1 });
    await expect(
      fetch(`${aws.url}/v2/api/manifests/v2`, { method: 'PUT', body: manifest }),
    ).rejects.toThrow();
    expect((await fetch(`${aws.url}/v2/api/manifests/v2`)).status).toBe(200);
    expect(aws.calls({ operation: 'registry:PutManifest' })).toMatchObject([
      { status: 0, effect: true, fault: 'lose-after' },
    ]);
  });

  it('hold the answer of what was done, until whoever asked is gone', async () => {
    const input = { family: 'held', containerDefinitions: [{ name: 'django', image }] };
    aws.fault({ operation: 'ecs:RegisterTaskDefinition', kind: 'hold-after', times: 1 });
    const abort = new AbortController();
    const sent = emulator.ecs.send(new RegisterTaskDefinitionCommand(input), { abortSignal: abort.signal });
    const rejected = expect(sent).rejects.toThrow();
    await expect
      .poll(() => aws.calls({ operation: 'ecs:RegisterTaskDefinition' }))
      .toMatchObject([{ effect: true }]);
    abort.abort();
    await rejected;
    const manifest = await (await fetch(`${aws.url}/v2/api/manifests/v1`)).text();
    aws.fault({ operation: 'registry:PutManifest', kind: 'hold-after', delayMs: 60 });
    const from = performance.now();
    const put = await fetch(`${aws.url}/v2/api/manifests/v3`, { method: 'PUT', body: manifest });
    expect(put.status).toBe(201);
    expect(performance.now() - from).toBeGreaterThanOrEqual(55);
    expect(aws.calls({ operation: 'registry:PutManifest' })).toMatchObject([
      { resource: 'api', effect: true },
    ]);
  });

  it('delay, after letting some pass', async () => {
    aws.fault({ operation: '*', kind: 'delay', delayMs: 150, skip: 1, times: 1 });
    const took: number[] = [];
    for (let at = 0; at < 3; at += 1) {
      const from = performance.now();
      await describeApi();
      took.push(performance.now() - from);
    }
    expect(took[1]).toBeGreaterThanOrEqual(145);
    expect(took[2]).toBeLessThan(145);
  });
});

describe('the control interface', () => {
  const steer = async (method: string, input?: unknown): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${aws.url}/_sandbox/${method}`, {
      method: 'POST',
      body: JSON.stringify(input),
    });
    return { status: answer.status, body: await answer.json() };
  };

  it('is the same over HTTP', async () => {
    expect((await steer('fault', { operation: 'ecs:*', kind: 'deny' })).status).toBe(200);
    await expect(describeApi()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await steer('clearFaults');
    await describeApi();
    expect((await steer('counts')).body).toEqual({ 'ecs:DescribeServices': 2 });
    const { body } = await steer('standing', { cluster: CLUSTER, service: 'api' });
    expect(body).toMatchObject({ desired: 2, history: [{ by: 'CreateService' }] });
  });

  it('says what was wrong with a request', async () => {
    expect(await steer('nothing')).toMatchObject({ status: 404 });
    expect(await steer('fault', { operation: '*', kind: 'odd' })).toMatchObject({ status: 400 });
    const missing = await steer('standing', { cluster: CLUSTER, service: 'nowhere' });
    expect(missing).toMatchObject({
      status: 400,
      body: { message: 'No service nowhere in cluster staging' },
    });
  });

  it('gives a role’s credentials, as STS does', async () => {
    const { region, endpoint, credentials } = clientSettings(aws.url);
    const assume = fromTemporaryCredentials({
      params: { RoleArn: 'arn:aws:iam::000000000000:role/sluice', RoleSessionName: 'sluice' },
      masterCredentials: credentials,
      clientConfig: { region, endpoint },
    });
    expect(await assume()).toMatchObject({ accessKeyId: 'ASIASANDBOX' });
  });
});
