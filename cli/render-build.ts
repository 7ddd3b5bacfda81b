/** A build as text. No I/O. */
import type { Build } from '../domain/build.js';
import { shortTag } from '../domain/summary.js';
import { duration, entryOf, plain, waitLine } from './render.js';

const LINES_SHOWN = 20;

const since = (began: Date, now: Date): string => duration(now.getTime() - began.getTime());

/** @returns the line, and what of it is news */
export function buildWords(build: Build, began: Date, now: Date): { what: string; line: string } {
  const { progress } = build;
  const phase = progress ? `${progress.phase}${progress.image ? ` ${progress.image}` : ''}` : 'waits';
  const what = plain([phase, waitLine(build)].filter((part) => part !== '').join(' · '));
  return { what, line: `${since(began, now).padStart(7)}  ${what}` };
}

export function buildReport(build: Build, began: Date, now: Date): string[] {
  const { app, commit, outcome, images, failure, lastLines = [] } = build;
  const what = `${app} @ ${shortTag(commit)}`;
  if (outcome === 'succeeded') {
    const names = images.map(({ repository, digest }) => `  ${plain(`${repository}@${digest}`)}`);
    return [`✓ ${what} built in ${since(began, now)}`, ...names];
  }
  const { text, actions, who } = entryOf(failure?.code ?? 'BUILD_FAILED');
  return [
    `✗ ${what} ${outcome ?? 'failed'}: ${plain(failure?.message ?? text)}`,
    ...lastLines.slice(-LINES_SHOWN).map((line) => `    ${plain(line)}`),
    ...(actions.length > 0 ? [`  what to do   ${actions.join(', or ')} (${who})`] : []),
  ];
}
