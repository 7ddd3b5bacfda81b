/** What was asked of the stand-in, operation by operation. */

export interface Call {
  /** `ecs:UpdateService`, `ecr:DescribeImages`, `registry:PutManifest`, … */
  operation: string;
  /** Repository of a call to the registry. */
  resource?: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** HTTP status answered; 0 where the answer was lost. */
  status: number;
  /** It changed or read what it should; false where it was refused or lost before that. */
  effect: boolean;
  /** Kind of the fault that struck it. */
  fault?: string;
  /** Name of the exception answered. */
  error?: string;
}

const KEPT = 200_000;

export class CallLog {
  private calls: Call[] = [];

  add(call: Call): void {
    this.calls.push(call);
    if (this.calls.length > KEPT) this.calls.splice(0, KEPT / 10);
  }

  list(filter: { operation?: string; since?: number } = {}): Call[] {
    const { operation, since = 0 } = filter;
    return this.calls.filter((call) => call.at >= since && (!operation || call.operation === operation));
  }

  counts(filter: { since?: number } = {}): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { operation } of this.list(filter)) counts[operation] = (counts[operation] ?? 0) + 1;
    return counts;
  }

  reset(): void {
    this.calls = [];
  }
}
