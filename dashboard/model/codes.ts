/** What the list of codes says; a page left open may meet one that is newer than itself. */
import type { CodeEntry } from '../../domain/codes.js';
import { CODES, isCode } from '../../domain/codes.js';

/** @returns undefined for a code that this page does not know */
export const entryOf = (code: string): CodeEntry | undefined => (isCode(code) ? CODES[code] : undefined);

/** In words; one that is not known by its own. */
export const textOf = (code: string): string =>
  entryOf(code)?.text ?? code.replaceAll('_', ' ').toLowerCase();
