/** A release as text: what changed, and how it ended. No I/O. */
import { shortTag } from '../domain/summary.js';
import type { ShownDeployment, ShownRelease } from './client.js';
import { duration, entryOf, plain, Teller, waitLine } from './render.js';

export const releaseElapsed = ({ requestedAt, finishedAt }: ShownRelease, now: Date): string =>
  duration((finishedAt ? Date.parse(finishedAt) : now.getTime()) - Date.parse(requestedAt));

/** The line that is written over again and again on a terminal. */
export function releaseLine(release: ShownRelease, now: Date, width: number): string {
  const step = release.steps.find(({ state }) => state === 'running')?.name ?? release.state;
  const line = [releaseElapsed(release, now), step, waitLine(release)]
    .filter((part) => part !== '')
    .join(' · ');
  return plain(line).slice(0, Math.max(10, width - 1));
}

/** A line for everything that was not told before; its deployment's lines are indented below it. */
export class ReleaseTeller {
  readonly #told = new Set<string>();
  #wait = '';
  #deployments = new Map<string, Teller>();

  next(release: ShownRelease, now: Date): string[] {
    const wait = release.state === 'running' ? waitLine(release) : '';
    const waits = wait === this.#wait || wait === '' ? [] : [wait];
    this.#wait = wait;
    const steps = release.steps
      .filter(({ state }) => state !== 'pending')
      .map(({ name, state, detail }) => {
        const how = state === 'running' ? 'step' : state;
        return `${how === 'step' ? `step ${name}` : `${name} ${how}`}${detail ? `: ${detail}` : ''}`;
      });
    const warnings = release.warnings.map(({ code, message }) => `warning ${code}: ${message}`);
    // A step that is tried again says the same again.
    const fresh = [...steps, ...warnings].filter(
      (line) => !this.#told.has(`${release.retries ?? 0} ${line}`),
    );
    for (const line of fresh) this.#told.add(`${release.retries ?? 0} ${line}`);
    return [...fresh, ...waits].map((line) => `${releaseElapsed(release, now).padStart(7)}  ${plain(line)}`);
  }

  deployment(view: ShownDeployment, now: Date): string[] {
    const teller = this.#deployments.get(view.id) ?? new Teller();
    this.#deployments.set(view.id, teller);
    return teller.next(view, now).map((line) => `         ${line.trimStart()}`);
  }
}

/** How it ended, or why it is blocked and what can be done. */
export function releaseReport(release: ShownRelease, now: Date): string[] {
  const { id, tag, outcome, blocked, failure, releaseUrl, pullRequest } = release;
  const what = `${id} @ ${shortTag(tag)}`;
  const made = [
    ...(releaseUrl ? [`  release      ${releaseUrl}`] : []),
    ...(pullRequest ? [`  changelog    ${pullRequest}`] : []),
  ];
  const took = releaseElapsed(release, now);
  if (outcome === 'succeeded') return shown([`✓ ${what} released in ${took}`, ...made]);
  if (blocked) {
    return shown([
      `✗ ${what} is blocked after ${took}`,
      ...reasons(blocked),
      `  what to do   sluice release retry ${id} — or sluice release abandon ${id}`,
      ...made,
    ]);
  }
  return shown([
    `✗ ${what} ${outcome ?? release.state} after ${took}`,
    ...(failure ? [...reasons(failure), ...failure.exists.map((one) => `  exists       ${one}`)] : []),
    ...(release.first ? [`  released as  ${release.first}`] : []),
    ...made,
  ]);
}

const shown = (lines: string[]): string[] => lines.map((line) => line.replace(/\S.*/s, plain));

function reasons({ step, code, message }: { step: string; code: string; message: string }): string[] {
  const { text } = entryOf(code);
  return [
    `  step         ${step}`,
    `  reason       ${text} [${code}]`,
    ...(message && message !== text ? [`               ${message}`] : []),
  ];
}
