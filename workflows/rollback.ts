/**
 * Workflow `rollback/{environment}/{app}/{unique}`: finds where to go back to, marks what is left as bad, and
 * hands a deployment of kind `rollback` to the lane. The rules are `domain/rollback.ts`.
 *
 * What it keeps:
 * 1. Nothing is written before the person, the target, its images and the template were found to be in order:
 *    one that is rejected until then leaves nothing behind. Any other end leaves the mark.
 * 2. The mark is there before anything is deployed.
 * 3. It can be read as a deployment from its start; from the lane's acceptance on, its deployment is read.
 */
import {
  CancellationScope,
  condition,
  defineSignal,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Deployment, StepName } from '../domain/deployment.js';
import { PRODUCTION } from '../domain/deployment.js';
import type { DeploymentEnded } from '../domain/messages.js';
import { MEMO, SIGNAL } from '../domain/messages.js';
import type { Ending } from '../domain/progress.js';
import * as progress from '../domain/progress.js';
import type { RollbackDecision, RollbackRequest } from '../domain/rollback.js';
import { markFor, rollbackDeployment, rollbackRecord } from '../domain/rollback.js';
import { deploymentMarkdown } from '../domain/summary.js';
import { reads, tells } from './effects.js';
import { codedFailure } from './failure.js';
import { stoppedEnding } from './go-back.js';
import type { Inbox } from './inbox.js';
import { openInbox } from './inbox.js';
import { signalStop } from './lane-children.js';
import { endAttributes, startAttributes } from './search-attributes.js';

/** Tests lower these. */
export interface RollbackTuning {
  watchdogMs?: number;
}

/** Its deployment tells its end; who was terminated tells nothing. */
const WATCHDOG_MS = 60_000;
const LONGEST_MS = 60 * 60_000;

export async function rollback(request: RollbackRequest, tuning: RollbackTuning = {}): Promise<Deployment> {
  const run = new Run(request, tuning);
  const { cancelRequested } = CancellationScope.current();
  cancelRequested.catch(() => run.inbox.stop({ actor: 'Temporal', reason: 'cancelled in Temporal' }));
  return CancellationScope.nonCancellable(() => run.toItsEnd());
}

class Run {
  readonly inbox: Inbox = openInbox(true);
  private record: Deployment;
  private ended?: DeploymentEnded;

  constructor(
    private readonly request: RollbackRequest,
    private readonly tuning: RollbackTuning,
  ) {
    this.record = rollbackRecord(request);
    setHandler(defineSignal<[DeploymentEnded]>(SIGNAL.deploymentEnded), (ended) => {
      if (ended.id === request.id) this.ended = ended;
    });
  }

  async toItsEnd(): Promise<Deployment> {
    try {
      await this.untilAccepted();
    } catch (error) {
      return this.refused(error);
    }
    return this.endAs(await this.awaitEnd());
  }

  private async untilAccepted(): Promise<void> {
    const { request, inbox } = this;
    const { app, environment, tag, override, actor } = request;
    await this.step('authorise', () => inbox.interruptible(() => reads.authorise({ actor })));
    const asked = { app, environment, ...(tag ? { tag } : {}), ...(override ? { override } : {}) };
    const decision = await this.step('validate', () => inbox.interruptible(() => reads.planRollback(asked)));
    inbox.throwIfStopped();
    await this.leaveRelease(decision);
    await tells.requestDeployment(rollbackDeployment(request, decision));
  }

  /**
   * Invariant 2. What keeps the app's promotions from bringing the release back is held here, before the mark. An
   * undecided rollback marks at its turn.
   */
  private async leaveRelease({ undecided, plan }: RollbackDecision): Promise<void> {
    if (this.request.environment === PRODUCTION && patched('promotion-lock')) await this.lockPromotions();
    const mark = undecided || !plan ? undefined : markFor(this.request, plan, now());
    if (mark) await tells.markBad({ app: this.request.app, mark });
  }

  /** The release that is left must not come back by itself (section 5). */
  private async lockPromotions(): Promise<void> {
    const { id, app, actor, reason } = this.request;
    const why = `production was rolled back: ${reason}`;
    const command = { by: actor, key: id, reason: why, code: 'PRODUCTION_ROLLED_BACK' };
    await tells.lockPromotions({ app, command });
  }

  private async step<T>(name: StepName, work: () => Promise<T>): Promise<T> {
    this.record = progress.beginStep(this.record, name, now());
    this.show();
    const result = await work();
    this.record = progress.finishStep(this.record, name, now());
    return result;
  }

  /** No lane has it: this record is all that is left, and it is listed as what it is. */
  private async refused(error: unknown): Promise<Deployment> {
    this.record = progress.finish(this.record, this.refusal(error), now(), { events: [], stoppedTasks: [] });
    this.show();
    upsertSearchAttributes([...startAttributes(this.record), ...endAttributes(this.record)]);
    try {
      await tells.tellPeople({ at: now(), change: 'ended', deployment: progress.forMemo(this.record) });
    } catch (failed) {
      log.warn('not told', { error: String(failed) });
    }
    return this.record;
  }

  private refusal(error: unknown): Ending {
    const step = this.record.step ?? 'authorise';
    const stop = this.inbox.stopRequest();
    if (stop && isCancellation(error)) return stoppedEnding(step, stop, '; nothing was changed');
    const { code, message } = codedFailure(error);
    return { outcome: 'rejected', failure: { step, code, message } };
  }

  /** A stop that comes this way is its deployment's. */
  private async awaitEnd(): Promise<DeploymentEnded> {
    const { id } = this.request;
    let passedOn = false;
    const stopToPass = () => (passedOn ? undefined : this.inbox.stopRequest());
    let wait = this.tuning.watchdogMs ?? WATCHDOG_MS;
    for (;;) {
      const woken = await condition(() => Boolean(this.ended ?? stopToPass()), wait, {
        summary: 'watchdog: does its deployment still run?',
      });
      if (this.ended) return this.ended;
      const stop = stopToPass();
      if (stop) {
        passedOn = true;
        await signalStop(id, stop);
      } else if (!woken) {
        this.ended = (await reads.deploymentEnd({ id })) ?? this.ended;
        wait = Math.min(2 * wait, LONGEST_MS);
      }
    }
  }

  private endAs({ outcome, verified, failure, release, digests }: DeploymentEnded): Deployment {
    const ending: Ending = { outcome, verified, ...(failure ? { failure } : {}) };
    const known = { ...(release ? { release } : {}), ...(digests ? { digests } : {}) };
    this.record = { ...progress.finish(this.record, ending, now()), ...known };
    this.show();
    return this.record;
  }

  private show(): void {
    upsertMemo({ [MEMO.deployment]: progress.forMemo(this.record) });
    setCurrentDetails(deploymentMarkdown(this.record));
  }
}

const now = (): string => new Date().toISOString();
