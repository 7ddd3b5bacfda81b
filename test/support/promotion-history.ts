/**
 * The state of a promotion queue as the pure rules make it of the workflow's own history: its signals, commands and
 * reads, in the order in which the workflow meets them.
 */
import assert from 'node:assert/strict';
import { defaultPayloadConverter } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import type { ObserveInput } from '../../activities/promotion/index.js';
import type { Lock } from '../../domain/messages.js';
import { SIGNAL, UPDATE } from '../../domain/messages.js';
import { approve, judgeApprove } from '../../domain/promotion/approve.js';
import * as commands from '../../domain/promotion/commands.js';
import { decide } from '../../domain/promotion/decide.js';
import { lookAfresh } from '../../domain/promotion/draft.js';
import * as events from '../../domain/promotion/events.js';
import type { Observation } from '../../domain/promotion/read.js';
import { judgeResolve, resolve } from '../../domain/promotion/resolve.js';
import { judgeRetry, needsRead, retry } from '../../domain/promotion/retry.js';
import type { Draft, Effect, PromotionState, Stepped } from '../../domain/promotion/state.js';
import { change, emptyQueue, remembered } from '../../domain/promotion/state.js';
import type { Commanded, LockCommand, RetryCommand } from '../../domain/promotion/promotion.js';

type Event = temporal.api.history.v1.IHistoryEvent;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** The first argument, or a result; undefined where there is none. */
function decoded(payloads: Payloads): never {
  const [payload] = payloads?.payloads ?? [];
  return (payload && defaultPayloadConverter.fromPayload(payload)) as never;
}

/** What is asked for: as `workflows/promotion-desk.ts` has it. */
interface Command {
  name: string;
  /** Of the shape that its name says. */
  input: Commanded & LockCommand & RetryCommand;
}

const JUDGE: Record<string, (q: PromotionState, input: never) => unknown> = {
  [UPDATE.approve]: judgeApprove,
  [UPDATE.reject]: commands.judgeReject,
  [UPDATE.cancel]: commands.judgeCancel,
  [UPDATE.retryPromotion]: judgeRetry,
  [UPDATE.resolve]: judgeResolve,
  [UPDATE.reportTests]: commands.judgeTests,
};
const RUN: Record<string, (draft: Draft, input: never, read: Observation) => unknown> = {
  [UPDATE.approve]: approve,
  [UPDATE.reject]: commands.reject,
  [UPDATE.cancel]: commands.reject,
  [UPDATE.retryPromotion]: retry,
  [UPDATE.resolve]: resolve,
  [UPDATE.reportTests]: commands.reportTests,
};
/** These may read both environments before they are done. */
const LOOKS: readonly string[] = [UPDATE.approve, UPDATE.retryPromotion, UPDATE.resolve];
const SIGNALLED: Record<string, (draft: Draft, input: never) => void> = {
  [SIGNAL.merges]: events.mergesCame,
  [SIGNAL.deploymentEnded]: events.deploymentEnded,
  [SIGNAL.testsEnded]: events.testsEnded,
  [SIGNAL.testsStarted]: events.testsStarted,
  [SIGNAL.look]: events.changedOutside,
};

/** Reads within a command have three seconds. */
const COMMAND_READ_S = 3;

export class Recomputed {
  q: PromotionState;
  /** The command that is read for, and those that wait for it to be answered. */
  private reading: Command | undefined;
  private readonly toRead: Command[] = [];
  private now = '';
  /** Those that the last workflow task went through: what it reads is asked for in one of them. */
  private epochs = new Set<number>();

  /** @param check called with each change */
  constructor(
    app: string,
    private readonly check: (before: PromotionState, after: PromotionState, effects: Effect[]) => void,
  ) {
    this.q = emptyQueue(app);
  }

  /** One run of the workflow. @returns the id of the next one */
  run(history: readonly Event[]): string | undefined {
    const scheduled = new Map<string, { type: string; forCommand: boolean }>();
    let pending: Event[] = [];
    const input: { state?: PromotionState } = decoded(
      history[0]?.workflowExecutionStartedEventAttributes?.input,
    );
    if (input.state) assert.deepEqual(input.state, JSON.parse(JSON.stringify(this.q)), 'handed over');
    for (const [at, event] of history.entries()) {
      const activity = event.activityTaskScheduledEventAttributes;
      if (activity) {
        scheduled.set(String(event.eventId), {
          type: activity.activityType?.name ?? '',
          forCommand: Number(activity.scheduleToCloseTimeout?.seconds ?? 0) === COMMAND_READ_S,
        });
        if (activity.activityType?.name === 'observePromotion')
          assert.ok(
            this.epochs.has((decoded(activity.input) as ObserveInput).epoch),
            `a read of another state than ${[...this.epochs].join()}: event ${String(event.eventId)}`,
          );
      }
      if (event.timerFiredEventAttributes) throw new Error('no timer is part of these histories');
      pending.push(event);
      if (!event.workflowTaskStartedEventAttributes) continue;
      if (!history[at + 1]?.workflowTaskCompletedEventAttributes) continue;
      this.now = new Date(tsToMs(event.eventTime)).toISOString();
      this.epochs = new Set([this.q.epoch]);
      const updates = acceptedAfter(history, at + 1);
      this.task(pending, updates, scheduled);
      pending = [];
    }
    return history.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }

