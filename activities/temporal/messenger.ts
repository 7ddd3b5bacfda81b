/** Messages between workflows. An answer to one that is gone must not hurt, and a missing lane is started. */
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { deploymentWorkflowId, laneWorkflowId, buildWorkflowId, noticeWorkflowId } from '../../domain/ids.js';
import type { BuildResult, LaneEnd, Notice, Ticket } from '../../domain/messages.js';
import { QUEUE, SIGNAL, WORKFLOW } from '../../domain/messages.js';
import type { Target } from '../../domain/deployment.js';

export interface TellLane extends Target {
  ready?: Ticket;
  ended?: LaneEnd;
}

export interface JoinBuild {
  app: string;
  commit: string;
  /** Deployment id. */
  asker: string;
}

export function createMessenger(client: Client) {
  const { workflow } = client;

  async function tellLane({ app, environment, ready, ended }: TellLane): Promise<void> {
    await workflow.signalWithStart(WORKFLOW.lane, {
      workflowId: laneWorkflowId({ app, environment }),
      taskQueue: QUEUE.main,
      args: [{ app, environment }],
      signal: ready ? SIGNAL.ready : SIGNAL.ended,
      signalArgs: [ready ?? ended],
    });
  }

  async function tellPeople(notice: Notice): Promise<void> {
    await workflow.signalWithStart(WORKFLOW.notice, {
      workflowId: noticeWorkflowId(notice.deployment.id),
      taskQueue: QUEUE.main,
      args: [],
      signal: SIGNAL.notice,
      signalArgs: [notice],
    });
  }

  return {
    tellLane,
    tellPeople,

    /** The last thing that a deployment does: one activity for both, its lane first. */
    async conclude(input: { lane: TellLane; notice: Notice }): Promise<void> {
      await tellLane(input.lane);
      await tellPeople(input.notice);
    },

    /** Single-flight: starts the build of a commit, or joins the one that runs. */
    async joinBuild({ app, commit, asker }: JoinBuild): Promise<void> {
      await workflow.signalWithStart(WORKFLOW.build, {
        workflowId: buildWorkflowId(app, commit),
        taskQueue: QUEUE.main,
        args: [{ app, commit }],
        signal: SIGNAL.join,
        signalArgs: [{ asker }],
      });
    },

    async leaveBuild({ app, commit, asker }: JoinBuild): Promise<void> {
      await ignoringMissing(workflow.getHandle(buildWorkflowId(app, commit)).signal(SIGNAL.leave, { asker }));
    },

    async answerBuild({ asker, result }: { asker: string; result: BuildResult }): Promise<void> {
      await ignoringMissing(workflow.getHandle(deploymentWorkflowId(asker)).signal(SIGNAL.built, result));
    },
  };
}

async function ignoringMissing(sent: Promise<void>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
