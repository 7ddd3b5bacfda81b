/** Knows `SLUICE_EMERGENCY_TOKEN` again without keeping it, and without telling by its time how much was right. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { EMERGENCY_CHARS } from '../domain/emergency.js';
import { ConfigError } from './config.js';
import { isToken } from './github.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * @param secret absent or empty: there is none
 * @throws {ConfigError} where it is too short, or could not be sent
 */
export function emergencyToken(secret: string | undefined): ((token: string) => boolean) | undefined {
  if (!secret) return undefined;
  if (secret.length < EMERGENCY_CHARS || !isToken(secret)) {
    throw new ConfigError(
      `SLUICE_EMERGENCY_TOKEN must have at least ${EMERGENCY_CHARS} characters, none of them a blank: ` +
        'make one with openssl rand -hex 32, or leave it out',
    );
  }
  const known = digest(secret);
  return (token) => timingSafeEqual(digest(token), known);
}
