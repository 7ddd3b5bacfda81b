/** Where people and deployments turn to a lane: its state, and the handlers that change it. */
import { ApplicationFailure, condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { DeploymentRequest } from '../domain/deployment.js';
import { badWords, markOf } from '../domain/bad.js';
import type { LaneState, RecoveredLane } from '../domain/lane.js';
import * as rules from '../domain/lane.js';
import type { Accepted, BadMark, LaneEnd, Lock, LockRequest, Ticket } from '../domain/messages.js';
import { SIGNAL, UPDATE } from '../domain/messages.js';
import { signalStop, signalSuperseded, startDeployment } from './lane-children.js';

export class LaneDesk {
  private readonly endedMeanwhile: LaneEnd[] = [];
  private changed = false;

  /** @param recovered false: nothing is answered until `recover` was called (invariant 5). */
  constructor(
    public state: LaneState,
    private recovered: boolean,
  ) {}

  change(next: LaneState): void {
    this.changed ||= next !== this.state;
    this.state = next;
  }

  hasChanged(): boolean {
    return this.changed;
  }

  /** @returns whether something has changed since it was last taken. */
  takeChange(): boolean {
    const { changed } = this;
    this.changed = false;
    return changed;
  }

  recover(found: RecoveredLane): void {
    this.change(rules.recover(this.state, found));
    // One that says its last word is still found alive: what it said meanwhile counts after what was found.
    for (const ended of this.endedMeanwhile.splice(0)) this.change(rules.end(this.state, ended));
    this.recovered = true;
  }

  /** Validators see what is known now; handlers wait until all is known, and look again. */
  open(): void {
    setHandler(
      defineUpdate<Accepted, [DeploymentRequest]>(UPDATE.request),
      (request) => this.whenRecovered(() => this.accept(request)),
      {
        validator: (request: DeploymentRequest) =>
          void (this.recovered && assertAcceptable(this.state, request)),
      },
    );
    setHandler(
      defineUpdate<Lock, [LockRequest]>(UPDATE.lock),
      (request) => this.whenRecovered(() => this.lock(request)),
      { validator: (_request: LockRequest) => assertUnlocked(this.state) },
    );
    setHandler(
      defineUpdate<Lock, [{ by: string }]>(UPDATE.unlock),
      (_by) => this.whenRecovered(() => this.unlock()),
      { validator: (_by: { by: string }) => void (this.recovered && assertLocked(this.state)) },
    );
    setHandler(defineUpdate<BadMark, [BadMark]>(UPDATE.markBad), (mark) =>
      this.whenRecovered(() => this.markBad(mark)),
    );
    setHandler(defineSignal<[Ticket]>(SIGNAL.ready), (ticket) =>
      this.change(rules.markReady(this.state, ticket)),
    );
    setHandler(defineSignal<[Ticket]>(SIGNAL.giveBack), (ticket) => this.takeBack(ticket));
    setHandler(defineSignal<[LaneEnd]>(SIGNAL.ended), (ended) => {
      if (!this.recovered) this.endedMeanwhile.push(ended);
      this.change(rules.end(this.state, ended));
    });
  }

  private async whenRecovered<T>(answer: () => T | Promise<T>): Promise<T> {
    await condition(() => this.recovered);
    return answer();
  }

  /** Invariants 1 and 2: queued, then its workflow started, then ready where there is nothing to build. */
  private async accept(request: DeploymentRequest): Promise<Accepted> {
    assertAcceptable(this.state, request);
    const { id } = request;
    const position = (): number => rules.positionOf(this.state, id) ?? 0;
    if (rules.wasSeen(this.state, id)) return { id, position: position(), again: true };
    const ticket = rules.ticketOf(request);
    this.change(rules.remember(rules.enlist(this.state, ticket), request));
    const superseded = request.supersedes ? this.supersede() : [];
    const answer: Accepted = { id, position: position(), again: false };
    const hasTurn = this.giveTurnAtOnce(request, ticket);
    if (!(await startDeployment({ ...request, hasTurn }))) {
      // Its key is older than what the lane remembers. If it still runs it enlists itself again.
      this.change(rules.end(this.state, { id, outcome: 'unknown' }));
      this.change(superseded.reduce(rules.enlist, this.state));
      return { id, position: 0, again: true };
    }
    if (!request.commit) this.change(rules.markReady(this.state, ticket));
    await Promise.all(superseded.map((one) => signalSuperseded(one.id, { by: id })));
    if (request.now) await this.stopRunning(request);
    return answer;
  }

  private async takeBack(ticket: Ticket): Promise<void> {
    const { lane, supersededBy } = rules.giveBack(this.state, ticket);
    this.change(lane);
    if (supersededBy) await signalSuperseded(ticket.id, { by: supersededBy });
  }

  /** They leave at once: none of them can have the turn before the rollback has it. */
  private supersede(): Ticket[] {
    const { lane, superseded } = rules.supersede(this.state);
    this.change(lane);
    return superseded;
  }

  private async stopRunning({ id, actor, reason }: DeploymentRequest): Promise<void> {
    const { running } = this.state;
    if (!running || running.id === id) return;
    await signalStop(running.id, { actor, reason: `${id} goes in its place${reason ? `: ${reason}` : ''}` });
  }

  /** @returns the mark that stands. */
  private markBad(mark: BadMark): BadMark {
    this.change(rules.markBad(this.state, mark));
    return markOf(this.state.bad, mark.release) ?? mark;
  }

  /** With nobody before it and nothing to build, the turn comes with the start: one message less. */
  private giveTurnAtOnce(request: DeploymentRequest, ticket: Ticket): boolean {
    if (request.commit) return false;
    const ready = rules.markReady(this.state, ticket);
    const next = rules.nextTurn(ready);
    if (next?.id !== request.id) return false;
    this.change(rules.giveTurn(ready, next));
    return true;
  }

  private lock(request: LockRequest): Lock {
    assertUnlocked(this.state);
    const at = new Date().toISOString();
    const lock: Lock = {
      reason: request.reason,
      by: request.by,
      at,
      ...(request.code ? { code: request.code } : {}),
    };
    this.change(rules.lock(this.state, lock));
    return lock;
  }

  /** @returns the lock that was lifted. */
  private unlock(): Lock {
    const lock = assertLocked(this.state);
    this.change(rules.unlock(this.state));
    return lock;
  }
}

function assertAcceptable(state: LaneState, request: DeploymentRequest): void {
  const judged = rules.judgeRequest(state, request);
  if ('accept' in judged) return;
  if (judged.refuse === 'LOCKED') throw locked(judged.lock);
  if (judged.refuse === 'RELEASE_BAD') {
    throw ApplicationFailure.nonRetryable(badWords(judged.mark), 'RELEASE_BAD', judged.mark);
  }
  throw ApplicationFailure.nonRetryable(
    'This Idempotency-Key came with another request before',
    'KEY_REUSED',
  );
}

function assertUnlocked({ lock }: LaneState): void {
  if (lock) throw locked(lock);
}

function assertLocked({ lock }: LaneState): Lock {
  if (!lock) throw ApplicationFailure.nonRetryable('The lane is not locked', 'NOT_LOCKED');
  return lock;
}

const locked = (lock: Lock): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`Locked by ${lock.by} since ${lock.at}: ${lock.reason}`, 'LOCKED', lock);
