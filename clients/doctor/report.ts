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

  private add({ detail, ...finding }: Omit<Finding, 'area'> & { detail?: string | undefined }): void {
    this.findings.push({ area: this.area, ...finding, ...(detail ? { detail } : {}) });
  }
}

/** One line, without what a foreign error may repeat of what was sent: its name or code first. */
export function shortly(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' ? code : error.name || 'Error').slice(0, 100);
}
