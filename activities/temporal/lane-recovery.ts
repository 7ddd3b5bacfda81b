/** What a lane asks of Temporal: which of its deployments are alive, and what its last run left behind. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Deployment, Target } from '../../domain/deployment.js';
import { deploymentWorkflowId, laneWorkflowId } from '../../domain/ids.js';
import type { RecoveredLane } from '../../domain/lane.js';
import type { LaneView, Ticket } from '../../domain/messages.js';
import { MEMO, SEARCH_ATTRIBUTE, WORKFLOW } from '../../domain/messages.js';

/** As many as a lane is likely ever to have waiting; beyond it they enlist themselves again. */
const MOST = 1_000;

export function createLaneRecovery(client: Client) {
  const { workflow } = client;

  async function describe(id: string): Promise<WorkflowExecutionDescription | undefined> {
    try {
      return await workflow.getHandle(deploymentWorkflowId(id)).describe();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  const isAlive = async (id: string): Promise<boolean> => (await describe(id))?.status.name === 'RUNNING';

  /** The memo of the newest closed run that got as far as to write one. */
  async function lastView(target: Target): Promise<LaneView | undefined> {
    const query = `WorkflowId = '${laneWorkflowId(target)}' AND ExecutionStatus != 'Running'`;
    for await (const run of workflow.list({ query, pageSize: 10 })) {
      const { memo } = await workflow.getHandle(run.workflowId, run.runId).describe();
      const view = memo?.[MEMO.lane];
      if (view) return view as LaneView;
    }
    return undefined;
  }

  async function aliveDeployments({ app, environment }: Target): Promise<Deployment[]> {
    const found: Deployment[] = [];
    const query =
      `WorkflowType = '${WORKFLOW.deployment}' AND ExecutionStatus = 'Running'` +
      ` AND ${SEARCH_ATTRIBUTE.app} = '${app}' AND ${SEARCH_ATTRIBUTE.environment} = '${environment}'`;
    for await (const run of workflow.list({ query, pageSize: 100 })) {
      const deployment = run.memo?.[MEMO.deployment] as Deployment | undefined;
      // A memo in visibility may be late: whose turn it is comes from a strong read.
      const current = deployment && (await describe(deployment.id));
      if (current?.status.name === 'RUNNING') found.push(current.memo?.[MEMO.deployment] as Deployment);
      if (found.length >= MOST) break;
    }
    return found;
  }

  return {
    /** Ids of these deployments whose workflows have closed, however. */
    async findEnded({ ids }: { ids: string[] }): Promise<string[]> {
      const ended: string[] = [];
      for (const id of ids) if (!(await isAlive(id))) ended.push(id);
      return ended;
    },

    /**
     * Lock, bad marks, live and verified releases come from the last run's memo (a strong read); places from that memo and
     * from visibility together, because visibility lags and the memo shows only the first of those who wait.
     */
    async recoverLane(target: Target): Promise<RecoveredLane> {
      const view = await lastView(target);
      const alive = await aliveDeployments(target);
      const tickets = new Map<string, Ticket>();
      for (const ticket of [...(view?.running ? [view.running] : []), ...(view?.waiting ?? [])]) {
        if (await isAlive(ticket.id)) tickets.set(ticket.id, ticket);
      }
      for (const one of alive) if (!tickets.has(one.id)) tickets.set(one.id, ticketOfDeployment(one));
      const runningId =
        alive.find(({ state }) => state === 'running')?.id ??
        (view?.running && tickets.has(view.running.id) ? view.running.id : undefined);
      const running = runningId === undefined ? undefined : tickets.get(runningId);
      return {
        ...(view?.lock ? { lock: view.lock } : {}),
        ...(view?.live ? { live: view.live } : {}),
        verified: view?.verified ?? [],
        bad: view?.bad ?? [],
        ...(running ? { running } : {}),
        waiting: [...tickets.values()].filter(({ id }) => id !== runningId),
      };
    },
  };
}

const ticketOfDeployment = (deployment: Deployment): Ticket => ({
  id: deployment.id,
  kind: deployment.kind,
  tag: deployment.tag ?? '',
  actor: deployment.actor,
  queuedAt: deployment.queuedAt,
  ready: deployment.steps.some(
    ({ name, state }) => name === 'build' && (state === 'done' || state === 'skipped'),
  ),
});
