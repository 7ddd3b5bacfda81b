/** Faults on demand: which call fails, and how. */

export const FAULTS = [
  'throttle',
  'error',
  'deny',
  'delay',
  'lose-before',
  'lose-after',
  'hold-after',
] as const;

export interface FaultInput {
  /** `ecs:UpdateService`, `ecs:*`, `*`; `registry:PutManifest` is what a push ends with. */
  operation: string;
  /**
   * `lose-before`: the connection breaks and nothing was done; `lose-after`: it was done, the answer is lost;
   * `hold-after`: it was done and stands in the call log, the answer waits for `delayMs` (an hour) or until
   * whoever asked is gone: time to kill them.
   */
  kind: (typeof FAULTS)[number];
  /** Every n-th matching call (default 1: each). */
  every?: number;
  /** Matching calls to let pass first. */
  skip?: number;
  /** How often it strikes at most. */
  times?: number;
  delayMs?: number;
  /** `deny`: what AWS says; it may quote what it refuses. */
  message?: string;
}

export interface Fault extends FaultInput {
  id: number;
  seen: number;
  struck: number;
}

export class Faults {
  private faults: Fault[] = [];
  private lastId = 0;

  add(input: FaultInput): Fault {
    if (!FAULTS.includes(input.kind))
      throw new Error(`Unknown fault ${input.kind}: one of ${FAULTS.join(', ')}`);
    const fault = { ...input, id: ++this.lastId, seen: 0, struck: 0 };
    this.faults.push(fault);
    return fault;
  }

  list(): Fault[] {
    return this.faults;
  }

  clear({ id }: { id?: number } = {}): void {
    this.faults = id === undefined ? [] : this.faults.filter((fault) => fault.id !== id);
  }

  /** The fault that strikes this call. A delay may come with another. */
  strike(operation: string): Fault[] {
    const struck = this.faults.filter((fault) => matches(fault.operation, operation) && due(fault));
    const broken = struck.find((fault) => fault.kind !== 'delay');
    return struck.filter((fault) => fault.kind === 'delay' || fault === broken);
  }
}

const matches = (pattern: string, operation: string): boolean =>
  pattern === '*' ||
  pattern === operation ||
  (pattern.endsWith(':*') && operation.startsWith(pattern.slice(0, -1)));

function due(fault: Fault): boolean {
  fault.seen += 1;
  const after = fault.seen - (fault.skip ?? 0);
  if (after <= 0 || after % (fault.every ?? 1) !== 0 || fault.struck >= (fault.times ?? Infinity))
    return false;
  fault.struck += 1;
  return true;
}
