/** What a measurement hands back, and how it is shown: Markdown for people, plain JSON for scripts. */

export interface Figure {
  what: string;
  value: number;
  unit: 's' | 'MB' | 'bytes' | 'calls' | 'calls/s' | 'events' | 'times' | '/s';
  /** The value is met where it is not above this. Neither of the two: it is only shown. */
  target?: number;
  /** The value is met where it is not below this. */
  atLeast?: number;
}

/** Beside the figures: what they were made of. */
export interface Detail {
  title: string;
  head: string[];
  rows: (string | number)[][];
}

export interface Report {
  /** The part's name on the command line. */
  part: string;
  title: string;
  /** What was run, in a sentence each. */
  how: string[];
  figures: Figure[];
  details: Detail[];
}

const DIGITS: Record<Figure['unit'], number> = {
  ...{ s: 2, MB: 0, bytes: 0, calls: 1, 'calls/s': 1, events: 0, times: 2, '/s': 0 },
};

export const show = (value: number, unit: Figure['unit']): string => {
  if (!Number.isFinite(value)) return '–';
  if (unit === 's' && value > 0 && value < 0.01) return `${(value * 1000).toFixed(1)} ms`;
  if (unit === 's' && value > 0 && value < 0.1) return `${(value * 1000).toFixed(0)} ms`;
  const text = Number.isInteger(value) ? String(value) : value.toFixed(DIGITS[unit]);
  return unit === 'times' ? `${text} ×` : `${text} ${unit}`;
};

export const seconds = (ms: number): string => show(ms / 1000, 's');

/** Undefined: there is no target. What could not be measured has not met its own. */
export function isMet({ value, target, atLeast }: Figure): boolean | undefined {
  if (target !== undefined) return value <= target;
  return atLeast === undefined ? undefined : value >= atLeast;
}

const targetOf = ({ target, atLeast, unit }: Figure): string => {
  if (target !== undefined) return `≤ ${show(target, unit)}`;
  return atLeast === undefined ? '' : `≥ ${show(atLeast, unit)}`;
};

const verdictOf = (figure: Figure): string => {
  const met = isMet(figure);
  return met === undefined ? '' : met ? 'yes' : '**no**';
};

export function markdown({ title, how, figures, details }: Report, command: string): string {
  const rows = figures.map((figure) => [
    figure.what,
    show(figure.value, figure.unit),
    targetOf(figure),
    verdictOf(figure),
  ]);
  return [
    `## ${title}`,
    `\`${command}\``,
    ...how,
    table(['measured', 'figure', 'target', 'met'], rows),
    ...details.flatMap((detail) => [`${detail.title}:`, table(detail.head, detail.rows)]),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (string | number)[][]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
