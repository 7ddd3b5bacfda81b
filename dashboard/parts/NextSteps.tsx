/** What a person can do now about an app's road, beside opening the gate. */
import { ActionButton } from '../actions/ActionButton.js';
import { unlock } from '../actions/deployments.js';
import { lockQueue, reject, resolve, retryPromotion, unlockQueue } from '../actions/promotions.js';
import { release } from '../actions/releases.js';
import { possibleOf } from '../model/next.js';
import type { Road } from '../model/road.js';

export function NextSteps({ road }: { road: Road }) {
  const { app, queue, releaseOnly, hasQueue } = road;
  const current = queue?.current;
  const possible = queue && possibleOf(queue);
  const choices = possible?.resolve ?? [];
  return (
    <p class="buttons next">
      {possible?.retry && current && (
        <ActionButton action={() => retryPromotion(app, current)}>Retry</ActionButton>
      )}
      {choices.length > 0 && (
        <ActionButton action={() => resolve(app, choices)}>
          {choices.length === 1 && choices[0] === 'restore-staging' ? 'Restore staging' : 'Resolve'}
        </ActionButton>
      )}
      {possible?.reject && current && <ActionButton action={() => reject(app, current)}>Reject</ActionButton>}
      {[road.staging, road.production].map(
        (place) =>
          place?.lane.lock && (
            <ActionButton key={place.environment} action={() => unlock(place)}>
              {`Unlock ${place.environment}`}
            </ActionButton>
          ),
      )}
      {queue &&
        (queue.lock ? (
          <ActionButton action={() => unlockQueue(app)}>Unlock promotions</ActionButton>
        ) : (
          <ActionButton action={() => lockQueue(app)}>Lock promotions</ActionButton>
        ))}
      {(releaseOnly || !hasQueue) && (
        <ActionButton action={() => release(app, { releaseOnly })}>Release</ActionButton>
      )}
    </p>
  );
}
