/**
 * Workflow `plan/{unique}`: what something would do, by the reads that it would make itself, in their order, up
 * to the first write. Nobody waits for it for long: whoever asks is told what was found.
 */
import { setCurrentDetails } from '@temporalio/workflow';
import type { StepName, Warning } from '../domain/deployment.js';
import type { Validated } from '../domain/effects.js';
import type { Plan, PlanRequest } from '../domain/plan.js';
import * as plans from '../domain/plan.js';
import { isCommit } from '../domain/tags.js';
import { planning } from './effects.js';
import { codedFailure } from './failure.js';

export async function plan(request: PlanRequest): Promise<Plan> {
  const planner = new Planner(request);
  const made = await planner.make();
  const { refusal, images, release = '' } = made;
  setCurrentDetails(refusal ? `\`${refusal.code}\`` : `${images.length} container(s) → \`${release}\``);
  return made;
}

interface Chosen {
  /** Absent: not built yet. */
  validated?: Validated;
  tag: string;
  warnings: Warning[];
}

class Planner {
  private step: StepName = 'validate';
  private plan: Plan;

  constructor(private readonly request: PlanRequest) {
    this.plan = plans.emptyPlan(request);
  }

  async make(): Promise<Plan> {
    try {
      await this.reads();
    } catch (error) {
      const { code, message } = codedFailure(error);
      return plans.refusedPlan(this.plan, this.step, code, message);
    }
    return this.plan;
  }

  private async reads(): Promise<void> {
    const { request } = this;
    const { app, environment } = request;
    const { validated, tag, warnings } = await this.choose();
    const release = validated?.release ?? tag;
    this.plan = { ...this.plan, tag, release };
    this.warn(...warnings, ...(validated?.warnings ?? []));
    if (validated?.bad && !request.override) {
      this.plan = plans.refusedPlan(this.plan, 'validate', 'RELEASE_BAD', validated.bad);
      return;
    }
    const label = request.kind === 'release' ? plans.PLANNED_RELEASE_TAG : tag;
    const images = validated?.images.map((image) => ({ ...image, tag: label }));
    if (request.releaseOnly) return this.publishes(images ?? []);

    this.step = 'look';
    const look = await planning.look({ app, environment, id: 'plan' });
    this.warn(...look.warnings);
    this.step = 'register';
    const { runs, ...rendered } = await planning.renderPlan({
      ...{ app, environment, tag: label, release, look: { revision: look.revision } },
      ...(images ? { images } : {}),
    });
    this.plan = { ...this.plan, ...rendered, ...(runs ? { before: runs } : {}) };
    await this.compare(runs, release);
  }

  /** As the deployment's own step `validate`, a rollback's and a redeployment's. */
  private async choose(): Promise<Chosen> {
    const { app, environment, kind, tag = '', commit, digests } = this.request;
    if (kind === 'rollback') return this.chooseTarget();
    if (tag === '') {
      const validated = await planning.validateCurrent({ app, environment });
      return { validated, tag: validated.tag ?? validated.release, warnings: [] };
    }
    try {
      const validated = await planning.validate({ app, environment, tag, ...(digests ? { digests } : {}) });
      return { validated, tag, warnings: [] };
    } catch (error) {
      if (!commit || codedFailure(error).code !== 'TAG_NOT_FOUND') throw error;
      return { tag, warnings: [plans.UNBUILT] };
    }
  }

  private async chooseTarget(): Promise<Chosen> {
    const { app, environment, tag, override } = this.request;
    const asked = { app, environment, ...(tag ? { tag } : {}), ...(override ? { override } : {}) };
    const decision = await planning.planRollback(asked);
    const found = decision.plan ?? (await planning.planRollback({ ...asked, atTurn: true })).plan;
    // At its turn it always finds one, or throws.
    if (!found) throw new Error('a rollback at its turn has no plan');
    const { digests } = found;
    const validated = await planning.validate({ app, environment, tag: found.tag, digests });
    const later = decision.undecided ? [plans.decidedLater(decision.undecided)] : [];
    return { validated, tag: found.tag, warnings: [...found.warnings, ...later] };
  }

  /** Nothing is deployed: its images are what is published. */
  private publishes(images: Validated['images']): void {
    const after = images.flatMap(({ containers, repository, tag, digest }) =>
      containers.map((container) => ({ container, after: `${repository}:${tag}@${digest}` })),
    );
    this.plan = { ...this.plan, images: after };
  }

  /** Nice to know: without it the plan stands. */
  private async compare(base: string | undefined, head: string): Promise<void> {
    if (base === head) return this.warn(plans.alreadyRuns(head));
    if (!base || !isCommit(base) || !isCommit(head)) {
      const what = base ? `${isCommit(base) ? head : base} is no commit` : 'Sluice did not deploy what runs';
      return this.warn(plans.commitsUnknown(what));
    }
    try {
      const { status, commits, commitCount } = await planning.compareCommits({ base, head });
      this.plan = { ...this.plan, commits, commitCount, ...(status === 'behind' ? { back: true } : {}) };
      if (status === 'diverged') this.warn(plans.DIVERGED);
    } catch (error) {
      this.warn(plans.commitsUnknown(codedFailure(error).message));
    }
  }

  private warn(...warnings: Warning[]): void {
    this.plan = { ...this.plan, warnings: [...this.plan.warnings, ...warnings] };
  }
}
