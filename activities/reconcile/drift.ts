/** Services that run something else than the last thing that was done in their lane. */
import { createHash } from 'node:crypto';
import type { Service } from '@aws-sdk/client-ecs';
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Aws } from '../../clients/aws.js';
import type { Config } from '../../domain/config/config.js';
import type { Deployment, Target } from '../../domain/deployment.js';
import { driftOf } from '../../domain/drift.js';
import { deploymentWorkflowId, driftNoticeWorkflowId } from '../../domain/ids.js';
import type { DriftNotice, LiveRelease } from '../../domain/messages.js';
import { MEMO, QUEUE, WORKFLOW } from '../../domain/messages.js';
import { TAG } from '../../domain/render.js';
import { patiently } from '../aws-again.js';
import { isSettled } from '../ecs/look.js';
import { describeRevision, serviceOf, tagValue } from '../ecs/service.js';
import { primaryOf } from '../ecs/shapes.js';
import { describe } from '../temporal/missing.js';
import type { LaneReader } from '../temporal/requests.js';

export interface DriftDeps {
  config: Config;
  aws: Pick<Aws, 'ecs'>;
  client: Client;
  readLane: LaneReader;
}

/** DescribeServices takes no more. */
const BATCH = 10;
/** People read no more of them at once; the others are found again. */
const MOST = 20;

interface Seen {
  target: Target;
  revision: string;
}

export function createDrift(deps: DriftDeps) {
  const { config, client, readLane } = deps;

  /** Read after ECS was: what a lane did in between is younger than `now`, and no drift. */
  async function judge({ target, revision }: Seen, now: Date): Promise<DriftNotice | undefined> {
    const lane = await readLane(target);
    const warning = driftOf({
      ...target,
      live: lane?.live,
      revision,
      busy: lane?.running !== undefined,
      hasPromotion: config.apps[target.app]?.promotion !== undefined,
      now,
    });
    if (!warning || !lane?.live || (await isOurLast(target, { revision, live: lane.live }))) return undefined;
    return { ...target, revision, message: warning.message, at: now.toISOString() };
  }

  /** One of ours that failed after the last success, and was left as it is: its people know. */
  async function isOurLast(
    target: Target,
    { revision, live }: { revision: string; live: LiveRelease },
  ): Promise<boolean> {
    const found = await describeRevision(serviceOf(deps, target), revision);
    const id = found && tagValue(found.tags, TAG.deployment);
    if (!id) return false;
    const run = await describe(client, deploymentWorkflowId(id));
    const finishedAt = (run?.memo?.[MEMO.deployment] as Deployment | undefined)?.finishedAt;
    return finishedAt !== undefined && finishedAt > live.at;
  }

  return {
    /** What cannot be read now is left out: the next pass reads it. */
    async findDrift(): Promise<DriftNotice[]> {
      const { log } = Context.current();
      const found: DriftNotice[] = [];
      for (const batch of batchesOf(config)) {
        const now = new Date();
        try {
          for (const seen of await settledIn(deps, batch)) {
            const drift = await judge(seen, now);
            if (drift) found.push(drift);
          }
        } catch (error) {
          Context.current().cancellationSignal.throwIfAborted();
          log.warn('Services are left out of this pass', {
            services: batch.map(({ app, environment }) => `${environment}-${app}`),
            error: error instanceof Error ? error.name : typeof error,
          });
        }
      }
      return found.slice(0, MOST);
    },

    /** Once for what runs and what should. */
    async tellDrift(drift: DriftNotice): Promise<void> {
      const hash = createHash('sha256').update(drift.message).digest('hex').slice(0, 12);
      try {
        await client.workflow.start(WORKFLOW.driftNotice, {
          workflowId: driftNoticeWorkflowId(drift, hash),
          taskQueue: QUEUE.main,
          args: [drift],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
  };
}

/** Targets of one environment each. */
function batchesOf({ apps, environments }: Config): Target[][] {
  return Object.keys(environments).flatMap((environment) => {
    const targets = Object.keys(apps)
      .filter((app) => apps[app] && Object.hasOwn(apps[app].environments, environment))
      .map((app) => ({ app, environment }));
    const count = Math.ceil(targets.length / BATCH);
    return Array.from({ length: count }, (_, n) => targets.slice(n * BATCH, (n + 1) * BATCH));
  });
}

async function settledIn(deps: DriftDeps, targets: readonly Target[]): Promise<Seen[]> {
  const [first] = targets;
  if (!first) return [];
  const { client, cluster } = serviceOf(deps, first);
  const names = targets.map((target) => serviceOf(deps, target).service);
  const { cancellationSignal: abortSignal } = Context.current();
  const { services = [] } = await patiently(() =>
    client.send(new DescribeServicesCommand({ cluster, services: names }), { abortSignal }),
  );
  return targets.flatMap((target, n) => {
    const service = services.find(({ serviceName, serviceArn }) =>
      [serviceName, serviceArn].includes(names[n]),
    );
    const revision = service && settledRevision(service);
    return revision ? [{ target, revision }] : [];
  });
}

function settledRevision(service: Service): string | undefined {
  const primary = primaryOf(service);
  if (service.status !== 'ACTIVE' || !primary || !isSettled(service, primary)) return undefined;
  return primary.taskDefinition;
}
