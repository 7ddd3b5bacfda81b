/** Findings as people read them. */
import type { Finding } from '../domain/findings.js';
import { grouped } from '../domain/findings.js';

const MARK = { ok: '✓', warning: '!', broken: '✗', unchecked: '·' } as const;

export function findingLines(findings: readonly Finding[]): string[] {
  return [...grouped(findings)].flatMap(([area, all], at) => [
    ...(at === 0 ? [] : ['']),
    area,
    ...all.flatMap(({ state, what, detail, hint }) => [
      `  ${MARK[state]} ${what}${detail ? `: ${detail}` : ''}`,
      ...(hint ? [`    → ${hint}`] : []),
    ]),
  ]);
}

/** `12 fine, 1 warning, 2 broken` */
export function countsLine(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((one) => one.state === state).length;
  const warnings = count('warning');
  return `${count('ok')} fine, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${count('broken')} broken`;
}
