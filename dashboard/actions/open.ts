/** The one dialog of the page: who opens it, and what it shows. */
import { useEffect, useState } from 'preact/hooks';
import type { Action } from './spec.js';

let opened: Action | undefined;
let listener: (() => void) | undefined;

export function openAction(action: Action | undefined): void {
  opened = action;
  listener?.();
}

export function useOpened(): Action | undefined {
  const [, render] = useState(0);
  useEffect(() => {
    listener = () => render((count) => count + 1);
    return () => (listener = undefined);
  }, []);
  return opened;
}
