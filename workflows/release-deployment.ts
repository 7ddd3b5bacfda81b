/** A release's deployment to production: asked for once an attempt, and waited for however long it takes. */
import { deploymentId } from '../domain/ids.js';
import type { DeploymentRequest } from '../domain/deployment.js';
import { PRODUCTION } from '../domain/deployment.js';
import type { DeploymentEnded } from '../domain/messages.js';
import { deploymentUnique } from '../domain/release/dates.js';
import type { Release, ReleaseInput } from '../domain/release/release.js';
import { reads, tells } from './effects.js';
import { codedFailure } from './failure.js';
import type { ReleaseInbox } from './release-inbox.js';
import { persistently } from './waits.js';

/** The lane has no such deployment then, and never will: the next attempt is another one. */
const REFUSED = ['LOCKED', 'RELEASE_BAD', 'KEY_REUSED'];

export interface AskedBy {
  actor: string;
  override: boolean;
}

export class ReleaseDeployments {
  private attempt = 1;
  /** Of the attempt that may have reached the lane already: sent again, it has to be the same. */
  private open: DeploymentRequest | undefined;

  constructor(
    private readonly input: ReleaseInput,
    private readonly inbox: ReleaseInbox,
  ) {}

  /** @returns the deployment's id @throws ActivityFailure where the lane refuses, or does not answer */
  async ask(release: Release, by: AskedBy): Promise<string> {
    this.open ??= this.requestOf(release, by);
    try {
      const { id, again } = await tells.requestDeployment(this.open);
      if (again) await this.look(id);
      return id;
    } catch (error) {
      if (REFUSED.includes(codedFailure(error).code)) this.close();
      throw error;
    }
  }

  /** It tells its end; one that was terminated tells nothing, so it is looked after at growing intervals. */
  async end(id: string): Promise<DeploymentEnded> {
    const ended = (): boolean => this.inbox.endOf(id) !== undefined;
    const look = (): Promise<void> => this.look(id);
    for (;;) {
      await persistently(ended, look, `the end of ${id}`, this.input.tuning?.watchdogMs);
      const end = this.inbox.endOf(id);
      if (!end) continue;
      this.close();
      return end;
    }
  }

  private async look(id: string): Promise<void> {
    const end = await reads.deploymentEnd({ id });
    if (end) this.inbox.tellEnd(end);
  }

  private close(): void {
    this.attempt += 1;
    this.open = undefined;
  }

  /** By the digests that were validated and tagged: what is published is what runs, wherever a tag moved. */
  private requestOf(release: Release, { actor, override }: AskedBy): DeploymentRequest {
    const { app, reason, limits } = this.input.request;
    const { digests } = release;
    return {
      id: deploymentId({ app, environment: PRODUCTION }, deploymentUnique(release, this.attempt)),
      app,
      environment: PRODUCTION,
      kind: 'release',
      tag: release.imageTag,
      ...(digests ? { digests } : {}),
      actor,
      checkActor: true,
      ...(reason === undefined ? {} : { reason }),
      ...(override ? { override } : {}),
      parent: { type: 'release', id: release.id },
      queuedAt: new Date().toISOString(),
      limits,
    };
  }
}
