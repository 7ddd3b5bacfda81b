/** What something would do, before it does. Nothing is written. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import { CODES } from '../../domain/codes.js';
import type { CodeEntry } from '../../domain/codes.js';
import type { Target, Warning } from '../../domain/deployment.js';
import { PRODUCTION } from '../../domain/deployment.js';
import { releasesWorkflowId } from '../../domain/ids.js';
import type { ReleasesView } from '../../domain/messages.js';
import { MEMO } from '../../domain/messages.js';
import type { Plan, PlanRequest } from '../../domain/plan.js';
import type { Promotion } from '../../domain/promotion/promotion.js';
import { imageTag } from '../../domain/tags.js';
import { assertNotBad, locked } from '../accept.js';
import { assertApp, assertPromoted, assertTag, assertTarget, assertWhat } from '../checks.js';
import type { Context } from '../context.js';
import { ApiError, badRequest } from '../errors.js';
import { uniqueFor } from '../ids.js';
import { actorOf } from '../requests.js';
import { errors } from '../schemas/common.js';
import * as schemas from '../schemas/plans.js';
import { makePlan } from '../temporal/plans.js';
import { readQueue } from '../temporal/promotions.js';
import { describe, readDeployment, readLane } from '../temporal/reads.js';

type Body = Static<typeof schemas.NewPlan>;

interface Asked {
  request: PlanRequest;
  tests?: Promotion['tests'];
  /** Known before anything is read. */
  warnings?: Warning[];
}

export const plansRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/plans',
      {
        // It writes nothing, but it makes workers read at AWS and GitHub: not for everybody who may look.
        onRequest: context.guards.write,
        schema: {
          ...{ operationId: 'plan', summary: 'What something would do', tags: ['plans'] },
          description:
            'Refused as the request itself would be; what only its reads can find out stands in `refusal`. Needs a worker.',
          body: schemas.NewPlan,
          response: { 200: schemas.Plan, ...errors },
        },
      },
      async (request) => {
        const {
          request: asked,
          tests,
          warnings = [],
        } = await FORMS[request.body.kind](context, request.body);
        // Each is made afresh: what was true for the same key before may be no longer.
        const unique = uniqueFor({ actor: actorOf(request), route: 'plan' });
        const plan = await makePlan(context.temporal, unique, asked);
        assertNoOutage(plan);
        return { ...plan, warnings: [...warnings, ...plan.warnings], ...(tests ? { tests } : {}) };
      },
    );
  };

/** A plan is not kept: an outage is an answer like any other's. */
function assertNoOutage({ refusal }: Plan): void {
  if (!refusal) return;
  const { http }: CodeEntry = CODES[refusal.code];
  if (http !== undefined && http >= 500) throw new ApiError(refusal.code, refusal.message);
}

const FORMS: Record<Body['kind'], (context: Context, body: Body) => Promise<Asked>> = {
  async deploy(context, body) {
    only(body, ['environment', 'tag', 'commit', 'override']);
    const target = targetOf(context, body);
    const what = assertWhat(body);
    await assertAllowed(context, target, { ...body, tag: what.tag });
    return { request: { ...target, kind: 'deploy', ...what, ...overrideOf(body) } };
  },
  async redeploy(context, body) {
    only(body, ['environment', 'tag']);
    const target = targetOf(context, body);
    await assertAllowed(context, target, body);
    return { request: { ...target, kind: 'redeploy', ...tagOf(body) } };
  },
  async rollback(context, body) {
    only(body, ['environment', 'tag', 'now', 'override']);
    const target = targetOf(context, body);
    if (!body.override) await assertAllowed(context, target, body);
    return { request: { ...target, kind: 'rollback', ...tagOf(body), ...overrideOf(body) } };
  },
  async release(context, body) {
    only(body, ['tag', 'again', 'override']);
    const { app, tag } = body;
    const target = { app, environment: PRODUCTION };
    assertApp(context.config, app);
    if (tag === undefined) throw badRequest('body must have required property ‘tag’');
    const releaseOnly = context.config.apps[app]?.releaseOnly ?? false;
    if (!releaseOnly) assertTarget(context.config, target);
    await assertNotReleased(context, { app, tag: assertTag(tag), again: body.again ?? false });
    await assertAllowed(context, target, body);
    const published = releaseOnly ? { releaseOnly } : {};
    return { request: { ...target, kind: 'release', tag, ...published, ...overrideOf(body) } };
  },
  async promotion(context, body) {
    only(body, ['release', 'override']);
    const target = { app: body.app, environment: PRODUCTION };
    assertTarget(context.config, target);
    const { release, tests, warnings, ...digests } = await approvable(context, body);
    if (!body.override) await assertNotBad(context, body.app, release);
    const lane = await readLane(context.temporal, target);
    const held = lane?.lock ? [{ code: 'LOCKED', message: locked(target, lane.lock).message }] : [];
    const request = {
      ...{ ...target, kind: 'promotion' as const, tag: release },
      ...{ ...digests, ...overrideOf(body) },
    };
    return { request, warnings: [...warnings, ...held], ...(tests ? { tests } : {}) };
  },
};

