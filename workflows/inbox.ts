/**
 * What reaches a deployment from outside: its turn, its build's result, a person's stop, and, while it waits, that
 * a rollback goes in its place.
 */
import { CancellationScope, CancelledFailure, defineSignal, setHandler } from '@temporalio/workflow';
import type { BuildResult, StopRequest, Superseded } from '../domain/messages.js';
import { SIGNAL } from '../domain/messages.js';

export interface Inbox {
  hasTurn(): boolean;
  /** It goes back to its lane, which gives it again. */
  giveTurnBack(): void;
  /** Whether what it waits for may have changed, since it was last asked. */
  takeLook(): boolean;
  hasLook(): boolean;
  /** The build's answer, once. */
  takeBuilt(): BuildResult | undefined;
  hasBuilt(): boolean;
  stopRequest(): StopRequest | undefined;
  /** The first stop counts; later ones change nothing. */
  stop(request: StopRequest): void;
  /** Present where it was replaced before it had the turn. */
  supersededBy(): string | undefined;
  /** ECS tells of a rollout's end. */
  hasNews(): boolean;
  forgetNews(): void;
  /** Runs `work` so that a stop cancels it. @throws CancelledFailure on a stop, or where it was replaced. */
  interruptible<T>(work: () => Promise<T>): Promise<T>;
  /** @throws CancelledFailure where a stop has come, or it was replaced. */
  throwIfStopped(): void;
}

/** Registers the handlers: call it before anything is awaited. */
export function openInbox(startsWithTurn: boolean): Inbox {
  let turn = startsWithTurn;
  let look = false;
  let built: BuildResult | undefined;
  let stopped: StopRequest | undefined;
  let superseded: string | undefined;
  let news = false;
  let scope: CancellationScope | undefined;

  const inbox: Inbox = {
    hasTurn: () => turn,
    giveTurnBack() {
      turn = false;
    },
    hasLook: () => look,
    takeLook() {
      const before = look;
      look = false;
      return before;
    },
    hasBuilt: () => built !== undefined,
    takeBuilt() {
      const result = built;
      built = undefined;
      return result;
    },
    stopRequest: () => stopped,
    supersededBy: () => superseded,
    hasNews: () => news,
    forgetNews() {
      news = false;
    },
    stop(request) {
      if (stopped || superseded) return;
      stopped = request;
      scope?.cancel();
    },
    throwIfStopped() {
      if (stopped) throw new CancelledFailure('stopped');
      if (superseded) throw new CancelledFailure('superseded');
    },
    async interruptible(work) {
      inbox.throwIfStopped();
      scope = new CancellationScope();
      try {
        return await scope.run(work);
      } finally {
        scope = undefined;
      }
    },
  };
  setHandler(defineSignal(SIGNAL.turn), () => {
    turn = true;
  });
  setHandler(defineSignal(SIGNAL.look), () => {
    look = true;
  });
  setHandler(defineSignal<[BuildResult]>(SIGNAL.built), (result) => {
    built = result;
  });
  setHandler(defineSignal(SIGNAL.ecsNews), () => {
    news = true;
  });
  setHandler(defineSignal<[StopRequest]>(SIGNAL.stop), (request) => inbox.stop(request));
  setHandler(defineSignal<[Superseded]>(SIGNAL.superseded), ({ by }) => {
    if (turn || stopped || superseded) return;
    superseded = by;
    scope?.cancel();
  });
  return inbox;
}
