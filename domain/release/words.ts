/** A release in the Temporal UI: people follow it there without reading code. */
import type { Release, ReleaseInput } from './release.js';
import type { ReleasesState } from './releases.js';
import { shortTag } from '../summary.js';

/** One line: `release api-2026.01.02.03.04.05 @ 1a2b3c4 by alice`. */
export const releaseHeadline = ({ request, names }: ReleaseInput): string =>
  `release ${names.gitTag} @ ${shortTag(request.tag)} by ${request.actor}`;

const MARK = { pending: '·', running: '▶', done: '✓', failed: '✗', skipped: '–' } as const;

/** What people or systems wrote must not break out of where it stands. */
const plain = (text: string): string => text.replace(/[`\r\n|]+/g, ' ').slice(0, 500);

export function releaseMarkdown(release: Release): string {
  const lines = [`**${release.outcome ?? release.state}** \`${release.id}\``, ''];
  for (const { name, state, detail } of release.steps) {
    lines.push(`- ${MARK[state]} ${name}${detail ? `: ${plain(detail)}` : ''}`);
  }
  const { blocked, waitingFor, failure } = release;
  if (blocked) lines.push('', `blocked: \`${blocked.code}\`; ${blocked.actions.join(' or ')}`);
  else if (waitingFor) lines.push('', `waits: \`${waitingFor.code}\` ${plain(waitingFor.detail)}`);
  if (failure) {
    lines.push('', `\`${failure.code}\` ${plain(failure.message)}`);
    if (failure.exists.length > 0) lines.push('', ...failure.exists.map((one) => `- exists: ${plain(one)}`));
  }
  for (const warning of release.warnings) lines.push('', `⚠ ${plain(warning.message)}`);
  return lines.join('\n');
}

export function releasesMarkdown(state: ReleasesState): string {
  const lines = [state.running ? `▶ \`${state.running.id}\`` : 'nothing runs'];
  for (const { id } of state.waiting.slice(0, 20)) lines.push(`- \`${id}\` waits`);
  if (state.waiting.length > 20) lines.push(`- and ${state.waiting.length - 20} more`);
  for (const one of state.released.slice(-10).reverse()) {
    lines.push('', `\`${one.id}\` of ${plain(shortTag(one.tags[0] ?? ''))}`);
  }
  return lines.join('\n');
}
