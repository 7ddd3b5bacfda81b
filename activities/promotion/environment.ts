/** One environment's service as it is now: PRIMARY, what it runs, and what its version endpoint reports. */
import type { Deployment as EcsDeployment, Service } from '@aws-sdk/client-ecs';
import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { Aws } from '../../clients/aws.js';
import type { Config } from '../../domain/config/config.js';
import type { Target } from '../../domain/deployment.js';
import type { LaneView, LiveRelease } from '../../domain/messages.js';
import type { EnvironmentRead } from '../../domain/promotion/read.js';
import { activeService, describeRevision, serviceOf, tasksOf } from '../ecs/service.js';
import type { EcsService } from '../ecs/service.js';
import { askVersion } from '../ecs/version.js';

export interface EnvironmentDeps {
  config: Config;
  aws: Pick<Aws, 'ecs'>;
}

/**
 * Reads begin now. Digests are those of the image set: as Sluice deployed it while that is what runs, else as the
 * revision names them, else as the running tasks report them; absent: unreported.
 * @throws ApplicationFailure `NOT_FOUND` where sluice.yaml names no such service; what cannot be read stands in the result
 */
export async function readEnvironment(
  deps: EnvironmentDeps,
  target: Target,
  lane: LaneView | undefined,
): Promise<EnvironmentRead> {
  const ecs = serviceOf(deps, target);
  const [reported, service] = await Promise.all([reportedBy(ecs.settings), readable(activeService(ecs))]);
  if ('unreadable' in service) return { ...reported, ...service };
  const primary = service.read.deployments?.find(({ status }) => status === 'PRIMARY');
  const live = liveOf(lane, primary);
  const digests = live?.digests ?? (await digestsOf(ecs, service.read, primary));
  return {
    ...reported,
    ...(digests ? { digests } : {}),
    ...(primary?.id ? { primary: primary.id } : {}),
    ...(live ? { deployed: live.release, tag: live.tag } : {}),
  };
}

/** What the version endpoint reports, where there is one that does. */
export async function reportedBy({
  versionUrl,
}: {
  versionUrl?: string;
}): Promise<Pick<EnvironmentRead, 'release'>> {
  if (!versionUrl) return {};
  const answer = await askVersion(versionUrl, Context.current().cancellationSignal);
  return answer.kind === 'release' ? { release: answer.release } : {};
}

type Readable<T> = { read: T } | Required<Pick<EnvironmentRead, 'unreadable'>>;

const UNREADABLE: readonly string[] = ['AWS_DOWN', 'AWS_REFUSED', 'SERVICE_GONE'];

/** What AWS does not tell is an answer too: the queue waits, and says for what. */
async function readable<T>(reading: Promise<T>): Promise<Readable<T>> {
  try {
    return { read: await reading };
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || !UNREADABLE.includes(error.type ?? '')) throw error;
    const code = error.type as NonNullable<EnvironmentRead['unreadable']>['code'];
    return { unreadable: { code, message: error.message } };
  }
}

/** What the lane did last, as long as that is what ECS holds as PRIMARY. */
const liveOf = (lane: LaneView | undefined, primary: EcsDeployment | undefined): LiveRelease | undefined =>
  lane?.live && lane.live.revision === primary?.taskDefinition ? lane.live : undefined;

async function digestsOf(
  ecs: EcsService,
  service: Service,
  primary: EcsDeployment | undefined,
): Promise<Record<string, string> | undefined> {
  if (!primary?.taskDefinition) return undefined;
  const revision = await readable(describeRevision(ecs, primary.taskDefinition));
  if ('unreadable' in revision) return undefined;
  const images = new Map(
    revision.read?.definition.containerDefinitions?.map(({ name, image }) => [name, image?.split('@')[1]]),
  );
  const named = ofSet(ecs, (container) => images.get(container));
  if (named || (service.runningCount ?? 0) === 0) return named;
  const tasks = await readable(tasksOf(ecs, 'RUNNING'));
  if ('unreadable' in tasks) return undefined;
  const ours = tasks.read.filter(({ taskDefinitionArn }) => taskDefinitionArn === primary.taskDefinition);
  return ofSet(ecs, (container) => {
    const found = ours.map((task) => task.containers?.find(({ name }) => name === container)?.imageDigest);
    // Tasks that disagree tell nothing.
    return found.length > 0 && found.every((one) => one === found[0]) ? found[0] : undefined;
  });
}

/** Repository → digest; undefined where one of the set is not told. */
function ofSet(
  { app }: EcsService,
  digestIn: (container: string) => string | undefined,
): Record<string, string> | undefined {
  const digests: Record<string, string> = {};
  for (const { repository, containers } of app.images) {
    const digest = containers.map(digestIn).find(Boolean);
    if (!digest) return undefined;
    digests[repository] = digest;
  }
  return digests;
}
