/** Findings of one area, as a check writes them down. */
import type { Finding } from '../../domain/findings.js';

export class Report {
  readonly findings: Finding[] = [];

  constructor(private readonly area: string) {}

  ok(what: string, detail?: string): void {
    this.add({ what, state: 'ok', detail });
  }

  warn(what: string, detail: string, hint: string): void {
    this.add({ what, state: 'warning', detail, hint });
  }

  broken(what: string, detail: string, hint: string): void {
    this.add({ what, state: 'broken', detail, hint });
  }

  unchecked(what: string, detail: string): void {
    this.add({ what, state: 'unchecked', detail });
  }

  /** Another report's, as this one's area. */
  take(finding: Finding): void {
    this.findings.push({ ...finding, area: this.area });
  }

  private add({ detail, ...finding }: Omit<Finding, 'area'> & { detail?: string | undefined }): void {
    this.findings.push({ area: this.area, ...finding, ...(detail ? { detail } : {}) });
  }
}

/**
 * One line, without what a foreign error may repeat of what was sent: its code (of what caused it, where it has none
 * itself, as fetch's), else its name.
 */
export function shortly(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code.slice(0, 100);
  if (typeof code === 'number') return `status ${code}`;
  if (cause instanceof Error) return shortly(cause);
  return (error.name || 'Error').slice(0, 100);
}
