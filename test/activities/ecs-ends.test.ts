/** Verify, stop and dossier against the stand-in. */
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeregisterTaskDefinitionCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { afterEach, describe, expect, it } from 'vitest';
import type { GoBackInput, StabiliseInput, VerifyInput } from '../../domain/effects.js';
import { definition, ID, MARKER, REF, registered, run, startEcsWorld, TARGET } from '../support/ecs.js';
import type { EcsWorld } from '../support/ecs.js';

let world: EcsWorld;
let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await world.close();
});

/** Deployed and stable; answers from `listener` instead of the service where one is given. */
async function deployed(
  listener?: RequestListener,
  labels?: Record<string, string>,
  limitMs = 3_000,
): Promise<VerifyInput> {
  const { look, revision, images } = await registered(world, 'v2', labels);
  await run(world.activities.update, { ...TARGET, id: ID, revision, look });
  await world.settle();
  if (listener) {
    server = createServer(listener);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const settings = world.config.apps.api?.environments.staging;
    if (settings)
      settings.versionUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/version.json`;
  }
  return { ...TARGET, revision, images, release: 'v2', until: new Date(Date.now() + limitMs).toISOString() };
}

const json =
  (body: unknown, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

describe('verify', () => {
  it('holds where digests and release are what was deployed', async () => {
    world = await startEcsWorld();
    expect(await run(world.activities.verify, await deployed())).toEqual({
      verified: true,
      detail: '2 tasks run the deployed digests; the version endpoint reports v2',
    });
  });

  it('wants the release three times in a row, and no old answer between', async () => {
    world = await startEcsWorld();
    const answers = ['v1', 'v2', 'v2', 'v1', 'v2', 'v2', 'v2'];
    let asked = 0;
    const input = await deployed(
      (request, response) => {
        json({ release: answers[asked++] ?? 'too often' })(request, response);
      },
      {},
      20_000,
    );
    expect((await run(world.activities.verify, input)).verified).toBe(true);
    expect(asked).toBe(answers.length);
  });

  it('takes a digest that the tag’s index lists', async () => {
    world = await startEcsWorld();
    const input = await deployed();
    const indexed = input.images.map((image) => ({
      ...image,
      digest: `sha256:${'0'.repeat(64)}`,
      listed: [image.digest],
    }));
    expect((await run(world.activities.verify, { ...input, images: indexed })).verified).toBe(true);
  });

  it.each<[string, RequestListener, string, RegExp]>([
    ['another release', json({ release: 'v1' }), 'RELEASE_MISMATCH', /reports v1, not v2/],
    ['not 200', json({ release: 'v2' }, 503), 'NO_ANSWER', /answers 503/],
    [
      'a redirect to another host',
      (_q, r) => void r.writeHead(302, { location: 'http://example.com/' }).end(),
      'NO_ANSWER',
      /redirects \(302\) to example.com/,
    ],
    ['a broken connection', (q) => q.socket.destroy(), 'NO_ANSWER', /cannot be reached/],
  ])('fails at the end of the limit: %s', async (_name, listener, code, message) => {
    world = await startEcsWorld();
    const input = await deployed(listener, {}, 1_200);
    const failed = run(world.activities.verify, input);
    await expect(failed).rejects.toMatchObject({
      type: code,
      nonRetryable: true,
      message: expect.stringMatching(message) as string,
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(input.until));
  });

  it.each<[string, RequestListener]>([
    ['a 200 without release', json({ ok: true })],
    ['an empty release', json({ release: '' })],
    ['no JSON', (_q, r) => void r.end('<html>')],
    ['an endless answer', (_q, r) => void r.end(`{"release":"v2","x":"${'x'.repeat(100_000)}"}`)],
  ])('is unknown, said, and no failure: %s', async (_name, listener) => {
    world = await startEcsWorld();
    const result = await run(world.activities.verify, await deployed(listener));
    expect(result).toMatchObject({
      verified: false,
      detail: expect.stringContaining('release unknown') as string,
    });
  });

  it('follows a redirect within the host', async () => {
    world = await startEcsWorld();
    const input = await deployed((request, response) => {
      if (request.url === '/version.json') response.writeHead(301, { location: '/version' }).end();
      else json({ release: 'v2' })(request, response);
    });
    expect((await run(world.activities.verify, input)).verified).toBe(true);
  });

  it('is unknown without versionUrl, with unreported digests, and with nothing running', async () => {
    world = await startEcsWorld({ behaviour: { imageDigests: false } });
    const input = await deployed();
    expect(await run(world.activities.verify, input)).toMatchObject({
      verified: false,
      detail: expect.stringContaining('unreported for django, nginx') as string,
    });
    const settings = world.config.apps.api?.environments.staging;
    if (settings) delete settings.versionUrl;
    expect((await run(world.activities.verify, input)).detail).toContain('no versionUrl');
    world.aws.scale({ ...REF, desired: 0 });
    expect(await run(world.activities.verify, input)).toEqual({
      verified: false,
      detail: 'Desired count is 0: nothing runs that could be asked',
    });
  });

  it('fails where tasks run other digests', async () => {
    world = await startEcsWorld();
    const input = await deployed(undefined, {}, 500);
    const other = input.images.map((image) => ({ ...image, digest: `sha256:${'0'.repeat(64)}` }));
    await expect(run(world.activities.verify, { ...input, images: other })).rejects.toMatchObject({
      type: 'DIGEST_MISMATCH',
    });
  });

  it('asks once more where the limit was over before it could', async () => {
    world = await startEcsWorld();
    const input = await deployed(undefined, {}, -60_000);
    expect((await run(world.activities.verify, input)).verified).toBe(true);
  });

  it('waits out throttling', async () => {
    world = await startEcsWorld();
    const input = await deployed(undefined, {}, 10_000);
    world.aws.fault({ operation: 'ecs:ListTasks', kind: 'throttle', times: 2 });
    expect((await run(world.activities.verify, input)).verified).toBe(true);
  });
});

async function underWay(labels?: Record<string, string>): Promise<GoBackInput> {
  const { look, revision } = await registered(world, 'v2', labels);
  const { deployment } = await run(world.activities.update, { ...TARGET, id: ID, revision, look });
  return { ...TARGET, id: ID, revision, deployment, look };
}

const settledOn = async (
  input: GoBackInput,
): Promise<{ verdict: string; now?: string; revision?: string }> => {
  const { revision = '', deployment, at } = await run(world.activities.goBack, input);
  const giveUpAt = new Date(Date.now() + 10_000).toISOString();
  const watch: StabiliseInput = { ...TARGET, id: ID, revision, deployment, since: at, giveUpAt };
  return { ...(await run(world.activities.stabilise, watch)), revision };
};

describe('goBack', () => {
  it('stops the service deployment where the service has one, once', async () => {
    world = await startEcsWorld({ timings: { settle: 2_000 } });
    const input = await underWay();
    const { wayBack } = input.look;
    expect(await settledOn(input)).toMatchObject({ verdict: 'stable', now: wayBack });
    expect(await run(world.activities.goBack, input)).toMatchObject({ state: 'nothing', revision: wayBack });
    expect(world.aws.counts()).toMatchObject({ 'ecs:StopServiceDeployment': 1, 'ecs:UpdateService': 1 });
  });

  it.each([
    ['without service deployments', { serviceDeployments: false }, undefined],
    ['where stopping is denied', {}, 'ecs:StopServiceDeployment'],
  ])('updates to the way back %s, once', async (_name, behaviour, denied) => {
    world = await startEcsWorld({ behaviour, timings: { settle: 1_000 } });
    if (denied) world.aws.fault({ operation: denied, kind: 'deny' });
    const input = await underWay();
    world.aws.fault({ operation: 'ecs:UpdateService', kind: 'lose-after', times: 1 });
    await expect(run(world.activities.goBack, input)).rejects.toMatchObject({ type: 'AWS_DOWN' });
    expect(await settledOn(input)).toMatchObject({ verdict: 'stable', now: input.look.wayBack });
    expect(world.aws.counts()['ecs:UpdateService']).toBe(2);
  });

  it('goes back also from one that is stable', async () => {
    world = await startEcsWorld();
    const input = await underWay();
    await world.settle();
    expect(await settledOn(input)).toMatchObject({ verdict: 'stable', now: input.look.wayBack });
  });

  it('renders the digests of an INACTIVE way back again, once, though the answer was lost', async () => {
    world = await startEcsWorld({ timings: { settle: 1_000 } });
    const input = await underWay();
    const { wayBack = '', wayBackDigests } = input.look;
    await world.client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: wayBack }));
    world.aws.fault({ operation: 'ecs:RegisterTaskDefinition', kind: 'lose-after', times: 1 });
    await expect(run(world.activities.goBack, input)).rejects.toMatchObject({ type: 'AWS_DOWN' });
    const { verdict, now = '', revision } = await settledOn(input);
    expect({ verdict, now }).toEqual({ verdict: 'stable', now: revision });
    expect(world.aws.revisions({ family: 'staging-api' })).toHaveLength(3);
    const { taskDefinition } = await world.client.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: now }),
    );
    expect(taskDefinition?.containerDefinitions?.map(({ image }) => image)).toEqual([
      `${world.aws.registry}/openverse-api:v1@${wayBackDigests.django}`,
      `${world.aws.registry}/openverse-api_nginx:v1@${wayBackDigests.nginx}`,
    ]);
    expect(await run(world.activities.goBack, input)).toMatchObject({ state: 'nothing', revision });
  });

  it('sends nothing while ECS rolls back already', async () => {
    world = await startEcsWorld({ timings: { settle: 500 } });
    const input = await underWay({ 'sandbox.exit': '3' });
    while (world.aws.standing(REF).deployment === input.deployment)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await settledOn(input)).toMatchObject({ verdict: 'stable', now: input.look.wayBack });
    expect(world.aws.counts()).not.toHaveProperty('ecs:StopServiceDeployment');
    expect(world.aws.counts()['ecs:UpdateService']).toBe(1);
  });

  it('sends nothing where ours was never sent', async () => {
    world = await startEcsWorld();
    const { look, revision } = await registered(world, 'v2');
    expect(await run(world.activities.goBack, { ...TARGET, id: ID, revision, look })).toMatchObject({
      state: 'nothing',
      revision: look.wayBack,
    });
    expect(world.aws.counts()).not.toHaveProperty('ecs:UpdateService');
  });

  it('leaves somebody else’s deployment alone', async () => {
    world = await startEcsWorld();
    const input = await underWay();
    world.aws.taskDefinition(definition('foreign', world.reference('v1')));
    world.aws.deploy({ ...REF, taskDefinition: 'foreign' });
    const back = await run(world.activities.goBack, input);
    expect(back.state).toBe('nothing');
    expect(back.revision).toBeUndefined();
  });

  it('says what runs where there is nothing to go back to', async () => {
    world = await startEcsWorld({ breaker: 'stop' });
    const input = await underWay();
    const { wayBack: _gone, ...look } = input.look;
    await expect(run(world.activities.goBack, { ...input, look })).rejects.toMatchObject({
      type: 'NO_WAY_BACK',
      nonRetryable: true,
      message: expect.stringContaining('PRIMARY is staging-api:2') as string,
    });
  });
});

describe('dossier', () => {
  it('tells events, stopped tasks by reason with exit codes, counts and what runs', async () => {
    world = await startEcsWorld();
    const since = new Date().toISOString();
    const input = await underWay({ 'sandbox.exit': '3' });
    await world.settle();
    const dossier = await run(world.activities.dossier, { ...TARGET, revision: input.revision, since });
    expect(dossier.stoppedTasks[0]).toMatchObject({ exitCodes: { django: 3, nginx: 3 } });
    expect(dossier.stoppedTasks[0]?.count).toBeGreaterThanOrEqual(3);
    expect(dossier.events.map(({ message }) => message).join('\n')).toContain('deployment failed');
    expect(dossier.events.map(({ message }) => message).join('\n')).toContain('rolling back to deployment');
    expect(dossier.now).toContain('PRIMARY is staging-api:1');
    expect(dossier.counts).toMatchObject({ desired: 2, running: 0, previousRunning: 2 });
    expect(JSON.stringify(dossier)).not.toContain(MARKER);
  });

  it('tells what it can where AWS refuses the rest', async () => {
    world = await startEcsWorld();
    world.aws.fault({ operation: 'ecs:ListTasks', kind: 'deny' });
    const since = new Date(Date.now() - 60_000).toISOString();
    const without = await run(world.activities.dossier, { ...TARGET, since });
    expect(without).toMatchObject({
      stoppedTasks: [],
      now: expect.stringContaining('staging-api:1') as string,
    });
    world.aws.fault({ operation: 'ecs:DescribeServices', kind: 'deny' });
    expect(await run(world.activities.dossier, { ...TARGET, since })).toEqual({
      events: [],
      stoppedTasks: [],
    });
  });
});
