/** Where a change is, as the comment on its pull request shows it. One comment an app, edited in place. */
import { CODES, isCode } from '../codes.js';
import type { PromotionNews } from '../messages.js';
import type { PromotionLinks } from './notice.js';
import { testsWords } from './notice.js';
import type { FailedStage, Promotion } from './promotion.js';
import { plainText } from '../release/notes.js';
import { shortTag } from '../summary.js';

/** One news for one pull request: of the merges only its own stands there, so that Temporal keeps little of it. */
export interface CommentNews {
  news: PromotionNews;
  pullRequest: number;
  /** How many other merges go with it. */
  others: number;
}

/** Beyond these nobody is told at GitHub: each is some calls, at every change. */
const MOST = 50;

/** The newest ones first. */
export function commentNews(news: PromotionNews): CommentNews[] {
  const { merges } = news.promotion;
  const numbers = merges.flatMap(({ pullRequest }) => (pullRequest === undefined ? [] : [pullRequest]));
  return [...new Set(numbers.reverse())].slice(0, MOST).map((pullRequest) => {
    const own = merges.filter((merge) => merge.pullRequest === pullRequest);
    return {
      pullRequest,
      others: merges.length - own.length,
      news: { ...news, promotion: { ...news.promotion, merges: own } },
    };
  });
}

export const commentMarker = (app: string): string => `promotion of ${app}`;

export interface CommentBodyInput {
  promotion: Promotion;
  /** How many other merges go with it. */
  others: number;
  links: PromotionLinks;
  /** `{org}/{team}` of the maintainers. */
  team: string;
  escalated?: boolean;
}

/** Markdown. */
export function commentBody(input: CommentBodyInput): string {
  const { promotion, others } = input;
  const { app, release } = promotion;
  const with_ = others > 0 ? `, with ${others} other ${others === 1 ? 'merge' : 'merges'}` : '';
  return [
    `**${plainText(app)}** ${code(shortTag(release))}${with_}: ${headline(promotion)}`,
    '',
    '| staging | tests | production |',
    '| --- | --- | --- |',
    `| ${stagingCell(input)} | ${testsCell(promotion)} | ${productionCell(input)} |`,
    ...nextOf(input).flatMap((line) => ['', line]),
  ].join('\n');
}

const code = (text: string): string => `\`${text.replace(/[`\s|]+/g, ' ')}\``;

const linked = (text: string, url: string | undefined): string =>
  url && /^https?:\/\/[^\s<>()|]+$/.test(url) ? `[${text}](${url})` : text;

function headline({ stage, carriedBy }: Promotion): string {
  switch (stage) {
    case 'queued':
      return 'it waits for its turn';
    case 'staging':
      return 'it goes to staging';
    case 'testing':
      return 'it runs on staging, and its tests run';
    case 'awaiting-approval':
      return 'it runs on staging';
    case 'production':
      return 'it goes to production';
    case 'promoted':
      return '**it is in production**';
    case 'superseded':
      return carriedBy ? `it went with ${code(shortPromotion(carriedBy))}` : 'it went with another one';
    case 'failed':
    case 'rejected':
    case 'cancelled':
      return `**it ${stage === 'failed' ? 'failed' : `was ${stage}`}**`;
  }
}

/** `{app}.{release}` with a short release. */
const shortPromotion = (id: string): string => id.split('.').map(shortTag).join('.');

function stagingCell({ promotion, links }: CommentBodyInput): string {
  const { stage, staging, stagedAt } = promotion;
  if (hasFailedAt(promotion, 'staging')) return `❌ ${linked('failed', links.stagingDeployment)}`;
  if (stagedAt) {
    return `✅ ${linked('deployed', links.stagingDeployment)}${links.staging ? `: ${linked('look at it', links.staging)}` : ''}`;
  }
  if (stage === 'staging') return `⏳ ${linked('is deployed', links.stagingDeployment)}`;
  return staging ? linked('deployed', links.stagingDeployment) : '–';
}

function testsCell(promotion: Promotion): string {
  const { tests, stagedAt, stage } = promotion;
  if (!tests) return stagedAt && stage !== 'testing' ? 'none configured' : '–';
  const icon = { passed: '✅', failed: '❌', running: '⏳', inconclusive: '❔' }[tests.state];
  const words = { passed: 'passed', failed: 'failed', running: 'run', inconclusive: 'told nothing' }[
    tests.state
  ];
  return `${icon} ${linked(words, tests.url)}${tests.attempt > 1 ? ` (attempt ${tests.attempt})` : ''}`;
}

function productionCell({ promotion, links }: CommentBodyInput): string {
  const { stage, approval } = promotion;
  const by = approval ? `, approved by ${plainText(approval.by)}` : '';
  if (stage === 'promoted')
    return `✅ ${linked('deployed', links.productionDeployment ?? links.production)}${by}`;
  if (hasFailedAt(promotion, 'production')) return `❌ ${linked('failed', links.productionDeployment)}${by}`;
  if (stage === 'production') return `⏳ ${linked('is deployed', links.productionDeployment)}${by}`;
  return stage === 'awaiting-approval' ? '🔓 not yet' : '–';
}

const hasFailedAt = ({ stage, failedStage }: Promotion, at: FailedStage): boolean =>
  stage === 'failed' && failedStage === at;

/** Who can do what next, or why nobody can any more. */
function nextOf({ promotion, links, team, escalated }: CommentBodyInput): string[] {
  const { app, stage, waitingFor, failure, by, reason } = promotion;
  const command = (verb: string): string =>
    `${code(`sluice promote ${verb} ${app}`)}${links.queue ? ` or ${linked('the queue’s page', links.queue)}` : ''}`;
  const why = [
    ...(failure ? [`Why: ${plainText(cut(failure.message))} (${code(failure.code)})`] : []),
    ...(by && (stage === 'rejected' || stage === 'cancelled') ? [`By ${plainText(by)}.`] : []),
    ...(reason ? [`Reason given: ${plainText(cut(reason))}`] : []),
  ];
  if (stage === 'failed') return [...why, `A maintainer can retry it: ${command('retry')}.`];
  if (stage === 'rejected' || stage === 'cancelled') return why;
  if (waitingFor && waitingFor.code !== 'APPROVAL') {
    const text = isCode(waitingFor.code) ? CODES[waitingFor.code].text : waitingFor.code;
    const detail = waitingFor.detail === text ? '' : `: ${plainText(cut(waitingFor.detail))}`;
    const told = escalated ? `@${team}: ` : '';
    return [
      `${told}It waits: ${plainText(text)}${detail}.`,
      ...(waitingFor.actions.length > 0
        ? [`What ${plainText(waitingFor.who)} can do: ${plainText(waitingFor.actions.join('; '))}.`]
        : []),
    ];
  }
  if (stage !== 'awaiting-approval') return [];
  const told = escalated ? `@${team}: a` : 'A';
  return [
    `Unlocked for production: ${testsWords(promotion)}. ${told} maintainer can approve it: ${command('approve')}.`,
  ];
}

const LONGEST = 600;
const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
