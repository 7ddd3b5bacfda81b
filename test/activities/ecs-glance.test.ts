/** The short look beside the watch, against the stand-in. */
import { afterEach, describe, expect, it } from 'vitest';
import type { StabiliseInput } from '../../domain/effects.js';
import { ID, REF, registered, run, startEcsWorld, TARGET } from '../support/ecs.js';
import type { EcsWorld } from '../support/ecs.js';
import { eventually } from '../support/scripted.js';

let world: EcsWorld;
afterEach(async () => {
  await world.close();
});

async function rollOut(labels?: Record<string, string>): Promise<StabiliseInput> {
  const { look, revision } = await registered(world, 'v2', labels);
  const { deployment, at } = await run(world.activities.update, { ...TARGET, id: ID, revision, look });
  const giveUpAt = new Date(Date.parse(at) + 60_000).toISOString();
  return { ...TARGET, id: ID, revision, deployment, since: at, giveUpAt, wayBack: look.wayBack };
}

const glance = async (input: StabiliseInput) => (await run(world.activities.glance, input)).stabilised;
const reads = (): number => world.aws.counts()['ecs:DescribeServices'] ?? 0;
const stable = () => eventually(() => expect(world.aws.standing(REF).stableAt).toBeDefined(), 20_000);

describe('glance', () => {
  it('tells a stable service from one read', async () => {
    world = await startEcsWorld();
    const input = await rollOut();
    await stable();
    const before = reads();
    expect(await glance(input)).toMatchObject({ verdict: 'stable', now: input.revision });
    expect(reads() - before).toBe(1);
  });

  it('tells nothing while it rolls out, after a few reads', async () => {
    world = await startEcsWorld();
    world.aws.behave({ ...REF, behaviour: { frozen: true } });
    const input = await rollOut();
    const before = reads();
    expect(await glance(input)).toBeUndefined();
    expect(reads() - before).toBe(3);
  });

  it('leaves to the watch that time is up', async () => {
    world = await startEcsWorld();
    world.aws.behave({ ...REF, behaviour: { frozen: true } });
    const input = await rollOut();
    expect(await glance({ ...input, giveUpAt: input.since })).toBeUndefined();
  });

  it('tells a rollback by ECS once what ran before is back', async () => {
    world = await startEcsWorld();
    const input = await rollOut({ 'sandbox.exit': '3' });
    await eventually(() => expect(world.aws.standing(REF).history.at(-1)?.by).toBe('breaker'), 20_000);
    await stable();
    expect(await glance(input)).toMatchObject({ verdict: 'rolled-back', now: input.wayBack });
  });

  it('does not count a read that began before the update’s answer', async () => {
    world = await startEcsWorld();
    const input = await rollOut();
    await stable();
    const since = new Date(Date.now() + 30_000).toISOString();
    expect(await glance({ ...input, since })).toBeUndefined();
  });
});