  private task(
    batch: readonly Event[],
    updates: Command[],
    scheduled: Map<string, { type: string; forCommand: boolean }>,
  ): void {
    for (const { workflowExecutionSignaledEventAttributes: signal } of batch) {
      const work = SIGNALLED[signal?.signalName ?? ''];
      if (signal && work) this.become((draft) => work(draft, decoded(signal.input)));
    }
    const ended = batch.flatMap(({ activityTaskCompletedEventAttributes: done, ...other }) => {
      const failed = other.activityTaskFailedEventAttributes ?? other.activityTaskTimedOutEventAttributes;
      const of = scheduled.get(String((done ?? failed)?.scheduledEventId));
      return of ? [{ ...of, result: done ? decoded(done.result) : undefined }] : [];
    });
    for (const { type, forCommand, result } of ended) {
      if (type === 'recoverPromotions') this.become(() => undefined);
      if (type === 'observePromotion' && !forCommand && result)
        this.become((draft) => void decide(draft, result));
    }
    for (const command of updates) this.asked(command);
    for (const { forCommand, result } of ended) {
      if (!forCommand) continue;
      const command = this.reading;
      this.reading = undefined;
      if (command && result) this.do(command, result);
      this.readNext();
    }
  }

  private asked(command: Command): void {
    const { name, input } = command;
    if (this.isKnown(command)) return;
    // Of two in one workflow task both are taken, and the second is refused as it is done.
    if (name === UPDATE.lock) {
      if (this.q.lock) return;
      return this.accept(command, (draft) => void commands.joinLock(draft, input));
    }
    if (name === UPDATE.unlock) {
      if (this.q.lock) this.accept(command, commands.unlock);
      return;
    }
    if (!LOOKS.includes(name)) return this.do(command);
    this.toRead.push(command);
    this.readNext();
  }

  /** Who waited is judged on what those before have done. */
  private readNext(): void {
    while (!this.reading) {
      const command = this.toRead.shift();
      if (!command) return;
      const { name, input } = command;
      if (this.isKnown(command) || JUDGE[name]?.(this.q, input as never)) continue;
      if (name === UPDATE.retryPromotion && !needsRead(this.q, input)) this.do(command);
      else this.reading = command;
    }
  }

  private isKnown({ input }: Command): boolean {
    return this.q.keys.some(({ key }) => key === input.key);
  }

  private do(command: Command, read?: Observation): void {
    const { name, input } = command;
    if (JUDGE[name]?.(this.q, input as never)) return;
    let refused: unknown;
    const stepped = change(this.q, this.now, (draft) => {
      refused = RUN[name]?.(draft, input as never, read as never);
    });
    // Who is refused on a fresh read can act on it at once.
    if (refused) return read && this.become(lookAfresh);
    this.remember(command, stepped);
  }

  private accept(command: Command, work: (draft: Draft) => void): void {
    const stepped = change(this.q, this.now, work);
    this.remember(command, stepped, stepped.state.lock ?? this.q.lock);
  }

  private remember({ name, input }: Command, { state, effects }: Stepped, lock?: Lock): void {
    const { key, by: _by, ...body } = input;
    const before = this.q;
    this.q = remembered(state, key, JSON.stringify([name, body]), lock);
    this.epochs.add(this.q.epoch);
    this.check(before, this.q, effects);
  }

  private become(work: (draft: Draft) => void): void {
    const before = this.q;
    const { state, effects } = change(before, this.now, work);
    this.q = state;
    this.epochs.add(state.epoch);
    this.check(before, state, effects);
  }
}

/** Commands that this workflow task took: they stand right behind its end. */
function acceptedAfter(history: readonly Event[], completed: number): Command[] {
  const found: Command[] = [];
  for (const event of history.slice(completed + 1)) {
    if (event.workflowTaskScheduledEventAttributes) break;
    const input = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
    if (input) found.push({ name: input.name ?? '', input: decoded(input.args) });
  }
  return found;
}
