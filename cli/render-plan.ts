/** A plan as text. No I/O. */
import { shortTag } from '../domain/summary.js';
import type { ShownPlan } from './client.js';
import { changedNames, entryOf, plain } from './render.js';

const COMMITS_SHOWN = 20;

export function planLines(plan: ShownPlan): string[] {
  const { kind, app, environment, tag, release, before, warnings, refusal, tests } = plan;
  const what = `${kind} ${app} → ${environment}${tag ? ` @ ${shortTag(tag)}` : ''}`;
  const runs = before ? `${shortTag(before)} → ` : '';
  const names = changedNames(plan);
  return [
    `would ${what}`,
    ...(release ? [`  release      ${runs}${shortTag(release)}`] : []),
    ...commitLines(plan),
    ...plan.images.map(
      ({ container, before: was, after }) => `  ${container}: ${was ?? 'nothing'} → ${after}`,
    ),
    ...(names === '' ? [] : [`  ${names}`]),
    ...(tests
      ? [`  tests        ${tests.state}, attempt ${tests.attempt}${tests.url ? `: ${tests.url}` : ''}`]
      : []),
    ...warnings.map(({ code, message }) => `  warning ${code}: ${message}`),
    ...(refusal ? refusalLines(refusal) : []),
  ].map((line) => `${/^ */.exec(line)?.[0]}${plain(line)}`);
}

function commitLines({ commits, commitCount, back }: ShownPlan): string[] {
  if (commitCount === 0) return [];
  const how = back ? 'taken out' : 'brought';
  const lines = commits
    .slice(0, COMMITS_SHOWN)
    .map(({ sha, title, author }) => `    ${shortTag(sha)} ${title}${author ? ` (${author})` : ''}`);
  const more = commitCount - lines.length;
  return [
    `  ${commitCount} ${commitCount === 1 ? 'commit' : 'commits'} ${how}:`,
    ...lines,
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
}

function refusalLines({ step, code, message }: NonNullable<ShownPlan['refusal']>): string[] {
  const { who, actions } = entryOf(code);
  return [
    `✗ it would be refused at ${step}: ${message} (${code})`,
    ...(actions.length > 0 ? [`  what to do   ${actions.join(', or ')} (${who})`] : []),
  ];
}
