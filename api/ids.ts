/** `{unique}` of a deployment's id: the same for the same key, so that a repeated request makes nothing new. */
import { createHash, randomBytes } from 'node:crypto';

const LENGTH = 16;

/** Lower-case letters and digits; 16 of them are 82 bits. */
function base36(bytes: Buffer): string {
  return BigInt(`0x${bytes.toString('hex')}`)
    .toString(36)
    .padStart(LENGTH, '0')
    .slice(-LENGTH);
}

export interface RequestKey {
  actor: string;
  /** Method and path: keys are scoped by actor and route (section 8). */
  route: string;
  /** The client's `Idempotency-Key`; absent: every request is new. */
  key?: string;
}

/** Parts cannot run into each other: they are hashed as a JSON list. */
export const uniqueFor = ({ actor, route, key }: RequestKey): string =>
  base36(
    key === undefined
      ? randomBytes(16)
      : createHash('sha256')
          .update(JSON.stringify([actor, route, key]))
          .digest(),
  );

/** Tells bodies apart under one key. */
export const fingerprintOf = (body: unknown): string =>
  createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 12);
