/** What the command line shows, as text. No I/O. */
import type { CodeEntry } from '../domain/codes.js';
import { CODES, isCode } from '../domain/codes.js';
import type { Dossier, NameChanges, StoppedTasks } from '../domain/deployment.js';
import { shortTag } from '../domain/summary.js';
import type { AppView, Problem, ShownDeployment } from './client.js';

/** Control characters in what others wrote (ECS, a reason, build output) must not reach the terminal. */
// eslint-disable-next-line no-control-regex
export const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();

/** `8s`, `2m 05s`, `1h 03m` */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  return minutes < 60
    ? `${minutes}m ${two(seconds % 60)}s`
    : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

/** Since it was asked for: waiting for the turn is part of what the person waits for. */
export const elapsed = (view: ShownDeployment, now: Date): string => {
  const end = view.finishedAt ? Date.parse(view.finishedAt) : now.getTime();
  return duration(end - Date.parse(view.queuedAt));
};

/** `new 1/2, 1 starting, 3 failed; old 2` */
export function tasks({ rollout }: ShownDeployment): string {
  if (!rollout) return '';
  const { running, desired, pending, failed, previousRunning } = rollout;
  const fresh = [
    `new ${running}/${desired}`,
    ...(pending ? [`${pending} starting`] : []),
    ...(failed ? [`${failed} failed`] : []),
  ];
  return `${fresh.join(', ')}; old ${previousRunning}`;
}

/** Names of variables and secrets that differ from what ran before: `variables +NEW -GONE ~CHANGED`. */
export function changedNames({ variables, secrets }: Pick<ShownDeployment, 'variables' | 'secrets'>): string {
  const marked = (sign: string, kind: keyof NameChanges): string[] =>
    [...(variables?.[kind] ?? []), ...(secrets?.[kind] ?? [])].map((name) => sign + name);
  const names = [...marked('+', 'added'), ...marked('-', 'removed'), ...marked('~', 'changed')];
  return names.length > 0 ? `variables ${names.join(' ')}` : '';
}

/** The line that is written over again and again on a terminal, never longer than it is wide. */
export function liveLine(view: ShownDeployment, now: Date, width: number): string {
  const { state, step, position, build } = view;
  const where =
    state === 'queued' && step !== 'build' ? `queued${position ? ` (${position} before it)` : ''}` : step;
  const doing = step === 'build' && build ? [build.phase, build.image].filter(Boolean).join(' ') : '';
  const parts = [
    elapsed(view, now),
    where ?? state,
    doing,
    step === 'build' ? '' : tasks(view),
    waitLine(view),
  ];
  const line = parts.filter((part) => part !== '').join(' · ');
  return plain(line).slice(0, Math.max(10, width - 1));
}

/** A line for everything that was not told before: steps, counts, waits, warnings, each ECS event once. */
export class Teller {
  readonly #told = new Set<string>();
  readonly #last = new Map<string, string>();

  /** Lines for what is new in this state, each with the time since it began. */
  next(view: ShownDeployment, now: Date): string[] {
    const lines = [
      ...this.#events(view),
      ...this.#changed('build', buildLine(view)),
      ...this.#changed('step', stepLine(view)),
      ...this.#changed('names', changedNames(view)),
      ...this.#changed('tasks', tasks(view)),
      ...this.#changed('wait', waitLine(view)),
      ...this.#once(
        view.warnings.map(({ code, message }) => [code + message, `warning ${code}: ${message}`]),
      ),
    ];
    return lines.map((line) => `${elapsed(view, now).padStart(7)}  ${plain(line)}`);
  }

  #changed(what: string, line: string): string[] {
    if ((this.#last.get(what) ?? '') === line) return [];
    this.#last.set(what, line);
    return line === '' ? [] : [line];
  }

  #events({ rollout }: ShownDeployment): string[] {
    const events = rollout?.events ?? [];
    return this.#once(events.map(({ at, message }) => [at + message, `ECS ${at.slice(11, 19)} ${message}`]));
  }

  #once(lines: [key: string, line: string][]): string[] {
    const fresh = lines.filter(([key]) => !this.#told.has(key));
    for (const [key] of fresh) this.#told.add(key);
    return fresh.map(([, line]) => line);
  }
}

function stepLine({ state, step, position }: ShownDeployment): string {
  if (state === 'finished') return '';
  if (state === 'queued' && step !== 'build') {
    return position ? `queued: ${position === 1 ? 'one goes' : `${position} go`} before it` : 'queued';
  }
  return step ? `step ${step}` : state;
}

const buildLine = ({ build }: ShownDeployment): string =>
  build ? `build: ${[build.phase, build.image].filter(Boolean).join(' ')}` : '';

/** Rule 9: why, since when, who can end it and how. Step `build` says by itself that its images are built. */
export function waitLine({ waitingFor }: Pick<ShownDeployment, 'waitingFor'>): string {
  if (!waitingFor || waitingFor.code === 'BUILDING') return '';
  const { code, since, detail, who, actions } = waitingFor;
  const why = `waits: ${detail} (${code} since ${since.slice(11, 16)} UTC)`;
  if (who.startsWith('nobody')) return `${why}; it ends by itself`;
  return `${why}; who can end it: ${who}${actions.length > 0 ? `; how: ${actions.join(', or ')}` : ''}`;
}

