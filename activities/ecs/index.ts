/** What a deployment does at ECS. Every activity throws ApplicationFailure with a code, never a foreign error. */
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { Context } from '@temporalio/activity';
import type {
  CollectedDossier,
  DossierInput,
  Glance,
  GoBackInput,
  Look,
  RegisterInput,
  Registered,
  Stabilised,
  StabiliseInput,
  UpdateInput,
  Updated,
  Verified,
  VerifyInput,
  WentBack,
} from '../../domain/effects.js';
import type { RenderedPlan, RenderPlanInput } from '../../domain/plan.js';
import { heartbeating } from '../heartbeat.js';
import { collectDossier } from './dossier.js';
import type { EcsActivityDeps, EcsDeps } from './deps.js';
import { glance } from './glance.js';
import { goBack } from './go-back.js';
import { createLimiter } from './limiter.js';
import { look } from './look.js';
import type { LookInput } from './look.js';
import { createReader } from './reader.js';
import type { DescribeServices } from './reader.js';
import { register } from './register.js';
import { renderPlan } from './render-plan.js';
import { stabilise } from './stabilise.js';
import { update } from './update.js';
import { verify } from './verify.js';

export type { EcsActivityDeps } from './deps.js';

export interface EcsActivities {
  /** @throws `SERVICE_GONE`, `UNSUPPORTED_STRATEGY`; retryable `FOREIGN_DEPLOYMENT`, `AWS_DOWN` */
  look(input: LookInput): Promise<Look>;
  /** @throws `NOT_A_MAINTAINER`, `TEMPLATE_NOT_FOUND`, `CONTAINER_MISSING`; retryable `AWS_DOWN` */
  register(input: RegisterInput): Promise<Registered>;
  /** @throws as `register`, whose rendering it is; writes nothing */
  renderPlan(input: RenderPlanInput): Promise<RenderedPlan>;
  /** @throws `SERVICE_GONE`; retryable `AWS_DOWN` */
  update(input: UpdateInput): Promise<Updated>;
  /** Heartbeats `Watch` (`domain/rollout/rollout.ts`). Ends with a verdict, or when it is cancelled. */
  stabilise(input: StabiliseInput): Promise<Stabilised>;
  /** A few reads within a second, beside the watch: for news that came. It only reads. */
  glance(input: StabiliseInput): Promise<Glance>;
  /** @throws `RELEASE_MISMATCH`, `DIGEST_MISMATCH`, `NO_ANSWER` at the end of the limit */
  verify(input: VerifyInput): Promise<Verified>;
  /** @throws `NO_WAY_BACK`, `SERVICE_GONE`; retryable `AWS_DOWN` */
  goBack(input: GoBackInput): Promise<WentBack>;
  /** As far as it can be had; throws only where it is cancelled. */
  dossier(input: DossierInput): Promise<CollectedDossier>;
}

/** One per worker process: the limiter and the reader are shared by all its watches. */
export function createEcsActivities(input: EcsActivityDeps): EcsActivities {
  const limiter = createLimiter(input.config.limits.callsPerSecond);
  const describe: DescribeServices = async ({ environment, cluster, services }) =>
    await input.aws.ecs(environment).send(new DescribeServicesCommand({ cluster, services }));
  const deps: EcsDeps = { ...input, limiter, reader: createReader({ describe, limiter }) };
  return {
    look: activity(deps, look),
    register: activity(deps, register),
    renderPlan: activity(deps, renderPlan),
    update: activity(deps, update),
    stabilise: async (what) => await stabilise(deps, what),
    glance: activity(deps, glance),
    verify: activity(deps, verify),
    goBack: activity(deps, goBack),
    dossier: activity(deps, collectDossier),
  };
}

/** As a worker runs it: alive to be seen, and a read that its cancellation ended is no outage. */
const activity = <I, O>(deps: EcsDeps, work: (deps: EcsDeps, input: I) => Promise<O>) =>
  heartbeating(async (input: I): Promise<O> => {
    const { cancellationSignal, cancelled } = Context.current();
    try {
      return await work(deps, input);
    } catch (error) {
      if (cancellationSignal.aborted) await cancelled;
      throw error;
    }
  });
