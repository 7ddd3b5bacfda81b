/**
 * Since when something is waited for. What passes by itself (AWS, GitHub or a version endpoint away for a moment)
 * covers the wait for a person and does not begin it anew: else a read that fails once a day would keep it from ever
 * being escalated.
 */
import type { Code } from '../codes.js';
import type { WaitingFor } from '../deployment.js';
import type { Unmet } from './conditions.js';
import { isLockCode, isPassing } from './conditions.js';
import type { Aside, Draft } from './state.js';
import { waits } from './state.js';

interface Wait {
  /** What was waited for until now. */
  before: WaitingFor | undefined;
  /** Keeps what is covered. */
  keeper: { aside?: Aside };
  now: Unmet;
  /** Only covers what was waited for. */
  passes?: boolean;
  /** ISO 8601: when it began, where that is known; else now. */
  from?: string;
}

export const passesByItself = (code: Code): boolean => isPassing(code) && !isLockCode(code);

export function waitOn(draft: Draft, { before, keeper, now, passes, from }: Wait): WaitingFor {
  const { code, message } = now;
  const { aside } = keeper;
  const said = (since: string): WaitingFor => waits(code, since, message);
  if (before?.code === code) return said(before.since);
  if (aside?.code === code) {
    delete keeper.aside;
    if (aside.told) draft.q.told = { code, since: aside.since, level: aside.told };
    return said(aside.since);
  }
  if (!(passes ?? passesByItself(code))) delete keeper.aside;
  else if (before) keeper.aside ??= asideOf(draft, before);
  return said(from ?? draft.now);
}

function asideOf({ q: { told } }: Draft, { code, since }: WaitingFor): Aside {
  const isTold = told?.code === code && told.since === since;
  return { code, since, ...(isTold ? { told: told.level } : {}) };
}