const ALWAYS = ['kind', 'app', 'reason'];

/** Fields of another kind's body are a mistake, as they are there. */
function only(body: Body, known: string[]): void {
  const unknown = Object.keys(body).find((field) => !ALWAYS.includes(field) && !known.includes(field));
  if (unknown) throw badRequest(`body: a ${body.kind} does not know ${JSON.stringify(unknown)}`);
}

function targetOf({ config }: Context, { app, environment, kind }: Body): Target {
  if (environment === undefined) throw badRequest(`body/environment must be given for a ${kind}`);
  assertTarget(config, { app, environment });
  return { app, environment };
}

const tagOf = ({ tag }: Body) => (tag === undefined ? {} : { tag: assertTag(tag) });

const overrideOf = ({ override }: Body) => (override ? { override } : {});

/** What the request itself is refused for at once. @throws ApiError `LOCKED`, `RELEASE_BAD` */
async function assertAllowed(context: Context, target: Target, body: Body): Promise<void> {
  const lane = await readLane(context.temporal, target);
  if (lane?.lock) throw locked(target, lane.lock);
  if (body.tag !== undefined && !body.override) await assertNotBad(context, target.app, body.tag);
}

/** @throws ApiError `ALREADY_RELEASED` with the first release */
async function assertNotReleased(
  { temporal }: Context,
  { app, tag, again }: { app: string; tag: string; again: boolean },
): Promise<void> {
  if (again) return;
  const description = await describe(temporal, releasesWorkflowId(app));
  const view = description?.memo?.[MEMO.releases] as ReleasesView | undefined;
  const first = view?.released.find(({ tags }) => tags.includes(tag) || tags.includes(imageTag(app, tag)));
  if (!first) return;
  throw new ApiError('ALREADY_RELEASED', `${tag} was released as ${first.id}`, { release: first.id });
}

/** The current promotion with what staging runs of it; that it is not unlocked yet is said, not refused. */
async function approvable({ config, temporal }: Context, { app, release }: Body) {
  const { current, lock } = await readQueue(temporal, app, assertPromoted(config, app));
  if (!current || (release !== undefined && current.release !== release)) {
    throw new ApiError('NOT_UNLOCKED', `There is no promotion of ${release ?? app} that could be approved`);
  }
  const { stage, failedStage, waitingFor, tests } = current;
  const isUnlocked = stage === 'awaiting-approval' || (stage === 'failed' && failedStage === 'production');
  const message = waitingFor?.detail ?? `It is at ${stage}`;
  const held = lock ? [{ code: 'LOCKED', message: `The queue is locked by ${lock.by}: ${lock.reason}` }] : [];
  return {
    release: current.release,
    ...(await stagedDigests(temporal, current)),
    tests,
    warnings: [...held, ...(isUnlocked ? [] : [{ code: 'NOT_UNLOCKED', message }])],
  };
}

/** What was adopted runs on staging without a deployment of the queue's: its tag names it. */
async function stagedDigests(
  temporal: Context['temporal'],
  { release, staging, stage }: Promotion,
): Promise<Pick<PlanRequest, 'digests'>> {
  const staged = staging === undefined ? undefined : await readDeployment(temporal, staging);
  if (staged?.digests) return { digests: staged.digests };
  if (staging === undefined && stage !== 'queued' && stage !== 'staging') return {};
  throw new ApiError('NOT_UNLOCKED', `${release} was not deployed to staging yet`);
}
