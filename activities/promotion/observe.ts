/** The fresh read that every decision of a promotion queue stands on. */
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { badReleases } from '../../domain/bad.js';
import type { AppConfig, Config } from '../../domain/config/config.js';
import type { ValidateInput, Validated } from '../../domain/effects.js';
import { PRODUCTION } from '../../domain/deployment.js';
import type { LaneView } from '../../domain/messages.js';
import { isOfQueue } from '../../domain/promotion/draft.js';
import type { Relations } from '../../domain/promotion/effects.js';
import type { EnvironmentRead, Observation, Place, QueueSettings } from '../../domain/promotion/read.js';
import { releaseIn } from '../../domain/promotion/read.js';
import { isCommit } from '../../domain/tags.js';
import { refuse } from '../failure.js';
import type { LaneReader } from '../temporal/requests.js';
import type { EnvironmentDeps } from './environment.js';
import { readEnvironment } from './environment.js';
import { readOwn } from './own.js';

export const STAGING = 'staging';

export interface ObserveInput {
  app: string;
  /** Of the state when the read begins. */
  epoch: number;
  /** Releases that the queue knows: where they stand on the branch is told. */
  releases: string[];
  /** Those of them of which it is told what they contain; of what runs that is told always. */
  containers: string[];
  /** Id of the queue's own deployment that is under way. */
  own?: string;
  /** Image set whose images have to be there. */
  images?: { tag: string; digests: Record<string, string> };
}

export interface ObserveDeps extends EnvironmentDeps {
  client: Client;
  readLane: LaneReader;
  relate(input: { releases: string[] }): Promise<Relations>;
  validate(input: ValidateInput): Promise<Validated>;
}

/** The repository's answer is not waited for longer: without it, what needs it is looked at again later. */
const RELATIONS_MS = 2_000;

/** @throws ApplicationFailure `NOT_FOUND` where the app has no promotions; retryable `NO_WORKER` while a lane starts */
export async function observe(deps: ObserveDeps, input: ObserveInput): Promise<Observation> {
  const { app, epoch } = input;
  const settings = settingsOf(deps.config, app);
  const [stagingLane, productionLane] = await Promise.all([
    deps.readLane({ app, environment: STAGING }),
    deps.readLane({ app, environment: PRODUCTION }),
  ]);
  const [staging, production, own, missing] = await Promise.all([
    readEnvironment(deps, { app, environment: STAGING }, stagingLane),
    readEnvironment(deps, { app, environment: PRODUCTION }, productionLane),
    readOwn(deps.client, input.own, [stagingLane, productionLane]),
    input.images ? missingImages(deps, { app, ...input.images }) : undefined,
  ]);
  const bad = productionLane?.bad ?? [];
  const live = running(staging, production);
  const relations = await related(deps, {
    releases: [...input.releases, ...badReleases(bad), ...live],
    containers: [...input.containers, ...live],
  });
  return {
    ...{ epoch, settings, staging, production, bad, own },
    lanes: { staging: outside(stagingLane), production: outside(productionLane) },
    ...(relations ? { relations } : {}),
    ...(missing ? { missing } : {}),
  };
}

const running = (...reads: EnvironmentRead[]): string[] =>
  reads.map(releaseIn).filter((release) => release !== undefined);

/** Everything that holds a place in the lane and is not the queue's own. */
function outside(lane: LaneView | undefined): Place[] {
  if (!lane) return [];
  const here = [...(lane.running ? [lane.running] : []), ...lane.waiting];
  return here.filter(({ id }) => !isOfQueue(id)).map(({ id, kind }) => ({ id, kind }));
}

/** Of a hundred merges that wait, what each contains would fill the history. */
async function related(
  { relate }: ObserveDeps,
  { releases, containers }: Pick<ObserveInput, 'releases' | 'containers'>,
): Promise<Relations | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), RELATIONS_MS);
  });
  const asked = relate({ releases: [...new Set(releases)].filter(isCommit) }).catch((error: unknown) => {
    if (error instanceof ApplicationFailure) return undefined;
    throw error;
  });
  try {
    const found = await Promise.race([asked, late]);
    if (!found) return undefined;
    const told = containers.map((release) => [release, found.contains[release] ?? [release]]);
    return { ...found, contains: Object.fromEntries(told) as Relations['contains'] };
  } finally {
    clearTimeout(timer);
  }
}

/** @returns words where an image is not there any more */
async function missingImages(
  { validate }: ObserveDeps,
  { app, tag, digests }: { app: string; tag: string; digests: Record<string, string> },
): Promise<string | undefined> {
  try {
    await validate({ app, environment: PRODUCTION, tag, digests });
    return undefined;
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'TAG_NOT_FOUND') return error.message;
    throw error;
  }
}

/** @throws ApplicationFailure `NOT_FOUND` */
export function settingsOf(config: Config, app: string): QueueSettings {
  const settings: AppConfig | undefined = Object.hasOwn(config.apps, app) ? config.apps[app] : undefined;
  const promotion = settings?.promotion;
  if (!promotion) throw refuse('NOT_FOUND', `sluice.yaml has no promotion of ${app}`);
  const { tests } = settings;
  const { queue, approval, remindAfterMs, escalateAfterMs } = promotion;
  const { tellAfterMs, giveUpAfterMs, verifyMs } = config.limits;
  return {
    policy: { queue, approval },
    ...(tests ? { tests: { kind: tests.kind, attempts: tests.attempts, timeoutMs: tests.timeoutMs } } : {}),
    ...{ remindAfterMs, escalateAfterMs },
    limits: { tellAfterMs, giveUpAfterMs, verifyMs },
  };
}
