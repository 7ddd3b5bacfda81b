/** The queue in Temporal's UI: people follow it there without reading code. */
import { shortTag } from '../summary.js';
import type { Promotion, PromotionQueueView } from './promotion.js';

const plain = (text: string): string => text.replace(/[`\r\n|]+/g, ' ').slice(0, 300);

function line(promotion: Promotion): string {
  const { release, stage, failedStage, merges, tests, carriedBy } = promotion;
  const what = merges.length > 0 ? `: ${plain(merges.map(({ title }) => title).join('; '))}` : '';
  const where = failedStage ? `${stage} (${failedStage})` : stage;
  const tested = tests ? `, tests ${tests.state} (attempt ${tests.attempt})` : '';
  return `\`${plain(shortTag(release))}\` **${where}**${tested}${carriedBy ? ` → ${plain(carriedBy)}` : ''}${what}`;
}

const SHOWN = 20;

export function queueMarkdown(queue: PromotionQueueView): string {
  const { state, lock, waitingFor, current, waiting, waitingCount, recent } = queue;
  const lines = [`**${state}**`, ''];
  if (lock) lines.push(`locked by ${plain(lock.by)} since ${lock.at}: ${plain(lock.reason)}`, '');
  if (current) lines.push(`▶ ${line(current)}`);
  if (waitingFor) {
    const { code, since, detail, who, actions } = waitingFor;
    lines.push(
      '',
      `waits since ${since}: \`${code}\` ${plain(detail)}`,
      `- ${who}: ${actions.join(', or ')}`,
      '',
    );
  }
  for (const one of waiting.slice(0, SHOWN)) lines.push(`- ${line(one)}`);
  if (waitingCount > SHOWN) lines.push(`- and ${waitingCount - SHOWN} more`);
  if (recent.length > 0) lines.push('', 'before:', ...recent.slice(0, 5).map((one) => `- ${line(one)}`));
  return lines.join('\n');
}
