/** A promotion queue that nobody answers for hours: what it asked for is asked for again, and it ends nothing. */
import { ApplicationFailure } from '@temporalio/common';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ObserveInput } from '../../activities/promotion/index.js';
import type { DeploymentRequest } from '../../domain/deployment.js';
import { promotionWorkflowId } from '../../domain/ids.js';
import type { MergesNews } from '../../domain/messages.js';
import { MEMO, QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import type { Observation } from '../../domain/promotion/read.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';
import { eventually } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

const MINUTE = 60_000;
const LIVE = '0'.repeat(40);
const MERGE = 'a'.repeat(40);
const news: MergesNews = {
  head: MERGE,
  merges: [{ sha: MERGE, title: 'Merged', author: 'ann', mergedBy: 'alice', position: 2 }],
};

let temporal: TestTemporal;
let worker: Worker;
let running: Promise<void>;
const asked: DeploymentRequest[] = [];
let reads = 0;

function observation({ epoch }: ObserveInput): Observation {
  const runs = { release: LIVE, primary: 'ecs-svc/1', digests: { image: `sha256:${LIVE}` } };
  return {
    epoch,
    settings: {
      policy: { queue: 'latest', approval: 'required' },
      ...{ remindAfterMs: 60 * MINUTE, escalateAfterMs: 240 * MINUTE },
      limits: { tellAfterMs: 15 * MINUTE, giveUpAfterMs: 60 * MINUTE, verifyMs: MINUTE },
    },
    ...{ staging: runs, production: runs, bad: [], lanes: { staging: [], production: [] } },
    relations: {
      head: MERGE,
      positions: { [LIVE]: 1, [MERGE]: 2 },
      contains: { [LIVE]: [LIVE], [MERGE]: [LIVE, MERGE] },
    },
  };
}

/** What an activity's total bound ends it with, once nobody has taken it for so long. */
const unanswered = (): never => {
  throw ApplicationFailure.nonRetryable('nobody answers', 'NO_WORKER');
};

beforeAll(async () => {
  temporal = await connect();
  worker = await temporal.createWorker({
    taskQueue: QUEUE.main,
    activities: {
      recoverPromotions: async () => undefined,
      tellPromotionPeople: async () => undefined,
      observePromotion: async (input: ObserveInput) =>
        (reads += 1) <= 2 ? unanswered() : observation(input),
      requestDeployment: async (request: DeploymentRequest) => {
        asked.push(request);
        return asked.length === 1 ? unanswered() : { id: request.id, position: 0, again: false };
      },
    },
  });
  running = worker.run();
});
afterAll(async () => {
  worker?.shutdown();
  await running;
  await temporal?.close();
});

it('a read that comes to nothing is taken up again; a deployment that nobody took is asked for again', async () => {
  const handle = await temporal.client.workflow.signalWithStart(WORKFLOW.promotionQueue, {
    workflowId: promotionWorkflowId('api'),
    taskQueue: QUEUE.main,
    args: [{ app: 'api' }],
    signal: SIGNAL.merges,
    signalArgs: [news],
  });
  const view = async (): Promise<PromotionQueueView | undefined> =>
    (await handle.describe()).memo?.[MEMO.promotions] as PromotionQueueView | undefined;
  await eventually(
    async () => expect((await view())?.waitingFor).toMatchObject({ code: 'NO_WORKER' }),
    60_000,
  );
  expect((await view())?.waiting).toMatchObject([{ release: MERGE, stage: 'queued' }]);
  await eventually(async () => expect((await view())?.current?.stage).toBe('staging'), 60_000);
  await eventually(() => expect(asked).toHaveLength(2), 60_000);
  expect(asked[1]).toEqual({ ...asked[0], queuedAt: asked[1]?.queuedAt });
  expect((await view())?.current).toMatchObject({ release: MERGE, stage: 'staging', staging: asked[0]?.id });
  expect((await handle.describe()).status.name).toBe('RUNNING');
});
