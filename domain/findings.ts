/** What `sluice setup` did and `sluice doctor` found, in words that say what to do. */

export interface Finding {
  /** What it belongs to: `Temporal`, `AWS`, `api → staging` … */
  area: string;
  what: string;
  /** `unchecked`: it cannot be tried without an effect, or is not set and so off. */
  state: 'ok' | 'warning' | 'broken' | 'unchecked';
  /** One line: how it stands. */
  detail?: string;
  /** What to do. */
  hint?: string;
}

/** Areas in the order in which they were first found. */
export function grouped(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) groups.set(finding.area, [...(groups.get(finding.area) ?? []), finding]);
  return groups;
}

export const isBroken = ({ state }: Finding): boolean => state === 'broken';
