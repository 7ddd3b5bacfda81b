import type { Lock } from '../../domain/messages.js';
import type { CliContext } from '../context.js';
import { EXIT } from '../context.js';

interface Target {
  app: string;
  environment: string;
}

const path = ({ app, environment }: Target): string =>
  `/api/locks/${encodeURIComponent(environment)}/${encodeURIComponent(app)}`;

/** Lets no deployment start there. */
export async function lock(
  { client, io }: CliContext,
  target: Target,
  { reason, json }: { reason: string; json?: boolean },
): Promise<number> {
  const held = await client.send<Lock>('PUT', path(target), { reason });
  io.out(json ? JSON.stringify(held) : `${target.app} on ${target.environment} is locked by ${held.by}`);
  return EXIT.success;
}

/** Lets what waits there go on. */
export async function unlock(
  { client, io }: CliContext,
  target: Target,
  { reason, json }: { reason?: string; json?: boolean },
): Promise<number> {
  await client.send<void>('DELETE', path(target), reason === undefined ? {} : { reason });
  io.out(
    json
      ? JSON.stringify({ ...target, locked: false })
      : `${target.app} on ${target.environment} is unlocked`,
  );
  return EXIT.success;
}
