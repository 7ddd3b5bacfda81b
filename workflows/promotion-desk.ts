/** Where people, deployments, tests and webhooks turn to a promotion queue: its state, and what changes it. */
import { condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Lock } from '../domain/lock.js';
import type { DeploymentEnded, MergesNews, OutsideEnd, TestsReport } from '../domain/messages.js';
import { SIGNAL, UPDATE } from '../domain/messages.js';
import { approve, judgeApprove } from '../domain/promotion/approve.js';
import * as commands from '../domain/promotion/commands.js';
import type { Unmet } from '../domain/promotion/conditions.js';
import { lookAfresh } from '../domain/promotion/draft.js';
import * as events from '../domain/promotion/events.js';
import type { Observation } from '../domain/promotion/read.js';
import { judgeResolve, resolve } from '../domain/promotion/resolve.js';
import { judgeRetry, needsRead, retry } from '../domain/promotion/retry.js';
import type { Draft, Effect, PromotionState, SeenKey } from '../domain/promotion/state.js';
import { asks, change, remembered, viewOf } from '../domain/promotion/state.js';
import type {
  ApproveCommand,
  Commanded,
  LockCommand,
  PromotionQueueView,
  RejectCommand,
  ResolveCommand,
  RetryCommand,
  TestsCommand,
  UnlockCommand,
} from '../domain/promotion/promotion.js';
import { codedFailure } from './failure.js';
import { quickReads } from './effects.js';
import { assertLockable, failure, lockOf, refuse } from './promotion-refusals.js';

/** A command as it is judged before it is in history, and done after it. */
interface Command<C extends Commanded> {
  judge(state: PromotionState, command: C): Unmet | undefined;
  /** On a fresh read where `reads` says so. @returns why not; nothing has changed then */
  run(draft: Draft, command: C, read: Observation | undefined): Unmet | undefined;
  reads?(state: PromotionState, command: C): boolean;
}

export class PromotionDesk {
  private changed = false;
  private readonly deeds: Effect[] = [];
  /** What came before it was recovered counts after what was found. */
  private early: ((draft: Draft) => void)[] = [];
  private isReading = false;

  /**
   * @param recovered false: nothing is answered until `recover` was called (invariant 4)
   * @param publish called with each new state, so that what a command has done can be read as soon as it is answered
   */
  constructor(
    public state: PromotionState,
    private recovered: boolean,
    private readonly publish: (state: PromotionState) => void,
  ) {}

  change(work: (draft: Draft) => void): void {
    const { state, effects } = change(this.state, new Date().toISOString(), work);
    this.become(state, effects);
  }

  private become(state: PromotionState, effects: Effect[]): void {
    this.state = state;
    this.deeds.push(...effects);
    this.changed = true;
    this.publish(state);
  }

  hasChanged(): boolean {
    return this.changed;
  }

  forgetChange(): void {
    this.changed = false;
  }

  hasDeeds(): boolean {
    return this.deeds.length > 0;
  }

  takeDeed(): Effect | undefined {
    return this.deeds.shift();
  }

  recover(found: PromotionState | undefined): void {
    if (found) this.state = { ...this.state, ...found };
    this.recovered = true;
    this.change((draft) => {
      for (const work of this.early.splice(0)) work(draft);
      if (found) lookAfresh(draft);
    });
  }

  open(): void {
    this.openSignals();
    this.onCommand<ApproveCommand>(UPDATE.approve, {
      judge: judgeApprove,
      run: (draft, command, read) => read && approve(draft, command, read),
      reads: () => true,
    });
    this.onCommand<RejectCommand>(UPDATE.reject, {
      judge: commands.judgeReject,
      run: (draft, command) => void commands.reject(draft, command),
    });
    this.onCommand<RejectCommand>(UPDATE.cancel, {
      judge: commands.judgeCancel,
      run: (draft, command) => void commands.reject(draft, command),
    });
    this.onCommand<RetryCommand>(UPDATE.retryPromotion, { judge: judgeRetry, run: retry, reads: needsRead });
    this.onCommand<ResolveCommand>(UPDATE.resolve, {
      judge: judgeResolve,
      run: (draft, command, read) => read && resolve(draft, command, read),
      reads: () => true,
    });
    this.onCommand<TestsCommand>(UPDATE.reportTests, {
      judge: commands.judgeTests,
      run: (draft, command) => void commands.reportTests(draft, command),
    });
    this.openLocks();
  }

