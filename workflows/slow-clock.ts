/**
 * Rule 4: after `limits.tellAfter` in steps maintainers are told, and the work goes on. Time that passes
 * waiting for the turn does not count. One timer runs through; it is armed again for what was waited.
 */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

export class SlowClock {
  private spentMs = 0;
  private runningSince: number | undefined;
  private scope: CancellationScope | undefined;

  constructor(
    private readonly limitMs: number,
    private readonly onSlow: () => void,
  ) {}

  run(): void {
    this.runningSince ??= Date.now();
    if (this.scope) return;
    this.scope = new CancellationScope();
    this.scope
      .run(() => this.watch())
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }

  pause(): void {
    this.spentMs = this.spent();
    this.runningSince = undefined;
  }

  stop(): void {
    this.scope?.cancel();
  }

  private spent(): number {
    return this.spentMs + (this.runningSince === undefined ? 0 : Date.now() - this.runningSince);
  }

  private async watch(): Promise<void> {
    for (let left = this.limitMs; left > 0; left = this.limitMs - this.spent()) {
      await sleep(Math.max(left, 1_000), { summary: 'told to the maintainers when it takes too long' });
    }
    this.onSlow();
  }
}
