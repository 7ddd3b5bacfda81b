/**
 * Section 6 of the design as data: from which stage what leads where. Every change of a promotion's stage goes
 * through `move`, which takes no row that is not here.
 */
import type { Draft } from './state.js';
import type { Promotion, Stage } from './promotion.js';

export const ROWS = [
  ['queued', 'start', 'staging'],
  ['queued', 'carried', 'superseded'],
  ['queued', 'cancel', 'cancelled'],
  ['queued', 'gone from the branch', 'cancelled'],
  ['staging', 'deployment succeeded', 'testing'],
  ['staging', 'deployment ended otherwise', 'failed'],
  ['staging', 'reject', 'rejected'],
  ['staging', 'newer merge', 'superseded'],
  ['testing', 'passed', 'awaiting-approval'],
  ['testing', 'no tests', 'awaiting-approval'],
  ['testing', 'failed for the last time', 'failed'],
  ['testing', 'retry after staging moved', 'staging'],
  ['testing', 'reject', 'rejected'],
  ['testing', 'environments equal', 'promoted'],
  ['testing', 'contained in what runs', 'superseded'],
  ['testing', 'adopt', 'superseded'],
  ['testing', 'adopt another', 'rejected'],
  ['testing', 'newer merge', 'superseded'],
  ['awaiting-approval', 'approve', 'production'],
  ['awaiting-approval', 'retry after staging moved', 'staging'],
  ['awaiting-approval', 'reject', 'rejected'],
  ['awaiting-approval', 'environments equal', 'promoted'],
  ['awaiting-approval', 'contained in what runs', 'superseded'],
  ['awaiting-approval', 'adopt', 'superseded'],
  ['awaiting-approval', 'adopt another', 'rejected'],
  ['awaiting-approval', 'newer merge', 'superseded'],
  ['production', 'deployment succeeded', 'promoted'],
  ['production', 'conditions do not hold', 'awaiting-approval'],
  ['production', 'deployment ended otherwise', 'failed'],
  ['failed', 'retry staging', 'staging'],
  ['failed', 'retry testing', 'testing'],
  ['failed', 'retry production', 'production'],
  ['failed', 'environments equal', 'promoted'],
] as const satisfies readonly (readonly [Stage, string, Stage])[];

export type Happening = (typeof ROWS)[number][1];

export const isRow = (from: Stage, what: Happening, to: Stage): boolean =>
  ROWS.some(([one, happening, other]) => one === from && happening === what && other === to);

const ENDS: readonly Stage[] = ['promoted', 'failed', 'rejected', 'superseded', 'cancelled'];

export const isEnd = (stage: Stage): boolean => ENDS.includes(stage);

/** @throws Error where the table has no such row: a mistake of ours */
export function move(draft: Draft, promotion: Promotion, what: Happening, to: Stage): void {
  if (!isRow(promotion.stage, what, to)) throw new Error(`no row: ${promotion.stage}, ${what} → ${to}`);
  promotion.stage = to;
  delete promotion.waitingFor;
  if (promotion.id === draft.q.current?.id) delete draft.q.work.aside;
  if (isEnd(to)) promotion.finishedAt = draft.now;
  else delete promotion.finishedAt;
}
