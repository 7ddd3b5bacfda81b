/** Temporal's page token as a cursor that can be known again: the server answers a foreign one as an outage. */
import { createHash } from 'node:crypto';
import { badRequest } from './errors.js';

export const NO_CURSOR = 'querystring/cursor is none of ours';

const checksum = (token: Uint8Array): Buffer => createHash('sha256').update(token).digest().subarray(0, 4);

export const cursorOf = (token: Uint8Array): string =>
  Buffer.concat([checksum(token), token]).toString('base64url');

/** @throws ApiError 400 */
export function tokenOf(cursor: string): Buffer {
  const bytes = Buffer.from(cursor, 'base64url');
  const token = bytes.subarray(4);
  if (token.length > 0 && bytes.subarray(0, 4).equals(checksum(token))) return token;
  throw badRequest(NO_CURSOR);
}