  private openSignals(): void {
    const on = <A>(signal: string, work: (draft: Draft, news: A) => void): void =>
      setHandler(defineSignal<[A]>(signal), (news) => this.happened((draft) => work(draft, news)));
    on<MergesNews>(SIGNAL.merges, events.mergesCame);
    on<DeploymentEnded>(SIGNAL.deploymentEnded, events.deploymentEnded);
    on<TestsReport>(SIGNAL.testsEnded, events.testsEnded);
    on<{ promotion: string; attempt: number; url: string }>(SIGNAL.testsStarted, events.testsStarted);
    on<OutsideEnd | undefined>(SIGNAL.look, events.changedOutside);
  }

  private happened(work: (draft: Draft) => void): void {
    if (this.recovered) this.change(work);
    else this.early.push(work);
  }

  private openLocks(): void {
    this.onLock<LockCommand>(UPDATE.lock, assertLockable, (draft, command) => {
      commands.joinLock(draft, command);
    });
    this.onLock<UnlockCommand>(UPDATE.unlock, lockOf, commands.unlock);
  }

  /** Answered with the lock that it made, joined or lifted. */
  private onLock<C extends Commanded>(
    name: string,
    assert: (state: PromotionState, command: C) => void,
    run: (draft: Draft, command: C) => void,
  ): void {
    setHandler(
      defineUpdate<Lock, [C]>(name),
      async (command) => {
        await condition(() => this.recovered);
        const done = this.answered(name, command)?.lock;
        if (done) return done;
        assert(this.state, command);
        const { state, effects } = change(this.state, new Date().toISOString(), (draft) => {
          run(draft, command);
        });
        const lock = state.lock ?? lockOf(this.state);
        this.become(remembered(state, command.key, fingerprint(name, command), lock), effects);
        return lock;
      },
      {
        validator: (command: C) => {
          if (this.recovered && !this.wasDone(name, command)) assert(this.state, command);
        },
      },
    );
  }

  /**
   * Validators see what is known now; handlers wait until all is known, and look again. A refusal leaves no trace:
   * the same key is judged afresh when it is sent again.
   */
  private onCommand<C extends Commanded>(name: string, of: Command<C>): void {
    setHandler(
      defineUpdate<PromotionQueueView, [C]>(name),
      async (command) => {
        await condition(() => this.recovered);
        // One looks at a time: what was sent twice is known by its key once the first has been answered. All who wait
        // are woken at once, and the first of them may read again. Who need not wait is judged at once, in order.
        while (of.reads && this.isReading) await condition(() => !this.isReading);
        if (this.wasDone(name, command)) return viewOf(this.state);
        refuse(of.judge(this.state, command), this.state);
        const read = of.reads?.(this.state, command) ? await this.freshRead() : undefined;
        this.do(name, of, { command, read });
        return viewOf(this.state);
      },
      {
        validator: (command: C) => {
          if (this.recovered && !this.wasDone(name, command))
            refuse(of.judge(this.state, command), this.state);
        },
      },
    );
  }

  private do<C extends Commanded>(
    name: string,
    of: Command<C>,
    { command, read }: { command: C; read: Observation | undefined },
  ): void {
    // While it was read something may have happened: what does not hold any more changes nothing.
    refuse(of.judge(this.state, command), this.state);
    let unmet: Unmet | undefined;
    const { state, effects } = change(this.state, new Date().toISOString(), (draft) => {
      unmet = of.run(draft, command, read);
    });
    // What the read has shown is news to the queue as well: who is refused can act on it in a moment.
    if (unmet && read) this.change(lookAfresh);
    refuse(unmet, this.state);
    this.become(remembered(state, command.key, fingerprint(name, command)), effects);
  }

  private wasDone(name: string, command: Commanded): boolean {
    return this.answered(name, command) !== undefined;
  }

  /** @throws ApplicationFailure `KEY_REUSED` */
  private answered(name: string, command: Commanded): SeenKey | undefined {
    const seen = this.state.keys.find(({ key }) => key === command.key);
    if (!seen || seen.fingerprint === fingerprint(name, command)) return seen;
    throw failure({ code: 'KEY_REUSED', message: 'This Idempotency-Key came with another request before' });
  }

  /** A single activity of at most 3 s. @throws ApplicationFailure */
  private async freshRead(): Promise<Observation> {
    this.isReading = true;
    try {
      const { app, epoch, current, work } = this.state;
      const digests = work.staged ?? work.evidence?.digests;
      const images = current && digests ? { images: { tag: current.release, digests } } : {};
      return await quickReads.observePromotion({ app, epoch, ...asks(this.state), ...images });
    } catch (error) {
      const { code, message } = codedFailure(error);
      throw failure({ code: code === 'TIMED_OUT' ? 'TOO_LATE' : code, message });
    } finally {
      this.isReading = false;
    }
  }
}

/** The body that the person sent; the key and who sent it are what it is asked under. */
function fingerprint(name: string, command: Commanded): string {
  const { key: _key, by: _by, ...body } = command;
  return JSON.stringify([name, body]);
}
