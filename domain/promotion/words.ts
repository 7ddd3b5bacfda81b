/** Words that the queue's refusals have in common. */
import type { Code } from '../codes.js';
import type { Unmet } from './conditions.js';

export const no = (code: Code, message: string): Unmet => ({ code, message });

/** `1a2b3c4` for a commit. */
export const nameOf = (release: string): string =>
  /^[0-9a-f]{40}$/.test(release) ? release.slice(0, 7) : release;

export const lockedWords = ({ by, reason }: { by: string; reason: string }): Unmet =>
  no('LOCKED', `The queue is locked by ${by}: ${reason}. Unlock it first`);
