/** Messages between workflows. An answer to one that is gone must not hurt, and a missing lane is started. */
import type { Client } from '@temporalio/client';
import { buildEntity, laneEntity, noticeEntity, signalEntity } from '../../clients/entities.js';
import {
  buildWorkflowId,
  deploymentWorkflowId,
  ownerWorkflowId,
  promotionWorkflowId,
} from '../../domain/ids.js';
import type {
  BuildAsker,
  BuildResult,
  DeploymentEnded,
  LaneEnd,
  Notice,
  OutsideEnd,
  Ticket,
} from '../../domain/messages.js';
import { SIGNAL } from '../../domain/messages.js';
import type { Deployment, Target } from '../../domain/deployment.js';
import { ignoringMissing } from './missing.js';

export interface TellLane extends Target {
  ready?: Ticket;
  ended?: LaneEnd;
}

export interface Conclusion {
  lane: TellLane;
  /** The release or rollback that it belongs to. */
  owner?: { parent: NonNullable<Deployment['parent']>; ended: DeploymentEnded };
  notice: Notice;
}

export function createMessenger(client: Client) {
  const { workflow } = client;

  async function tellLane({ app, environment, ready, ended }: TellLane): Promise<void> {
    const message = ready ? { signal: SIGNAL.ready, input: ready } : { signal: SIGNAL.ended, input: ended };
    await signalEntity(client, laneEntity({ app, environment }), message);
  }

  async function tellPeople(notice: Notice): Promise<void> {
    const entity = noticeEntity(notice.deployment.id, 'notice');
    await signalEntity(client, entity, { signal: SIGNAL.notice, input: notice });
  }

  /** The app's promotion queue, where there is one: what runs has changed beside it. */
  async function tellQueue({
    id,
    kind,
    app,
    environment,
    outcome = 'failed',
    parent,
    revision,
    finishedAt,
  }: Deployment): Promise<void> {
    if (parent?.type === 'promotion') return;
    const ended: OutsideEnd = {
      ...{ id, kind, app, environment, outcome },
      // What it registers is named before it is used.
      ...(revision ? {} : { untouched: true }),
      ...(finishedAt ? { at: finishedAt } : {}),
    };
    await ignoringMissing(workflow.getHandle(promotionWorkflowId(app)).signal(SIGNAL.look, ended));
  }

  return {
    tellLane,
    tellPeople,

    /** The last thing that a deployment does: one activity for all, its lane first. */
    async conclude({ lane, owner, notice }: Conclusion): Promise<void> {
      await tellLane(lane);
      if (owner) {
        const handle = workflow.getHandle(ownerWorkflowId(owner.parent));
        await ignoringMissing(handle.signal(SIGNAL.deploymentEnded, owner.ended));
      }
      await tellQueue(notice.deployment);
      await tellPeople(notice);
    },

    /** A deployment to its lane: it gives the turn back, and waits on. */
    giveTurnBack: ({ app, environment, ticket }: Target & { ticket: Ticket }): Promise<void> =>
      signalEntity(client, laneEntity({ app, environment }), { signal: SIGNAL.giveBack, input: ticket }),

    /** Single-flight: starts the build of a commit, or joins the one that runs. */
    joinBuild: ({ commit, asker }: { commit: string; asker: BuildAsker }): Promise<void> =>
      signalEntity(client, buildEntity({ app: asker.app, commit }), { signal: SIGNAL.join, input: asker }),

    async leaveBuild({ app, commit, id }: { app: string; commit: string; id: string }): Promise<void> {
      await ignoringMissing(workflow.getHandle(buildWorkflowId(app, commit)).signal(SIGNAL.leave, { id }));
    },

    /** The deployment first: by the time its lane gives it the turn it knows what was built. */
    async answerBuild({ asker, result }: { asker: BuildAsker; result: BuildResult }): Promise<void> {
      const { app, environment, ticket } = asker;
      await ignoringMissing(workflow.getHandle(deploymentWorkflowId(ticket.id)).signal(SIGNAL.built, result));
      if (result.outcome === 'succeeded')
        await tellLane({ app, environment, ready: { ...ticket, ready: true } });
    },
  };
}
