/** Durations as people write them in `sluice.yaml`: one whole number and one unit. */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const FORM = /^([0-9]{1,9})(ms|s|m|h|d)$/;

/** A year: longer is a slip of the pen, and timers have their limits. */
const LONGEST = 365 * UNITS.d;

/** `"15m"` → 900000. @returns undefined where it is not of this form, is zero, or exceeds a year. */
export function parseDuration(text: string): number | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const ms = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  return ms > 0 && ms <= LONGEST ? ms : undefined;
}

/** In words for people: `15 minutes`, below two minutes `90 seconds`. */
export const durationWords = (ms: number): string =>
  ms < 2 * UNITS.m ? `${Math.round(ms / UNITS.s)} seconds` : `${Math.round(ms / UNITS.m)} minutes`;
