/** What can be done about a deployment, and where to look further. */
import { ActionButton } from '../actions/ActionButton.js';
import { retryDeployment, rollBack, stop } from '../actions/deployments.js';
import { retryPromotion } from '../actions/promotions.js';
import { useStore } from '../live/store.js';
import type { ShownDeployment } from '../model/types.js';
import { Out, releasePath } from './names.js';

export function DeploymentActions({ deployment }: { deployment: ShownDeployment }) {
  const { state, outcome, environment, links } = deployment;
  const isOver = state === 'finished';
  return (
    <div class="actions">
      <p class="buttons">
        {!isOver && (
          <ActionButton look="danger" action={() => stop(deployment)}>
            Stop
          </ActionButton>
        )}
        {isOver && outcome !== 'succeeded' && <Retry deployment={deployment} />}
        {isOver && (
          <ActionButton action={() => rollBack(deployment)}>{`Roll ${environment} back`}</ActionButton>
        )}
      </p>
      <p class="links">
        <Out href={links.logs}>logs</Out>
        <Out href={links.runbook}>runbook</Out>
        <Out href={links.app}>the app</Out>
        <Out href={links.ecs}>ECS</Out>
        <Out href={links.temporal}>Temporal</Out>
        <Out href={links.github}>GitHub</Out>
      </p>
    </div>
  );
}

/** What belongs to something is tried again through it (design §4). */
function Retry({ deployment }: { deployment: ShownDeployment }) {
  const { parent, app, tag } = deployment;
  const current = useStore((state) => state.world.queues.get(app)?.current);
  if (parent?.type === 'release') {
    return (
      <a class="button main" href={releasePath(parent.id)}>
        To its release, to retry
      </a>
    );
  }
  if (parent?.type === 'rollback') return null;
  if (parent) {
    const isLast =
      current !== undefined && (current.production === deployment.id || current.staging === deployment.id);
    const over =
      isLast && current.stage === 'failed'
        ? undefined
        : 'Its promotion has moved on since: retry that, on the road';
    return (
      <ActionButton
        look="main"
        unless={over}
        action={() => retryPromotion(app, current ?? unknownPromotion(deployment))}
      >
        Retry
      </ActionButton>
    );
  }
  return (
    <ActionButton
      look="main"
      unless={tag ? undefined : 'It has no tag that could be deployed again'}
      action={() => retryDeployment(deployment)}
    >
      Retry
    </ActionButton>
  );
}

/** Stands in the dialog that says why it cannot be retried. */
const unknownPromotion = ({ app, release, tag, queuedAt }: ShownDeployment) => ({
  ...{ id: '', app, release: release ?? tag ?? '', merges: [], queuedAt },
  stage: 'failed' as const,
});
