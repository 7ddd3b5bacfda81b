/** The sandbox without Docker: real processes, played containers. */
import { expect, it } from 'vitest';
import { startStack } from '../../sandbox/stack.js';
import { deployOnce, nothingLeft } from '../support/stack.js';

it('starts, deploys, and leaves nothing behind', async () => {
  const stack = await startStack({ docker: false });
  try {
    expect(stack.usesDocker).toBe(false);
    await deployOnce(stack);
  } finally {
    await stack.close();
  }
  await nothingLeft(stack);
}, 120_000);
