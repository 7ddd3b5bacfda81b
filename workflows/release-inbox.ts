/** What reaches a release from outside: its turn, how its deployment ended, and what people decide. */
import { defineSignal, log, setHandler } from '@temporalio/workflow';
import type { AbandonRequest, DeploymentEnded, ReleaseTurn, RetryRequest } from '../domain/messages.js';
import { SIGNAL } from '../domain/messages.js';

/** What can be decided now: nothing while a step runs. */
type Listening = 'blocked' | 'waiting' | undefined;

export type Decision = { retry: RetryRequest } | { abandon: AbandonRequest };

/** Registers the handlers: make it before anything is awaited. */
export class ReleaseInbox {
  private readonly ended = new Map<string, DeploymentEnded>();
  private turn = -1;
  private listening: Listening;
  private decided: Decision | undefined;
  private cancelled: AbandonRequest | undefined;

  constructor() {
    setHandler(defineSignal<[ReleaseTurn]>(SIGNAL.turn), ({ round }) => void (this.turn = round));
    setHandler(defineSignal<[DeploymentEnded]>(SIGNAL.deploymentEnded), (end) => this.tellEnd(end));
    setHandler(defineSignal<[RetryRequest]>(SIGNAL.retry), (retry) =>
      this.decide({ retry }, this.listening === 'blocked'),
    );
    setHandler(defineSignal<[AbandonRequest]>(SIGNAL.abandon), (abandon) =>
      this.decide({ abandon }, this.listening !== undefined),
    );
  }

  /** A turn is for one try. */
  hasTurn(round: number): boolean {
    return this.turn === round;
  }

  tellEnd(end: DeploymentEnded): void {
    this.ended.set(end.id, end);
  }

  endOf(id: string): DeploymentEnded | undefined {
    return this.ended.get(id);
  }

  /** Cancelling in Temporal abandons it, as soon as no step runs. */
  cancel(): void {
    this.cancelled = { actor: 'Temporal', reason: 'cancelled in Temporal' };
  }

  isCancelled(): boolean {
    return this.cancelled !== undefined;
  }

  listen(to: Listening): void {
    this.listening = to;
    this.decided = undefined;
  }

  decision(): Decision | undefined {
    return this.decided ?? (this.cancelled ? { abandon: this.cancelled } : undefined);
  }

  /** The first one counts: a retry that is sent twice is one. */
  private decide(decision: Decision, now: boolean): void {
    if (now) this.decided ??= decision;
    else log.warn('Not now: a step runs', { decision: Object.keys(decision)[0] });
  }
}
