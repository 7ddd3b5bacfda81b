/** Past deployments and releases as tables. No I/O. */
import { shortTag } from '../domain/summary.js';
import type { ShownDeployment, ShownRelease } from './client.js';
import { duration, elapsed, entryOf, plain, table } from './render.js';

const TEXT_CHARS = 60;

const short = (text: string): string => {
  const line = plain(text);
  return line.length > TEXT_CHARS ? `${line.slice(0, TEXT_CHARS - 1)}…` : line;
};

const when = (at: string): string => at.slice(0, 19).replace('T', ' ');

const sentence = (...parts: (string | undefined)[]): string => parts.filter(Boolean).join('; ');

const rowsOf = (head: string[], rows: string[][]): string[] =>
  table([head, ...rows.map((row) => row.map(plain))]);

/** Every kind in one list: who, when, which tag and release, how it ended, how long it took, and why. */
export function historyLines(items: readonly ShownDeployment[], now: Date): string[] {
  if (items.length === 0) return ['No deployments.'];
  const rows = items.map((view) => [
    when(view.finishedAt ?? view.startedAt ?? view.queuedAt),
    view.kind,
    view.id,
    shortTag(view.tag ?? '?'),
    view.release ? shortTag(view.release) : '?',
    view.outcome ?? view.state,
    elapsed(view, now),
    view.actor,
    sentence(
      view.failure && `${view.failure.step}: ${entryOf(view.failure.code).text}`,
      view.reason && short(view.reason),
    ),
  ]);
  return rowsOf(['WHEN (UTC)', 'KIND', 'ID', 'TAG', 'RELEASE', 'HOW', 'TOOK', 'BY', 'WHY'], rows);
}

export function releaseHistoryLines(items: readonly ShownRelease[], now: Date): string[] {
  if (items.length === 0) return ['No releases.'];
  const rows = items.map((one) => {
    const ended = one.finishedAt ? Date.parse(one.finishedAt) : now.getTime();
    const trouble = one.blocked ?? one.failure;
    return [
      when(one.finishedAt ?? one.startedAt ?? one.requestedAt),
      one.id,
      shortTag(one.tag),
      one.release ? shortTag(one.release) : '?',
      one.outcome ?? one.state,
      duration(ended - Date.parse(one.requestedAt)),
      one.actor,
      one.deployment ?? '',
      sentence(trouble && `${trouble.step}: ${entryOf(trouble.code).text}`, one.reason && short(one.reason)),
    ];
  });
  const head = ['WHEN (UTC)', 'ID', 'TAG', 'RELEASE', 'HOW', 'TOOK', 'BY', 'DEPLOYMENT', 'WHY'];
  return rowsOf(head, rows);
}
