/** What Slack says of a promotion's changes. */
import { CODES, isCode } from '../codes.js';
import type { WaitingFor } from '../deployment.js';
import type { PromotionNews } from '../messages.js';
import { escaped, link, section, whoIs, type SlackMessage } from '../notice.js';
import { isCarried, mergerNameOf, testsWords, type PromotionLinks } from './notice.js';
import type { Merge, Promotion } from './promotion.js';
import { shortTag } from '../summary.js';

export interface PromotionSlackInput {
  news: PromotionNews;
  links: PromotionLinks;
  /** GitHub login → Slack member id. */
  users: Record<string, string>;
  /** `{org}/{team}` of the maintainers. */
  team: string;
}

export interface PromotionSlack {
  message: SlackMessage;
  /** For those whom it concerns: said anew, because nobody is notified of an edit. */
  call?: string;
}

const LONGEST = { name: 100, title: 160, line: 400, why: 900, list: 5 };

const ICON: Record<PromotionNews['change'], string> = {
  staging: ':truck:',
  testing: ':mag:',
  unlocked: ':unlock:',
  production: ':rocket:',
  waiting: ':hourglass_flowing_sand:',
  escalated: ':rotating_light:',
  ended: ':white_check_mark:',
};

/** @returns undefined where there is nothing to tell */
export function promotionSlack(input: PromotionSlackInput): PromotionSlack | undefined {
  const { news, links } = input;
  const { change, promotion } = news;
  if (isCarried(promotion)) return undefined;
  const line = `${iconOf(news)} ${subjectOf(promotion)} ${predicateOf(input)}`;
  const text = [line, ...detailsOf(input)].join('\n');
  const message: SlackMessage = {
    text,
    blocks: [section([text, ...broughtOf(promotion)].join('\n')), section(linkLine(promotion, links))],
  };
  return CALLS.includes(change) ? { message, call: text } : { message };
}

/** A start and a walk to production call nobody. */
const CALLS: readonly PromotionNews['change'][] = ['testing', 'unlocked', 'waiting', 'escalated', 'ended'];

function iconOf({ change, promotion: { stage } }: PromotionNews): string {
  if (change !== 'ended' || stage === 'promoted') return ICON[change];
  if (stage === 'failed') return ':rotating_light:';
  return stage === 'superseded' ? ':fast_forward:' : ':no_entry:';
}

const subjectOf = ({ app, release }: Promotion): string =>
  `*${escaped(app, LONGEST.name)}* \`${escaped(shortTag(release), LONGEST.name)}\``;

function predicateOf(input: PromotionSlackInput): string {
  const { news, links, users } = input;
  const { promotion } = news;
  const { approval } = promotion;
  const merger = mergerOf(promotion, users);
  switch (news.change) {
    case 'staging':
      return 'goes to staging.';
    case 'testing': {
      const where = link(links.staging, 'on staging') ?? 'on staging';
      return `runs on staging. ${merger}: look at it ${where} while its tests run.`;
    }
    case 'unlocked':
      return `*is unlocked for production*: ${testsWords(promotion)}. ${merger}: it waits for an approval.`;
    case 'production':
      return `goes to production${approval ? `, approved by ${whoIs(approval.by, users)}` : ''}.`;
    case 'waiting':
      return `*waits*. ${merger}: ${waitWords(promotion.waitingFor)}.`;
    case 'escalated':
      return `*still waits*. ${teamOf(input)}: ${waitWords(promotion.waitingFor)}.`;
    case 'ended':
      return endedOf(promotion, users);
  }
}

function endedOf(promotion: Promotion, users: Record<string, string>): string {
  const { stage, failedStage, carriedBy, by } = promotion;
  const who = by ? ` by ${whoIs(by, users)}` : '';
  switch (stage) {
    case 'promoted':
      return '*is in production*.';
    case 'failed':
      return `*failed*${failedStage ? ` at ${failedStage}` : ''}. ${mergerOf(promotion, users)}: it stays until it is retried or the next merge goes.`;
    case 'rejected':
      return `*was rejected*${who}.`;
    case 'cancelled':
      return `*was cancelled*${who}.`;
    case 'superseded':
      return `*was superseded*${carriedBy ? `: \`${escaped(carriedBy, LONGEST.name)}\` carries it` : ''}.`;
    case 'queued':
    case 'staging':
    case 'testing':
    case 'awaiting-approval':
    case 'production':
      return 'has ended.';
  }
}

function detailsOf({ news: { change, promotion } }: PromotionSlackInput): string[] {
  const { app, waitingFor, failure, reason, approval } = promotion;
  if (change === 'unlocked') return [`Approve: \`sluice promote approve ${escaped(app, LONGEST.name)}\``];
  if (change === 'waiting' || change === 'escalated') return actionsOf(waitingFor);
  if (change === 'production') {
    const given = approval?.reason;
    return [
      ...(approval?.override ? [':warning: What stood against it was overridden.'] : []),
      ...(given ? [`Reason given: ${escaped(given, LONGEST.line)}`] : []),
    ];
  }
  if (change !== 'ended') return [];
  return [
    ...(failure ? [`Why: ${escaped(failure.message, LONGEST.why)} (\`${escaped(failure.code, 60)}\`)`] : []),
    ...(reason ? [`Reason given: ${escaped(reason, LONGEST.line)}`] : []),
  ];
}

/** What the code means, and what is known beyond it. */
function waitWords(waits: WaitingFor | undefined): string {
  if (!waits) return 'nobody knows for what';
  const text = isCode(waits.code) ? CODES[waits.code].text : waits.code;
  const more = waits.detail === '' || waits.detail === text ? '' : `: ${escaped(waits.detail, LONGEST.why)}`;
  return `${text}${more}, since ${escaped(waits.since, LONGEST.name)}`;
}

const actionsOf = (waits: WaitingFor | undefined): string[] =>
  waits && waits.actions.length > 0
    ? [`${escaped(waits.who, LONGEST.line)} can: ${escaped(waits.actions.join('; '), LONGEST.line)}`]
    : [];

const mergerOf = (promotion: Promotion, users: Record<string, string>): string => {
  const name = mergerNameOf(promotion) ?? promotion.by;
  return name ? whoIs(name, users) : 'Whoever is concerned';
};

/** A team has no member id: its handle is named. */
const teamOf = ({ team }: PromotionSlackInput): string => `@${escaped(team, LONGEST.name)}`;

function broughtOf({ merges }: Promotion): string[] {
  const shown = merges.slice(-LONGEST.list).reverse().map(mergeLine);
  const more = merges.length - shown.length;
  return [...shown, ...(more > 0 ? [`• and ${more} earlier ones`] : [])];
}

function mergeLine({ title, pullRequest, author, sha }: Merge): string {
  const which = pullRequest ? `#${pullRequest}` : shortTag(sha);
  return `• ${escaped(title, LONGEST.title)} (${which}, ${escaped(author, LONGEST.name)})`;
}

function linkLine({ id, tests }: Promotion, links: PromotionLinks): string {
  const all = [
    link(links.queue, 'Queue'),
    link(links.staging, 'Staging'),
    link(links.stagingDeployment, 'Its deployment'),
    link(tests?.url, 'Tests'),
    link(links.production, 'Production'),
    link(links.productionDeployment, 'Its deployment there'),
  ];
  return [`\`${escaped(id, 2 * LONGEST.title)}\``, ...all.filter((one) => one !== undefined)].join(' · ');
}
