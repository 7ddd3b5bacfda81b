import type { AppView } from '../client.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../context.js';
import { statusLines } from '../render.js';

/** What runs where, and what its lanes do. */
export async function status(
  { client, io }: CliContext,
  asked: { app?: string; environment?: string; json?: boolean },
): Promise<number> {
  const { items } = await client.get<{ items: AppView[] }>('/api/apps');
  const wanted = items.filter(
    ({ app, environment }) =>
      (asked.app === undefined || app === asked.app) &&
      (asked.environment === undefined || environment === asked.environment),
  );
  if (wanted.length === 0 && items.length > 0) {
    const known = items.map(({ app, environment }) => `${app} ${environment}`).join(', ');
    io.err(`✗ There is no such service; there is: ${known}`);
    return EXIT.refused;
  }
  if (asked.json) io.out(JSON.stringify({ items: wanted }));
  else for (const line of statusLines(wanted)) io.out(line);
  return EXIT.success;
}
