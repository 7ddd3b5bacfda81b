/** What a rollback would do, found before anything is written: target, images, template, what is live. */
import { ApplicationFailure } from '@temporalio/common';
import type { Aws } from '../../clients/aws.js';
import { badWords, markOf } from '../../domain/bad.js';
import type { Config } from '../../domain/config/config.js';
import type { Target, Warning } from '../../domain/deployment.js';
import { PRODUCTION } from '../../domain/deployment.js';
import type { ValidateInput, Validated } from '../../domain/effects.js';
import type { BadMark, LaneView, LiveRelease } from '../../domain/messages.js';
import { chooseTarget, nearestTags, recentTags } from '../../domain/rollback.js';
import type { RollbackDecision, RollbackPlan } from '../../domain/rollback.js';
import { imageTag } from '../../domain/tags.js';
import { tagsOfSet } from '../ecr/tags.js';
import { serviceOf } from '../ecs/service.js';
import type { EcsService } from '../ecs/service.js';
import { refuse } from '../failure.js';
import type { LaneReader } from '../temporal/requests.js';
import { reportedRelease } from './reported.js';
import { checkTemplate } from './template.js';

export interface RollbackDeps {
  config: Config;
  aws: Pick<Aws, 'ecr' | 'ecs'>;
  /** Of the images, without a judgement of the release. */
  validate(input: ValidateInput): Promise<Validated>;
  readLane: LaneReader;
}

export interface PlanRollbackInput extends Target {
  /** T. Absent: the last release verified there before the live one. */
  tag?: string;
  override?: boolean;
  /** It has the turn: nothing of ours moves the service but itself. */
  atTurn?: boolean;
}

/** What the lanes know. */
interface Known {
  lane?: LaneView;
  /** Of the app, for both environments: production's lane holds them. */
  bad: readonly BadMark[];
}

/**
 * @throws ApplicationFailure `NOT_FOUND`, `LOCKED` with the lock, `NO_ROLLBACK_TARGET`, `TAG_NOT_FOUND` with the
 *   nearest and the most recent tags, `RELEASE_BAD`, `TEMPLATE_NOT_FOUND`, `CONTAINER_MISSING`; retryable
 *   `AWS_DOWN`, `REGISTRY_DOWN`
 */
export async function planRollback(deps: RollbackDeps, input: PlanRollbackInput): Promise<RollbackDecision> {
  const ecs = serviceOf(deps, input);
  const known = await knownOf(deps, input);
  const { lane } = known;
  if (lane?.lock && !input.override && !input.atTurn) throw locked(lane.lock);
  const undecided = input.atTurn ? undefined : goesBefore(lane);
  if (undecided === undefined) return { plan: await plan(deps, { ...input, ecs, known }) };
  if (input.tag) return { undecided, plan: await plan(deps, { ...input, ecs, known }) };
  await checkTemplate(ecs);
  return { undecided };
}

/** What it does to the service decides what is live when the rollback gets its turn. */
const goesBefore = (lane: LaneView | undefined): string | undefined =>
  lane?.running?.id ?? lane?.waiting.find(({ kind }) => kind === 'rollback')?.id;

async function plan(
  deps: RollbackDeps,
  input: PlanRollbackInput & { ecs: EcsService; known: Known },
): Promise<RollbackPlan> {
  const { ecs, known } = input;
  const { lane, bad } = known;
  const live = await liveRelease(ecs, lane);
  const { tag, validated } = await chosen(deps, { input, known, live });
  const { release, images } = validated;
  const mark = input.override ? undefined : markOf(bad, release);
  if (mark) throw refuse('RELEASE_BAD', badWords(mark), { ...mark });
  const before = releasesOf(lane).find((one) => one.release === release);
  const variables = await checkTemplate(ecs, {
    ...{ tag, release },
    ...(before ? { revision: before.revision } : {}),
  });
  const liveTag = releasesOf(lane).find((one) => one.release === live)?.tag;
  return {
    tag,
    digests: Object.fromEntries(images.map(({ repository, digest }) => [repository, digest])),
    release,
    ...(live ? { live: { release: live, ...(liveTag ? { tag: liveTag } : {}) } } : {}),
    warnings: [...liveWarnings(input, live, release), ...variables],
  };
}

