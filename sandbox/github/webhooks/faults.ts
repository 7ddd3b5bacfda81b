/** What goes wrong with deliveries on their way. GitHub itself never tries again. */
import { setTimeout as sleep } from 'node:timers/promises';

export const WEBHOOK_FAULTS = ['lost', 'twice', 'late', 'held'] as const;

export interface WebhookFault {
  /**
   * `lost`: it never arrives; the log says that nobody could be reached. `twice`: it arrives two times, with one
   * id. `late`: after `delayMs`, others go before it. `held`: when it is released.
   */
  kind: (typeof WEBHOOK_FAULTS)[number];
  /** How many deliveries it meets; absent: until it is cleared. */
  times?: number;
  /** Only of this event: `push`. */
  event?: string;
  /** Only of this action: `completed`. */
  action?: string;
  /** Deliveries that it would meet to let pass first. */
  skip?: number;
  /** `late`: 1000 where absent. */
  delayMs?: number;
}

export class WebhookFaults {
  #active: WebhookFault[] = [];
  #held: (() => void)[] = [];

  add(fault: WebhookFault): void {
    this.#active.push({ ...fault });
  }

  /** What is held goes out. */
  clear(): void {
    this.#active = [];
    this.release();
  }

  /** What is held goes out, in its order; the fault stays. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  list(): WebhookFault[] {
    return this.#active.map((fault) => ({ ...fault }));
  }

  take(event: string, action: string | null): WebhookFault | undefined {
    const fault = this.#active.find(
      (each) =>
        (each.event ?? event) === event &&
        (each.action === undefined || each.action === action) &&
        isDue(each),
    );
    if (fault?.times !== undefined && --fault.times <= 0)
      this.#active = this.#active.filter((each) => each !== fault);
    return fault;
  }

  /** Until a delivery that this fault meets may go. */
  async wait({ kind, delayMs = 1_000 }: WebhookFault): Promise<void> {
    if (kind === 'late') await sleep(delayMs, undefined, { ref: false });
    if (kind === 'held') await new Promise<void>((resolve) => this.#held.push(resolve));
  }
}

function isDue(fault: WebhookFault): boolean {
  if (!fault.skip) return true;
  fault.skip -= 1;
  return false;
}
