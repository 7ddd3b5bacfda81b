/** "Deploy to production", visibly locked or unlocked, with the reason. */
import { ActionButton } from '../actions/ActionButton.js';
import { approve } from '../actions/promotions.js';
import type { Road } from '../model/road.js';
import { gateOf } from '../model/road.js';

export function Gate({ road }: { road: Road }) {
  const { state, reason, byOverride } = gateOf(road);
  const current = road.queue?.current;
  if (state === 'absent') return <p class="hint">{reason}</p>;
  const label = `Deploy to production: ${road.app}`;
  const why = `why-${road.app}`;
  const isOpen = state === 'open' || byOverride === true;
  return (
    <>
      {current && isOpen ? (
        <ActionButton
          look="gate"
          label={label}
          describedBy={why}
          action={() => approve(road.app, current, byOverride)}
        >
          <GateIcon isOpen={state === 'open'} />
          Deploy to production{byOverride && ' …'}
        </ActionButton>
      ) : (
        <button
          type="button"
          class={`gate ${state}`}
          aria-disabled="true"
          aria-label={label}
          aria-describedby={why}
          title={reason}
        >
          <GateIcon isOpen={state === 'passing'} />
          Deploy to production
        </button>
      )}
      <p class="hint why" id={why}>
        <strong>{state === 'open' ? 'Unlocked' : state === 'passing' ? 'On its way' : 'Locked'}</strong>:{' '}
        {reason}
      </p>
    </>
  );
}

/** A sluice gate: its leaf down, or up. */
const GateIcon = ({ isOpen }: { isOpen: boolean }) => (
  <svg class={`gateicon ${isOpen ? 'up' : 'down'}`} viewBox="0 0 16 16" aria-hidden="true">
    <path d="M3 1v14M13 1v14" />
    <path class="leaf" d="M5 8h6v6H5z" />
  </svg>
);
