/** The sandbox without Docker: real processes, played containers. */
import { verify } from '@octokit/webhooks-methods';
import { expect, it } from 'vitest';
import { startStack } from '../../sandbox/stack.js';
import { deployOnce, nothingLeft } from '../support/stack.js';

it('starts, deploys, and leaves nothing behind', async () => {
  const stack = await startStack({ docker: false });
  try {
    expect(stack.usesDocker).toBe(false);
    await deployOnce(stack);
    const url = `${stack.apiUrl}/webhooks/github`;
    await stack.github.webhooks.settled();
    const heard = { url, answer: { statusCode: 202 } };
    expect(stack.github.webhooks.deliveries('ping')).toMatchObject([heard]);
    const { GITHUB_WEBHOOK_SECRET: secret = '', SESSION_SECRET: session = '', SLUICE_PUBLIC_URL } = stack.env;
    const [ping] = stack.github.webhooks.deliveries('ping');
    expect(await verify(secret, ping?.body ?? '', ping?.headers['x-hub-signature-256'] ?? '')).toBe(true);
    expect([SLUICE_PUBLIC_URL, session.length >= 32]).toEqual([stack.apiUrl, true]);
  } finally {
    await stack.close();
  }
  await nothingLeft(stack);
}, 120_000);
