/** The sandbox with Docker: what it deploys is built, pushed and run for real. */
import { expect, it } from 'vitest';
import { startStack } from '../../sandbox/stack.js';
import { deployOnce, nothingLeft } from '../support/stack.js';
import { inDocker } from './leftovers.js';

it('starts, deploys, and leaves nothing behind', async () => {
  const stack = await startStack();
  const { registry } = stack.aws;
  try {
    expect(stack.usesDocker).toBe(true);
    await deployOnce(stack);
    const { containers, networks, images } = await inDocker(registry);
    const built = `${registry}/openverse-api_nginx:${stack.sample.commits.good.at(-1)}`;
    expect(containers.filter((line) => line.includes(built))).toHaveLength(2);
    expect(networks).toHaveLength(1);
    expect(images).toContain(built);
  } finally {
    await stack.close();
  }
  expect(await inDocker(registry)).toEqual({ containers: [], networks: [], images: [] });
  await nothingLeft(stack);
}, 180_000);
