/** What happens at the repository and is told to webhooks: as it was at that moment. */
import type { Run } from './actions/run.js';
import type { Pull } from './records.js';

export interface Pushed {
  event: 'push';
  /** `refs/heads/main`, `refs/tags/…` */
  ref: string;
  /** 40 hex; zeros: it was not there, or is no more. */
  before: string;
  after: string;
  forced: boolean;
  /** Login. */
  by: string;
}

export interface PullHappened {
  event: 'pull_request';
  action: 'opened' | 'reopened' | 'closed';
  pull: Pull;
  by: string;
}

export interface RunHappened {
  event: 'workflow_run';
  action: 'requested' | 'in_progress' | 'completed';
  run: Run;
}

export type Happened = Pushed | PullHappened | RunHappened;

export class Events {
  #listener: ((happened: Happened) => Promise<void>) | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** One listener: the webhooks. It hears one after the other. */
  listen(listener: (happened: Happened) => Promise<void>): void {
    this.#listener = listener;
  }

  tell(happened: Happened): void {
    // A copy: what changes later must not change what was said.
    const copy = structuredClone(happened);
    this.#turn = this.#turn.then(() => this.#listener?.(copy)).catch(() => undefined);
  }

  /** Until all that has happened so far was heard. */
  settled(): Promise<void> {
    return this.#turn;
  }
}
