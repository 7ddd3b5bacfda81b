/** How Slack fails: chosen in-process or under `/_sandbox/faults`. */

export const FAULTS = [
  'ratelimited',
  'unavailable',
  'error',
  'not-json',
  'slow',
  'lost-request',
  'lost-answer',
  'hold-after',
] as const;

export interface Fault {
  /**
   * `lost-request`: the connection breaks and nothing was done; `lost-answer`: it was done, and breaks;
   * `hold-after`: it was done, and the answer waits for `delayMs` (an hour) or until whoever asked is gone.
   */
  kind: (typeof FAULTS)[number];
  /** Only this one: `chat.update`, `webhook`. */
  method?: string;
  /** How many requests it meets; absent: until it is cleared. */
  times?: number;
  /** Requests that it would meet to let pass first. */
  skip?: number;
  delayMs?: number;
  /** `ratelimited`: the header `retry-after`, in seconds (default 1). */
  retryAfter?: number;
  /** `error`: what Slack says with `ok: false` (default `internal_error`). */
  error?: string;
}

export class Faults {
  #active: Fault[] = [];

  add(fault: Fault): void {
    if (!FAULTS.includes(fault.kind)) throw new Error(`kind is one of ${FAULTS.join(', ')}`);
    this.#active.push({ ...fault });
  }

  clear(): void {
    this.#active = [];
  }

  list(): Fault[] {
    return this.#active.map((fault) => ({ ...fault }));
  }

  /** The first that meets this request; one of its `times` is used up. */
  take(method: string): Fault | undefined {
    const fault = this.#active.find((each) => (each.method ?? method) === method && isDue(each));
    if (fault?.times !== undefined && --fault.times <= 0) {
      this.#active = this.#active.filter((each) => each !== fault);
    }
    return fault;
  }
}

function isDue(fault: Fault): boolean {
  if (!fault.skip) return true;
  fault.skip -= 1;
  return false;
}
