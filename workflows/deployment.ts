/**
 * Workflow `deployment/{environment}/{app}/{unique}`: one attempt to make a service run an image set.
 * The rules are in `domain/`; this is their order.
 *
 * What it keeps:
 * 1. It always ends with an outcome, and its lane hears of it; messages to people never hold it up (rule 8).
 * 2. A stop lets a running register or update finish, then goes back to what `look` recorded.
 * 3. Cancelling the workflow in Temporal is a stop.
 */
import {
  CancellationScope,
  isCancellation,
  log,
  ParentClosePolicy,
  setCurrentDetails,
  setWorkflowOptions,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Deployment, DeploymentRequest, Dossier, StepName } from '../domain/deployment.js';
import type { Look, Updated, Validated } from '../domain/effects.js';
import { durationWords } from '../domain/duration.js';
import { noticeWorkflowId } from '../domain/ids.js';
import type { BuildResult, LiveRelease, Notice } from '../domain/messages.js';
import { MEMO, WORKFLOW } from '../domain/messages.js';
import type { Ending } from '../domain/progress.js';
import * as progress from '../domain/progress.js';
import { deploymentMarkdown, headline } from '../domain/summary.js';
import { bestEffort, reads, tells, watches, writes } from './effects.js';
import { codedFailure, wordsOf } from './failure.js';
import type { Done } from './go-back.js';
import { goBack } from './go-back.js';
import type { Inbox } from './inbox.js';
import { openInbox } from './inbox.js';
import type { notice } from './notice.js';
import { hasConditions, promotionTurn } from './promotion-turn.js';
import { decideAtTurn } from './rollback-turn.js';
import { endAttributes } from './search-attributes.js';
import { SlowClock } from './slow-clock.js';
import { pinned } from './versioning.js';
import { awaitBuild, awaitTurn } from './waits.js';
import { watchRollout } from './watch-rollout.js';

/** Not worth an event in the history each: that they run is seen from their pending activity. */
const SHORT_STEPS: readonly StepName[] = ['look', 'register', 'update'];

/** It ends within hours, on the code that it began with. */
setWorkflowOptions(pinned, deployment);

export async function deployment(request: DeploymentRequest): Promise<Deployment> {
  const run = new Run(request);
  const { cancelRequested } = CancellationScope.current();
  cancelRequested.catch(() => run.inbox.stop({ actor: 'Temporal', reason: 'cancelled in Temporal' }));
  return CancellationScope.nonCancellable(() => run.toItsEnd());
}

class Run {
  readonly inbox: Inbox;
  private readonly clock: SlowClock;
  private readonly target: { id: string; app: string; environment: string };
  private readonly done: Done = {};
  private record: Deployment;
  private buildLines: string[] = [];

  constructor(private readonly request: DeploymentRequest) {
    this.inbox = openInbox(request.hasTurn === true);
    this.record = progress.accepted(request);
    this.target = { id: request.id, app: request.app, environment: request.environment };
    this.clock = new SlowClock(request.limits.tellAfterMs, () => this.tooSlow());
  }

  async toItsEnd(): Promise<Deployment> {
    let ending: Ending;
    try {
      ending = await this.steps();
    } catch (error) {
      ending = await this.endingOf(error);
    }
    this.clock.stop();
    const dossier = await this.dossierFor(ending);
    this.record = progress.finish(this.record, ending, now(), dossier);
    this.show();
    upsertSearchAttributes(endAttributes(this.record));
    await this.conclude();
    return this.record;
  }

  private async steps(): Promise<Ending> {
    const { request, inbox } = this;
    if (request.commit) {
      const failed = await this.build(request.commit);
      if (failed) return failed;
    }
    this.clock.pause();
    await awaitTurn(request, inbox);
    const refused = hasConditions(request) ? await this.conditions() : undefined;
    if (refused) return refused;
    this.record = progress.takeTurn(this.record, now());
    this.clock.run();
    this.startNotice();

    const validated = await this.step('validate', () => inbox.interruptible(() => this.validate()));
    const { release, images, tag = this.record.tag, bad } = validated;
    const digests = Object.fromEntries(images.map(({ repository, digest }) => [repository, digest]));
    this.record = { ...this.record, ...(tag ? { tag } : {}), release, digests };
    if (bad && !request.override) return this.refusedAsBad(bad);
    const look = await this.step('look', () => inbox.interruptible(() => reads.look(this.target)));
    this.done.look = look;
    const warnings = [...this.record.warnings, ...validated.warnings, ...look.warnings];
    this.record = { ...this.record, warnings };

    const updated = await this.write(validated, look);
    if (updated.state === 'superseded') return supersededBy(updated);
    return (await this.stabilise(updated, look)) ?? this.verify(validated);
  }