/** How it ended: in one line where it succeeded, else with the step, the reason, what can be done, the dossier. */
export function report(view: ShownDeployment): string[] {
  const what = `${view.app} on ${view.environment} @ ${shortTag(view.tag ?? '?')}`;
  const took = elapsed(view, new Date(view.finishedAt ?? view.queuedAt));
  if (view.outcome === 'succeeded') {
    const doubt = view.verified === false ? `, not verified: ${unverified(view)}` : '';
    return [`✓ ${what} succeeded in ${took}${doubt}`].map(plain);
  }
  const { failure, supersededBy, dossier } = view;
  return [
    `✗ ${what} ${view.outcome ?? 'ended'} after ${took}`,
    ...(failure ? failureLines(failure) : []),
    ...(supersededBy ? [`  replaced by  ${supersededBy}`] : []),
    ...(dossier ? dossierLines(dossier) : []),
  ].map((line) => line.replace(/\S.*/s, plain));
}

const unverified = ({ steps }: ShownDeployment): string =>
  steps.find(({ name }) => name === 'verify')?.detail ?? 'it could not be read';

function failureLines({ step, code, message }: NonNullable<ShownDeployment['failure']>): string[] {
  const { text, who, actions } = entryOf(code);
  return [
    `  step         ${step}`,
    `  reason       ${text} [${code}]`,
    ...(message && message !== text ? [`               ${message}`] : []),
    ...(actions.length > 0 ? [`  what to do   ${actions.join(', or ')} (${who})`] : []),
  ];
}

/** An API that is newer than this may know more codes. */
export const entryOf = (code: string): CodeEntry =>
  isCode(code) ? CODES[code] : { text: code, who: 'a maintainer', actions: [] };

function dossierLines({ now, counts, stoppedTasks, events, lastLines = [] }: Dossier): string[] {
  return [
    ...(now ? [`  runs now     ${now}`] : []),
    ...(counts
      ? [
          `  tasks        ${counts.running} of ${counts.desired} running, ${counts.failed} failed, old ${counts.previousRunning}`,
        ]
      : []),
    ...stoppedTasks.flatMap(stoppedLines),
    ...(events.length > 0
      ? ['  ECS events', ...events.map(({ at, message }) => `    ${at.slice(11, 19)} ${message}`)]
      : []),
    ...lastLines.flatMap(({ source, lines }) => [
      `  last lines of ${source}`,
      ...lines.slice(-40).map((line) => `    ${line}`),
    ]),
  ];
}

function stoppedLines({ reason, count, exitCodes }: StoppedTasks): string[] {
  const codes = Object.entries(exitCodes).map(([container, code]) => `${container} exited with ${code}`);
  return [`  stopped      ${count} × ${reason}${codes.length > 0 ? ` (${codes.join(', ')})` : ''}`];
}

/** A refusal or an outage, in plain words. */
export function problemLines(problem: Problem, hasToken: boolean): string[] {
  const { code, message, details } = problem;
  const lines = [`✗ ${message}${code ? ` [${code}]` : ''}`];
  if (code === 'LOCKED' && typeof details?.['reason'] === 'string') {
    const { reason, by, at } = details;
    lines.push(
      `  reason       ${String(reason)}`,
      `  by           ${String(by)}`,
      `  since        ${String(at)}`,
    );
  }
  const { reason, id } = details ?? {};
  if (code === 'RELEASE_BAD' && typeof reason === 'string') lines.push(`  reason       ${reason}`);
  if (code === 'ALREADY_RELEASED' && typeof id === 'string') lines.push(`  released as  ${id}`);
  if (code === 'UNAUTHENTICATED' && !hasToken)
    lines.push('  what to do   set GITHUB_TOKEN to a token of yours');
  else if (code && CODES[code].actions.length > 0) {
    lines.push(`  what to do   ${CODES[code].actions.join(', or ')}`);
  }
  return lines.map((line) => line.replace(/\S.*/s, plain));
}

export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)))
      .join('  ')
      .trimEnd(),
  );
}

export function statusLines(items: readonly AppView[]): string[] {
  if (items.length === 0) return ['Nothing is configured for that.'];
  const rows = items.map((item) => [
    item.app,
    item.environment,
    item.release ? shortTag(item.release) : '?',
    item.running === undefined ? '?' : `${item.running}/${item.desired ?? '?'}`,
    laneWords(item.lane),
  ]);
  const notes = items.flatMap(({ app, environment, warnings }) =>
    warnings.map(({ code, message }) => `${app} ${environment}: ${message} [${code}]`),
  );
  const cells = [['APP', 'ENVIRONMENT', 'RELEASE', 'TASKS', 'LANE'], ...rows.map((row) => row.map(plain))];
  return [...table(cells), ...(notes.length > 0 ? ['', ...notes.map(plain)] : [])];
}

function laneWords({ lock, running, waitingCount }: AppView['lane']): string {
  const parts = [
    ...(lock ? [`locked by ${lock.by}: ${lock.reason}`] : []),
    ...(running
      ? [`${running.id} runs (${running.tag ? `${shortTag(running.tag)}, ` : ''}by ${running.actor})`]
      : []),
    ...(waitingCount > 0 ? [`${waitingCount} waiting`] : []),
  ];
  return parts.join('; ') || 'free';
}
