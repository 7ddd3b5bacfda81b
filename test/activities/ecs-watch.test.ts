/** The watch against the stand-in: verdicts, heartbeats, cancellation, faults. */
import { CancelledFailure } from '@temporalio/common';
import { afterEach, describe, expect, it } from 'vitest';
import type { EcsActivities } from '../../activities/ecs/index.js';
import type { Stabilised, StabiliseInput } from '../../domain/effects.js';
import { MISSED } from '../../domain/events.js';
import type { Watch } from '../../domain/rollout/rollout.js';
import { definition, environment, ID, REF, registered, run, startEcsWorld, TARGET } from '../support/ecs.js';
import type { EcsWorld } from '../support/ecs.js';

let world: EcsWorld;
afterEach(async () => {
  await world.close();
});

async function rollOut(labels?: Record<string, string>, giveUpMs = 60_000): Promise<StabiliseInput> {
  const { look, revision } = await registered(world, 'v2', labels);
  const { deployment, at } = await run(world.activities.update, { ...TARGET, id: ID, revision, look });
  const giveUpAt = new Date(Date.parse(at) + giveUpMs).toISOString();
  return { ...TARGET, id: ID, revision, deployment, since: at, giveUpAt, wayBack: look.wayBack };
}

const watch = (input: StabiliseInput, details?: unknown) => {
  const env = environment(details);
  const beats: Watch[] = [];
  env.on('heartbeat', (beat: Watch | undefined) => {
    if (beat) beats.push(structuredClone(beat));
  });
  return {
    env,
    beats,
    ended: env.run<[StabiliseInput], Stabilised, EcsActivities['stabilise']>(
      world.activities.stabilise,
      input,
    ),
  };
};