  private async conditions(): Promise<Ending | undefined> {
    const ending = await promotionTurn(this.request, this.inbox, (waitingFor) => {
      this.record = { ...this.record, waitingFor };
      this.show();
    });
    const { waitingFor: _over, ...record } = this.record;
    this.record = record;
    return ending;
  }

  private async validate(): Promise<Validated> {
    const { app, environment, current, decide } = this.request;
    if (current) return reads.validateCurrent({ app, environment });
    if (decide) {
      const { tag, digests, warnings } = await decideAtTurn(this.request);
      this.record = { ...this.record, warnings: [...this.record.warnings, ...warnings] };
      return { ...(await reads.validate({ app, environment, tag, digests })), tag };
    }
    const { tag, digests } = this.request;
    return reads.validate({ app, environment, tag, ...(digests ? { digests } : {}) });
  }

  /** Which release a tag is can be known here only, and the mark may be younger than the request. */
  private refusedAsBad(message: string): Ending {
    this.mark('validate', message);
    return progress.failureEnding('validate', 'RELEASE_BAD', message);
  }

  private async build(commit: string): Promise<Ending | undefined> {
    this.clock.run();
    const result = await this.step('build', () => awaitBuild(this.request, commit, this.inbox), imageCount);
    if (result.outcome === 'succeeded') return undefined;
    this.buildLines = result.lastLines;
    const { code, message } = result;
    this.mark('build', message);
    return {
      outcome: result.outcome === 'rejected' ? 'rejected' : 'failed',
      failure: { step: 'build', code, message },
    };
  }

  /** Invariant 2: neither of these is interrupted; a stop between them sends nothing more. */
  private async write({ images, release }: Validated, look: Look): Promise<Updated> {
    const { request, target, inbox, done } = this;
    const { actor, checkActor } = request;
    const { tag = request.tag } = this.record;
    inbox.throwIfStopped();
    const registered = await this.step('register', () =>
      writes.register({ ...target, actor, checkActor, tag, release, images, look }),
    );
    done.registered = registered;
    this.record = { ...this.record, ...registered };
    inbox.throwIfStopped();
    const { revision } = registered;
    done.updated = await this.step('update', () => writes.update({ ...target, revision, look }));
    return done.updated;
  }

  /** @returns how it ends, unless the rollout is stable. */
  private async stabilise({ at, deployment }: Updated, { wayBack }: Look): Promise<Ending | undefined> {
    const { giveUpAfterMs } = this.request.limits;
    const { revision = '' } = this.record;
    const input = {
      ...this.target,
      revision,
      deployment,
      since: at,
      giveUpAt: later(at, giveUpAfterMs),
      wayBack,
    };
    const stabilised = await this.step(
      'stabilise',
      () => this.inbox.interruptible(() => watchRollout(input, this.request.limits, this.inbox)),
      ({ message }) => message,
    );
    this.record = { ...this.record, rollout: stabilised.rollout };
    const ending = progress.verdictEnding(stabilised);
    if (ending?.failure) this.mark('stabilise', ending.failure.message);
    return ending;
  }

  private async verify({ images, release }: Validated): Promise<Ending> {
    const { revision = '' } = this.record;
    const until = later(now(), this.request.limits.verifyMs);
    const { verified } = await this.step(
      'verify',
      () =>
        this.inbox.interruptible(() =>
          watches(this.request.limits).verify({ ...this.target, revision, images, release, until }),
        ),
      ({ detail }) => detail,
    );
    this.inbox.throwIfStopped();
    return { outcome: 'succeeded', verified };
  }

  private async step<T>(name: StepName, work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    this.record = progress.beginStep(this.record, name, now());
    if (!SHORT_STEPS.includes(name)) this.show();
    else setCurrentDetails(deploymentMarkdown(this.record));
    const result = await work();
    this.record = progress.finishStep(this.record, name, now(), detail?.(result));
    return result;
  }

  /** A step that ended as such, but found that the deployment has failed. */
  private mark(name: StepName, detail: string): void {
    this.record = progress.failStep(this.record, name, now(), detail);
  }

