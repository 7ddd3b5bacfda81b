/** What the output of a test command comes to, in one line. */
import { oneLine } from '../one-line.js';

/** Playwright's last lines: `  1 failed`, `  12 passed (3.4s)`. */
const COUNT =
  /^\s*(\d{1,9}) (failed|interrupted|flaky|skipped|did not run|passed)(?: \([0-9.]{1,12}(?:ms|s|m|h)\))?\s*$/;
/** The bad news first, as Playwright has it. */
const KINDS = ['failed', 'interrupted', 'flaky', 'skipped', 'did not run', 'passed'];

/** Whether it is a line of Playwright's summing-up: the names of what failed stand between these. */
export const isCount = (line: string): boolean => COUNT.test(line);

/**
 * @param lines of the output, oldest first
 * @returns Playwright's counts where it printed them, else the last line; empty where there is none
 */
export function sumUp(lines: readonly string[]): string {
  const counts = new Map<string, string>();
  for (const line of lines) {
    const kind = COUNT.exec(line)?.[2];
    if (kind !== undefined) counts.set(kind, line.trim());
  }
  const found = KINDS.flatMap((kind) => counts.get(kind) ?? []);
  return oneLine(found.length > 0 ? found.join(', ') : (lines.findLast((line) => line.trim() !== '') ?? ''));
}
