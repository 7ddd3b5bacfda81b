/**
 * Workflow `release/{app}-{date}`: makes one image set a published release. The rules are in `domain/`; this is
 * their order, and why it is this one:
 *
 *   validate → tag → deploy → publish → changelog
 *
 * - The image tag comes before the deployment: what production runs can always be named, and rolled back to.
 * - The Release comes after it: what is published is what runs. One that fails to deploy is not announced.
 * - The changelog comes last, and outside: it is text about something that has happened.
 *
 * What it keeps:
 * 1. A step that fails blocks the release: its turn is given back, nothing ticks, and it waits for a person. Retry
 *    goes on at that step, with the same tag; abandon ends it and says what exists. Only what cannot be met at
 *    all, found before anything is written, ends it at once (`rejected`).
 * 2. Nothing is made twice: every step looks before it makes, and an attempt that may have reached somebody is
 *    sent again as it was.
 * 3. Membership is asked afresh before anything goes on, of who retries too, and again by the first write (rule 11).
 * 4. Cancelling the workflow in Temporal abandons it as soon as no step runs.
 */
import {
  CancellationScope,
  condition,
  log,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { badWords } from '../domain/bad.js';
import { PRODUCTION } from '../domain/deployment.js';
import { emergencyWarnings } from '../domain/emergency.js';
import { MEMO } from '../domain/messages.js';
import type { DeploymentEnded } from '../domain/messages.js';
import type { ChangelogInput } from '../domain/release/effects.js';
import type { StepFailure } from '../domain/release/progress.js';
import * as progress from '../domain/release/progress.js';
import { releaseMarkdown } from '../domain/release/words.js';
import type { Release, ReleaseInput, ReleaseStepName } from '../domain/release/release.js';
import { digestKey } from '../domain/release/releases.js';
import { publishing, reads, tells, writes } from './effects.js';
import { codedFailure, wordsOf } from './failure.js';
import { changelogged, openAtOnce, openLater } from './release-changelog.js';
import type { AskedBy } from './release-deployment.js';
import { ReleaseDeployments } from './release-deployment.js';
import type { Decision } from './release-inbox.js';
import { ReleaseInbox } from './release-inbox.js';
import { releaseEndAttributes } from './search-attributes.js';
import { persistently } from './waits.js';

export async function release(input: ReleaseInput): Promise<Release> {
  const run = new Run(input);
  const { cancelRequested } = CancellationScope.current();
  cancelRequested.catch(() => run.inbox.cancel());
  return CancellationScope.nonCancellable(() => run.toItsEnd());
}

/** A finding of a step that is no failure of an activity. */
type Found = Omit<StepFailure, 'step'> | undefined;

class Run {
  readonly inbox = new ReleaseInbox();
  private readonly deployments: ReleaseDeployments;
  private readonly steps: Record<Exclude<ReleaseStepName, 'changelog'>, () => Promise<Found>>;
  private record: Release;
  private by: AskedBy;
  private notes = '';
  /** Deployment that brought it to production. */
  private deployed: string | undefined;

  constructor(private readonly input: ReleaseInput) {
    const { request } = input;
    this.record = progress.awaitTurn(progress.accepted(input), request.requestedAt);
    this.by = { actor: request.actor, override: request.override === true };
    this.deployments = new ReleaseDeployments(input, this.inbox);
    this.steps = {
      validate: () => this.validate(),
      tag: () => this.tag(),
      deploy: () => this.deploy(),
      publish: () => this.publish(),
    };
  }

  async toItsEnd(): Promise<Release> {
    for (;;) {
      const decision = await this.awaitTurn();
      const failure = decision ? undefined : await this.goOn();
      if (!decision && !failure) return this.succeed();
      if (failure && progress.isRejection(this.record, failure))
        return this.end(progress.finish(this.record, { outcome: 'rejected', failure }, now()));
      const decided = decision ?? (failure && (await this.blocked(failure)));
      if (decided && 'abandon' in decided)
        return this.end(progress.abandon(this.record, decided.abandon, now()));
      if (decided) this.retried(decided);
    }
  }

  /** @returns a person's decision to abandon it, where that comes before the turn. */
  private async awaitTurn(): Promise<Decision | undefined> {
    const { inbox } = this;
    const round = this.record.retries ?? 0;
    this.show();
    inbox.listen('waiting');
    const ask = (): Promise<void> => this.tell();
    if (round > 0) await ask();
    const done = (): boolean => inbox.hasTurn(round) || inbox.decision() !== undefined;
    await persistently(done, ask, 'its turn among the releases of the app', this.input.tuning?.watchdogMs);
    const decision = inbox.decision();
    inbox.listen(undefined);
    if (!decision) this.record = progress.takeTurn(this.record, now());
    return decision;
  }

  /** @returns why it stopped; undefined: it is published. */
  private async goOn(): Promise<StepFailure | undefined> {
    let unasked = true;
    for (;;) {
      const step = progress.nextStep(this.record);
      if (step === undefined || step === 'changelog') return undefined;
      if (this.inbox.isCancelled())
        return { step, code: 'STOPPED', message: 'The workflow was cancelled in Temporal' };
      this.record = progress.beginStep(this.record, step, now());
      this.show();
      try {
        if (unasked) await reads.authorise({ actor: this.by.actor });
        unasked = false;
        const found = await this.steps[step]();
        if (found) return { step, ...found };
      } catch (error) {
        const { code, message } = codedFailure(error);
        return { step, code, message };
      }
    }
  }

  private async validate(): Promise<Found> {
    const { app, tag, again } = this.input.request;
    const { images, release, warnings } = await reads.validate({ app, environment: PRODUCTION, tag });
    const digests = Object.fromEntries(images.map(({ repository, digest }) => [repository, digest]));
    const told = emergencyWarnings(this.input.request.actor);
    this.record = { ...this.record, release, digests, warnings: [...told, ...warnings] };
    const { bad } = await reads.liveRelease({ app, environment: PRODUCTION, release });
    if (bad && !this.by.override) return { code: 'RELEASE_BAD', message: badWords(bad) };
    const tags = progress.commitOf({ release });
    const claim = { id: this.record.id, digests, tags, again: again === true };
    const { first } = await tells.claimImages({ app, claim });
    if (first !== undefined) {
      this.record = { ...this.record, first };
      const message = `These images were released before, as ${first}. To release them once more, ask for it again (again: true)`;
      return { code: 'ALREADY_RELEASED', message };
    }
    this.record = progress.finishStep(
      this.record,
      'validate',
      now(),
      `${images.length} image(s) of ${release}`,
    );
    return undefined;
  }

  /** Nothing goes on before every image has the tag. */
  private async tag(): Promise<Found> {
    const { app, imageTag, digests = {} } = this.record;
    const from = Object.entries(digests).map(([repository, digest]) => ({ repository, digest }));
    await writes.tagImages({ app, actor: this.by.actor, from, imageTag });
    this.record = progress.finishStep(this.record, 'tag', now(), `${imageTag} on ${from.length} image(s)`);
    return undefined;
  }

  private async deploy(): Promise<Found> {
    const { app, release = '', digests = {} } = this.record;
    if (this.input.request.releaseOnly)
      return this.skipDeploy(`${app} is to be deployed elsewhere: it has no service here`);
    const { live, busy, bad } = await reads.liveRelease({ app, environment: PRODUCTION, release });
    if (bad && !this.by.override) return { code: 'RELEASE_BAD', message: badWords(bad) };
    if (!busy && live?.verified && digestKey(live.digests) === digestKey(digests))
      return this.skipDeploy(`production runs it already, verified by deployment ${live.id}`);
    const id = await this.deployments.ask(this.record, this.by);
    this.record = progress.describeStep({ ...this.record, deployment: id }, 'deploy', `deployment ${id}`);
    this.show();
    const ended = await this.deployments.end(id);
    if (ended.outcome !== 'succeeded') return { code: 'DEPLOYMENT_FAILED', message: whyNot(ended) };
    this.deployed = id;
    const detail = `deployment ${id} succeeded${ended.verified ? '' : ', but could not be verified'}`;
    this.record = progress.finishStep(this.record, 'deploy', now(), detail);
    return undefined;
  }

  private skipDeploy(why: string): Found {
    this.record = progress.skipStep(this.record, 'deploy', now(), why);
    return undefined;
  }

  private async publish(): Promise<Found> {
    const { app, gitTag, release = '', tag, actor } = this.record;
    const { deployed } = this;
    const { url, notes, publishedAt } = await publishing.publishRelease({
      ...{ app, gitTag, release, tag, actor },
      ...(deployed ? { deployment: deployed } : {}),
    });
    this.notes = notes;
    this.record = { ...this.record, releaseUrl: url, publishedAt: publishedAt ?? now() };
    this.record = progress.finishStep(this.record, 'publish', now(), url);
    return undefined;
  }

  /** It has succeeded whatever becomes of the changelog; that one may be tried on after everybody was told. */
  private async succeed(): Promise<Release> {
    const { app, gitTag, date, actor } = this.record;
    const input: ChangelogInput = { app, gitTag, date, body: this.notes, actor };
    const { changelogMs } = this.input.tuning ?? {};
    this.record = progress.beginStep(this.record, 'changelog', now());
    this.show();
    const opened = await openAtOnce(input, changelogMs);
    const late = !('url' in opened) && opened.mends;
    const record = changelogged(this.record, opened, { givenUp: !late });
    await this.end(progress.finish(record, { outcome: 'succeeded' }, now()));
    if (!late) return this.record;

    const later = await openLater(input, changelogMs && 10 * changelogMs);
    this.record = changelogged(this.record, later, { givenUp: true });
    this.show();
    return this.record;
  }

  /** Invariant 1: no timer, for weeks if need be. */
  private async blocked(failure: StepFailure): Promise<Decision | undefined> {
    const { inbox } = this;
    this.record = progress.block(this.record, failure, now());
    inbox.listen('blocked');
    this.show();
    await this.tell();
    await condition(() => inbox.decision() !== undefined);
    const decision = inbox.decision();
    inbox.listen(undefined);
    return decision;
  }

  private retried({ retry }: Extract<Decision, { retry: unknown }>): void {
    this.by = { actor: retry.actor, override: this.by.override || retry.override === true };
    this.record = progress.unblock(this.record, now());
  }

  private async end(record: Release): Promise<Release> {
    this.record = record;
    this.show();
    upsertSearchAttributes(releaseEndAttributes(record));
    await this.tell();
    return record;
  }

  /** Where it cannot be told, the watchdog of `releases` reads the record. */
  private async tell(): Promise<void> {
    try {
      await tells.releaseState({ app: this.record.app, change: progress.stateChange(this.record) });
    } catch (error) {
      log.error('`releases` could not be told', { error: wordsOf(error) });
    }
  }

  private show(): void {
    upsertMemo({ [MEMO.release]: this.record });
    setCurrentDetails(releaseMarkdown(this.record));
  }
}

const now = (): string => new Date().toISOString();

const whyNot = ({ id, outcome, failure }: DeploymentEnded): string =>
  `The deployment ${id} ended ${outcome}${failure ? `: ${failure.message}` : ''}`;