  private async endingOf(error: unknown): Promise<Ending> {
    const step = this.record.step ?? 'authorise';
    const by = this.inbox.supersededBy();
    if (by && isCancellation(error)) return replacedBy(step, by);
    const stop = this.inbox.stopRequest();
    if (stop && isCancellation(error)) return goBack(this.request, step, stop, this.done);
    const { code, message } = codedFailure(error);
    return progress.failureEnding(step, code, message);
  }

  /** Everything but a success carries one; what cannot be collected is left out. */
  private async dossierFor({ outcome }: Ending): Promise<Dossier | undefined> {
    if (outcome === 'succeeded') return undefined;
    const lastLines = this.buildLines.length > 0 ? [{ source: 'build', lines: this.buildLines }] : [];
    const none: Dossier = { events: this.record.rollout?.events ?? [], stoppedTasks: [], lastLines };
    const { look, registered } = this.done;
    if (!look) return none;
    try {
      const since = this.record.startedAt ?? this.record.queuedAt;
      const dossier = await bestEffort.dossier({ ...this.target, revision: registered?.revision, since });
      const { counts } = dossier;
      if (!counts) return dossier;
      // ECS soon lists a deployment no more that it rolled back; what the watch saw fail has failed.
      const failed = Math.max(counts.failed, this.record.rollout?.failed ?? 0);
      return { ...dossier, counts: { ...counts, failed } };
    } catch (error) {
      log.warn('The dossier could not be collected', { error: wordsOf(error) });
      return none;
    }
  }

  private async conclude(): Promise<void> {
    const { app, environment, id } = this.target;
    const { outcome = 'failed' } = this.record;
    const live = liveRelease(this.record);
    const ended = { id, outcome, ...(live ? { live } : {}) };
    const { parent } = this.request;
    const owner = parent ? { owner: { parent, ended: progress.endedOf(id, this.record) } } : {};
    try {
      await tells.conclude({ lane: { app, environment, ended }, ...owner, notice: this.notice('ended') });
    } catch (error) {
      // The lane's watchdog sees that this workflow has closed.
      log.error('The lane could not be told of the end', { error: wordsOf(error) });
    }
  }

  private tooSlow(): void {
    const after = durationWords(this.request.limits.tellAfterMs);
    const message = `It has taken more than ${after}: something is probably wrong. The work goes on`;
    this.record = { ...this.record, warnings: [...this.record.warnings, { code: 'SLOW', message }] };
    this.show();
    tells
      .tellPeople(this.notice('slow'))
      .catch((error: unknown) => log.warn('not told', { error: wordsOf(error) }));
  }

  /** Abandoned, and nobody waits for it. */
  private startNotice(): void {
    startChild<typeof notice>(WORKFLOW.notice, {
      workflowId: noticeWorkflowId(this.target.id),
      args: [this.notice('started')],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: 'ABANDON',
      staticSummary: `tells of: ${headline(this.request)}`,
    }).catch((error: unknown) => log.warn('No notice was started', { error: wordsOf(error) }));
  }

  private notice(change: Notice['change']): Notice {
    return { at: now(), change, deployment: progress.forMemo(this.record) };
  }

  private show(): void {
    upsertMemo({ [MEMO.deployment]: progress.forMemo(this.record) });
    setCurrentDetails(deploymentMarkdown(this.record));
  }
}

const now = (): string => new Date().toISOString();

const later = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();

const imageCount = (result: BuildResult): string =>
  result.outcome === 'succeeded' ? `${result.images.length} image(s) in the registry` : result.message;

const supersededBy = ({ by }: Updated): Ending => ({
  outcome: 'superseded',
  failure: {
    step: 'update',
    code: 'SUPERSEDED',
    message: `Somebody else’s deployment came first: ${by ?? '?'}`,
  },
  ...(by ? { supersededBy: by } : {}),
});

const replacedBy = (step: StepName, by: string): Ending => ({
  outcome: 'superseded',
  failure: { step, code: 'SUPERSEDED', message: `${by} went in its place before it had its turn` },
  supersededBy: by,
});

function liveRelease(record: Deployment): LiveRelease | undefined {
  const { id, outcome, release, tag, digests, revision, verified, actor, finishedAt } = record;
  if (outcome !== 'succeeded' || !release || !revision || !digests || !finishedAt) return undefined;
  return {
    id,
    release,
    tag: tag ?? release,
    digests,
    revision,
    verified: verified === true,
    at: finishedAt,
    by: actor,
  };
}