describe('stabilise', () => {
  it('tells stable soon after it is', async () => {
    world = await startEcsWorld();
    const { ended, beats } = watch(await rollOut());
    const result = await ended;
    const { stableAt = 0, revision } = world.aws.standing(REF);
    expect(result).toMatchObject({
      verdict: 'stable',
      now: revision,
      rollout: { desired: 2, running: 2, previousRunning: 0 },
    });
    expect(Date.now() - stableAt).toBeLessThan(1_500);
    expect(beats).not.toEqual([]);
    expect(beats.at(-1)?.rollout.updatedAt).toBeTruthy();
  });

  it.each([
    ['as AWS does', {}],
    ['FAILED shown late', { failedShownLate: true }],
    ['the old deployment taken up again', { rollbackReusesDeployment: true }],
    ['no service deployments', { serviceDeployments: false }],
    ['no rolloutState', { rolloutState: false }],
    ['COMPLETED before the old tasks are gone', { drainAfterCompleted: true }],
  ])('tells a rollback by ECS, %s', async (_name, behaviour) => {
    world = await startEcsWorld({ behaviour });
    const input = await rollOut({ 'sandbox.exit': '3' });
    const result = await run(world.activities.stabilise, input);
    expect(result).toMatchObject({ verdict: 'rolled-back', now: input.wayBack });
  });

  it('tells failed tasks where ECS does not roll back', async () => {
    world = await startEcsWorld({ breaker: 'stop' });
    const result = await run(world.activities.stabilise, await rollOut({ 'sandbox.exit': '3' }));
    expect(result.verdict).toBe('tasks-failed');
    expect(result.message).toMatch(/PRIMARY is staging-api:2 \(FAILED/);
  });

  it('tells somebody else’s deployment, of the old revision too', async () => {
    world = await startEcsWorld();
    const input = await rollOut();
    world.aws.deploy({ ...REF, taskDefinition: input.wayBack });
    expect(await run(world.activities.stabilise, input)).toMatchObject({
      verdict: 'superseded',
      now: input.wayBack,
    });
  });

  it('tells a service that is deleted', async () => {
    world = await startEcsWorld();
    const input = await rollOut();
    world.aws.removeService({ ...REF, how: 'gone' });
    expect((await run(world.activities.stabilise, input)).verdict).toBe('service-gone');
  });

  it('gives up only after a fresh read, saying what ECS does', async () => {
    world = await startEcsWorld();
    world.aws.behave({ ...REF, behaviour: { frozen: true } });
    const input = await rollOut({}, 1_200);
    const result = await run(world.activities.stabilise, input);
    expect(result.verdict).toBe('timed-out');
    expect(result.message).toMatch(/PRIMARY is staging-api:2 \(IN_PROGRESS.*0 of 2 running/);
    expect(result.rollout.updatedAt >= input.giveUpAt).toBe(true);
    expect(Date.now()).toBeLessThan(Date.parse(input.giveUpAt) + 1_000);
  });

  it('does not give up while ECS does not answer', async () => {
    world = await startEcsWorld();
    const input = await rollOut({}, 300);
    world.aws.fault({ operation: 'ecs:DescribeServices', kind: 'lose-before' });
    const { ended, beats } = watch(input);
    const early = await Promise.race([
      ended,
      new Promise((resolve) => setTimeout(resolve, 2_500, 'goes on')),
    ]);
    expect(early).toBe('goes on');
    expect(beats).toEqual([]);
    world.aws.clearFaults();
    expect((await ended).verdict).toBe('stable');
  });

  it('judges against the desired count of now', async () => {
    world = await startEcsWorld({ timings: { drain: 1_000 } });
    const input = await rollOut();
    world.aws.scale({ ...REF, desired: 0 });
    const result = await run(world.activities.stabilise, input);
    expect(result).toMatchObject({ verdict: 'stable', rollout: { desired: 0 } });
  });

  it('ends at once when it is cancelled, and writes nothing', async () => {
    world = await startEcsWorld({ timings: { drain: 5_000 } });
    const { env, ended } = watch(await rollOut());
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = world.aws.counts();
    const at = Date.now();
    env.cancel('CANCELLED');
    await expect(ended).rejects.toBeInstanceOf(CancelledFailure);
    expect(Date.now() - at).toBeLessThan(100);
    expect(world.aws.counts()['ecs:UpdateService']).toBe(before['ecs:UpdateService']);
  });

  it('goes on where another worker stood, each event shown once', async () => {
    world = await startEcsWorld({ timings: { drain: 2_500 } });
    const input = await rollOut();
    const first = watch(input);
    await new Promise((resolve) => setTimeout(resolve, 900));
    first.env.cancel('WORKER_SHUTDOWN');
    await expect(first.ended).rejects.toBeInstanceOf(CancelledFailure);
    world.aws.emitEvents({ ...REF, count: 3, message: 'has started 1 tasks', copies: 2 });
    const second = watch(input, JSON.parse(JSON.stringify(first.beats.at(-1))));
    const { verdict, rollout } = await second.ended;
    expect(verdict).toBe('stable');
    const messages = rollout.events.map(({ message }) => message);
    expect(new Set(messages).size).toBe(messages.length);
    expect(messages.filter((message) => message.includes('has started 1 tasks'))).toHaveLength(3);
  });

  it('says where events were missed', async () => {
    world = await startEcsWorld({ timings: { drain: 1_000 } });
    const input = await rollOut();
    world.aws.emitEvents({ ...REF, count: 250, message: 'has started 1 tasks' });
    const { beats, ended } = watch(input);
    await ended;
    const shown = beats.flatMap(({ rollout }) => rollout.events.map(({ message }) => message));
    expect(shown).toContain(MISSED);
    for (const { rollout } of beats) expect(rollout.events.length).toBeLessThanOrEqual(50);
  });

  it('is slowed by throttling and outages, and fails by neither', async () => {
    world = await startEcsWorld();
    const input = await rollOut();
    world.aws.fault({ operation: 'ecs:DescribeServices', kind: 'throttle', times: 2 });
    world.aws.fault({ operation: 'ecs:DescribeServices', kind: 'lose-before', skip: 1, times: 1 });
    world.aws.fault({ operation: 'ecs:DescribeServices', kind: 'error', skip: 1, times: 1 });
    expect((await run(world.activities.stabilise, input)).verdict).toBe('stable');
  });

  it('does without service deployments where they are denied', async () => {
    world = await startEcsWorld();
    const input = await rollOut();
    world.aws.behave({ ...REF, behaviour: { frozen: true } });
    world.aws.fault({ operation: 'ecs:DescribeServiceDeployments', kind: 'deny' });
    const { ended } = watch(input);
    await new Promise((resolve) => setTimeout(resolve, 200));
    world.aws.taskDefinition(definition('foreign', world.reference('v1')));
    world.aws.deploy({ ...REF, taskDefinition: 'foreign' });
    expect((await ended).verdict).toBe('superseded');
    expect(world.aws.calls({ operation: 'ecs:DescribeServiceDeployments' })).not.toHaveLength(0);
  });
});