const releasesOf = (lane: LaneView | undefined): LiveRelease[] => [
  ...(lane?.live ? [lane.live] : []),
  ...(lane?.verified ?? []),
];

async function knownOf({ readLane }: RollbackDeps, { app, environment }: Target): Promise<Known> {
  const lane = await readLane({ app, environment });
  const production = environment === PRODUCTION ? lane : await readLane({ app, environment: PRODUCTION });
  return { ...(lane ? { lane } : {}), bad: production?.bad ?? [] };
}

const locked = (lock: NonNullable<LaneView['lock']>): ApplicationFailure =>
  refuse(
    'LOCKED',
    `Locked by ${lock.by} since ${lock.at}: ${lock.reason}. Unlock it, or override it with a reason`,
    { ...lock },
  );

/** What the version endpoint reports; where it cannot tell, what the lane did last. */
async function liveRelease(ecs: EcsService, lane: LaneView | undefined): Promise<string | undefined> {
  const reported = await reportedRelease(ecs.settings.versionUrl);
  return 'release' in reported ? reported.release : lane?.live?.release;
}

function liveWarnings({ environment }: Target, live: string | undefined, release: string): Warning[] {
  if (environment !== PRODUCTION) return [];
  if (live === undefined) {
    const message = 'Which release was live is not known: none was marked bad';
    return [{ code: 'LIVE_UNKNOWN', message }];
  }
  if (live !== release) return [];
  return [{ code: 'SAME_RELEASE', message: `${release} was live already: it was not marked bad` }];
}

interface Chosen {
  tag: string;
  validated: Validated;
}

async function chosen(
  deps: RollbackDeps,
  { input, known, live }: { input: PlanRollbackInput; known: Known; live: string | undefined },
): Promise<Chosen> {
  const { app, environment } = input;
  const target = input.tag ? { tag: input.tag } : defaultTarget({ input, known, live });
  const tag = imageTag(app, target.tag);
  try {
    return { tag, validated: await deps.validate({ app, environment, ...target, tag }) };
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.type !== 'TAG_NOT_FOUND') throw error;
    throw await withSuggestions(deps, { app, tag, error });
  }
}

async function withSuggestions(
  { aws, config }: RollbackDeps,
  { app, tag, error }: { app: string; tag: string; error: ApplicationFailure },
): Promise<ApplicationFailure> {
  const settings = config.apps[app];
  if (!settings) return error;
  try {
    const tags = await tagsOfSet(aws, settings);
    const [nearest, recent] = [nearestTags(tag, tags), recentTags(tags)];
    const words = [
      error.message,
      ...(nearest.length > 0 ? [`nearest: ${nearest.join(', ')}`] : []),
      recent.length > 0 ? `most recent: ${recent.join(', ')}` : 'no tag is on every image of the set',
    ];
    return refuse('TAG_NOT_FOUND', words.join('; '), { nearest, recent });
  } catch (failed) {
    // A role that may not list images: the answer stands without suggestions.
    if (failed instanceof ApplicationFailure && failed.nonRetryable) return error;
    throw failed;
  }
}

/** By its digests: the tag may have been moved since it was verified. */
function defaultTarget(of: {
  input: Target;
  known: Known;
  live: string | undefined;
}): Pick<LiveRelease, 'tag' | 'digests'> {
  const { input, known, live } = of;
  const verified = known.lane?.verified ?? [];
  const target = chooseTarget({ verified, ...(live ? { live } : {}), bad: known.bad });
  if (target) return { tag: target.tag, digests: target.digests };
  const before = live ? ` before ${live}` : '';
  throw refuse(
    'NO_ROLLBACK_TARGET',
    `No release of ${input.app} that is not bad was verified in ${input.environment}${before}: name a tag`,
  );
}
