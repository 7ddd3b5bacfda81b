/** A button that opens an action's dialog; who may not act finds it there, disabled, and is told why. */
import type { ComponentChildren } from 'preact';
import { useStore } from '../live/store.js';
import { openAction } from './open.js';
import type { Action } from './spec.js';
import { refusal } from './spec.js';

interface Props {
  action: () => Action;
  children: ComponentChildren;
  /** `main`: the one thing to do next. */
  look?: 'main' | 'plain' | 'danger' | 'gate';
  /** Why it cannot be done now, whoever asks. */
  unless?: string;
  label?: string;
  /** Id of what says more. */
  describedBy?: string;
}

export function ActionButton({ action, children, look = 'plain', unless, label, describedBy }: Props) {
  const me = useStore((state) => state.me);
  const why = unless ?? refusal(me);
  return (
    <button
      type="button"
      class={look}
      aria-label={label}
      aria-describedby={describedBy}
      aria-disabled={why ? 'true' : undefined}
      title={why}
      onClick={() => openAction(why ? explained(action(), why) : action())}
    >
      {children}
    </button>
  );
}

/** Nothing can be done in it: it says why. */
const explained = (action: Action, why: string): Action => ({ ...action, refused: why });
