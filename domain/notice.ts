/** What people are told of a deployment's change of state, in Slack's and GitHub's words. */
import type { Config } from './config/config.js';
import type { Deployment, Outcome } from './deployment.js';
import type { Notice } from './messages.js';
import { shortTag } from './summary.js';

export interface NoticeLinks {
  /** Where the deployment can be followed. */
  deployment?: string;
  /** The service itself. */
  app?: string;
  logs?: string;
  runbook?: string;
}

export interface SlackSection {
  type: 'section';
  /** `verbatim`: Slack makes no links and no mentions of what people wrote. */
  text: { type: 'mrkdwn'; text: string; verbatim: true };
}

export interface SlackMessage {
  /** What notifications show. */
  text: string;
  blocks: [SlackSection, SlackSection];
}

export interface SlackMessageInput {
  notice: Notice;
  links: NoticeLinks;
  /** GitHub login → Slack member id. */
  users: Record<string, string>;
}

const CHANGES: readonly Notice['change'][] = ['started', 'slow', 'ended'];

export type NoticePlace = Pick<Notice, 'change' | 'at'>;

/** Whether `one` tells of something newer; a notice that is delivered twice is not newer than itself. */
export function isLater(one: NoticePlace, than: NoticePlace): boolean {
  const difference = CHANGES.indexOf(one.change) - CHANGES.indexOf(than.change);
  return difference > 0 || (difference === 0 && one.at > than.at);
}

/**
 * What a channel tells next. Start and end are never passed over, and an earlier change is not told after a
 * later one; that it takes too long is of no interest any more once something later waits.
 * @param told the last one that was told, or given up
 */
export function nextNotice(waiting: readonly Notice[], told?: NoticePlace): Notice | undefined {
  const open = waiting.filter((one) => !told || isLater(one, told));
  const newest = (change: Notice['change']): Notice | undefined =>
    open.filter((one) => one.change === change).reduce<Notice | undefined>(laterOf, undefined);
  return newest('started') ?? newest('ended') ?? newest('slow');
}

const laterOf = (one: Notice | undefined, other: Notice): Notice =>
  one && !isLater(other, one) ? one : other;

/** The links that the configuration gives; `publicUrl` is where the API is reached. */
export function noticeLinks(config: Pick<Config, 'apps'>, one: Deployment, publicUrl?: string): NoticeLinks {
  const app = Object.hasOwn(config.apps, one.app) ? config.apps[one.app] : undefined;
  const service =
    app && Object.hasOwn(app.environments, one.environment) ? app.environments[one.environment] : undefined;
  const runbook = service?.runbookUrl ?? app?.runbookUrl;
  return {
    ...(publicUrl ? { deployment: `${publicUrl.replace(/\/+$/, '')}/deployments/${one.id}` } : {}),
    ...(service?.url ? { app: service.url } : {}),
    ...(service?.logsUrl ? { logs: service.logsUrl } : {}),
    ...(runbook ? { runbook } : {}),
  };
}

const NOUN: Record<Deployment['kind'], string> = {
  deploy: 'A deployment',
  redeploy: 'A redeployment',
  rollback: 'A rollback',
  release: 'A release',
  promotion: 'A promotion',
};

const ENDED: Record<Outcome, { icon: string; words: string; state: GitHubStatus['state'] }> = {
  succeeded: { icon: ':white_check_mark:', words: '*succeeded*', state: 'success' },
  'rolled-back': {
    icon: ':rotating_light:',
    words: '*was rolled back* to what ran before',
    state: 'failure',
  },
  failed: { icon: ':rotating_light:', words: '*failed*', state: 'failure' },
  'timed-out': { icon: ':rotating_light:', words: '*did not settle in time*', state: 'failure' },
  rejected: { icon: ':no_entry:', words: '*was rejected*: nothing was changed', state: 'error' },
  // Nothing went wrong and nothing of it runs: GitHub has no word of its own for that.
  stopped: { icon: ':octagonal_sign:', words: '*was stopped*', state: 'inactive' },
  superseded: {
    icon: ':fast_forward:',
    words: '*was superseded*: another one replaced it',
    state: 'inactive',
  },
};

const LONGEST = { name: 100, tag: 160, line: 400, why: 900, link: 600 };

/** Openverse's shape: a text and two sections, the second with the links. */
export function slackMessage({ notice, links, users }: SlackMessageInput): SlackMessage {
  const { change, deployment } = notice;
  const { reason, warnings, failure } = deployment;
  const first = `${headOf(notice)} ${subjectOf(deployment, users)} ${predicateOf(notice)}`;
  const emergency = warnings.find(({ code }) => code === 'EMERGENCY');
  const slow = change === 'slow' ? warnings.findLast(({ code }) => code === 'SLOW') : undefined;
  const told = [
    ...(emergency ? [`:warning: *Emergency*: ${escaped(emergency.message, LONGEST.line)}`] : []),
    ...(slow ? [escaped(slow.message, LONGEST.line)] : []),
    ...(change === 'ended' && failure
      ? [`Why: ${escaped(failure.message, LONGEST.why)} (${failure.step}, \`${failure.code}\`)`]
      : []),
  ];
  const asked = reason ? [`Reason given: ${escaped(reason, LONGEST.line)}`] : [];
  return {
    text: [first, ...told].join('\n'),
    blocks: [section([first, ...told, ...asked].join('\n')), section(linkLine(deployment, links))],
  };
}

export const section = (text: string): SlackSection => ({
  type: 'section',
  text: { type: 'mrkdwn', text, verbatim: true },
});

function headOf({ change, deployment: { outcome = 'failed' } }: Notice): string {
  if (change === 'started') return ':arrow_forward:';
  return change === 'slow' ? ':hourglass_flowing_sand:' : ENDED[outcome].icon;
}

function subjectOf(deployment: Deployment, users: Record<string, string>): string {
  const { kind, app, environment, tag, actor } = deployment;
  const service = escaped(`${environment}-${app}`, LONGEST.name);
  const using = tag ? ` using the \`${escaped(shortTag(tag), LONGEST.tag)}\` tag` : '';
  return `${NOUN[kind]} of *${service}*${using}, triggered by ${whoIs(actor, users)},`;
}

function predicateOf({ change, deployment: { outcome = 'failed', verified } }: Notice): string {
  if (change === 'started') return 'is starting.';
  if (change === 'slow') return '*is taking too long*.';
  const isUnproved = outcome === 'succeeded' && verified === false;
  return `${ENDED[outcome].words}${isUnproved ? ', but what runs could not be verified' : ''}.`;
}

/** Somebody who is not in the map is named, not mentioned. Logins are the same in upper and lower case. */
export function whoIs(login: string, users: Record<string, string>): string {
  const wanted = login.toLowerCase();
  const member = Object.entries(users).find(([one]) => one.toLowerCase() === wanted)?.[1];
  return member && /^[UW][A-Z0-9]+$/.test(member) ? `<@${member}>` : escaped(login, LONGEST.name);
}

function linkLine({ id }: Deployment, { deployment, app, logs, runbook }: NoticeLinks): string {
  const links = [
    link(deployment, 'Follow it'),
    link(app, 'Service'),
    link(logs, 'Logs'),
    link(runbook, 'Runbook'),
  ];
  return [`\`${escaped(id, 2 * LONGEST.tag)}\``, ...links.filter((one) => one !== undefined)].join(' · ');
}

/** One that Slack would not read as one link is left out. */
export function link(url: string | undefined, label: string): string | undefined {
  if (!url || !/^https?:\/\/[^\s<>|]+$/.test(url)) return undefined;
  const address = url.replaceAll('&', '&amp;');
  return address.length > LONGEST.link ? undefined : `<${address}|${label}>`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '`': "'" };

/**
 * What people or systems wrote, as text in mrkdwn: one line, so that formatting that it opens ends with it,
 * and nothing in it that mentions, links or leaves a code span.
 * @param longest of the result, in UTF-16 units
 */
export function escaped(text: string, longest: number): string {
  // Bounded before anything walks over it; no character takes less than one unit.
  const line = text
    .slice(0, 4 * longest)
    .replace(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ')
    .trim();
  let result = '';
  for (const character of line) {
    const next = ESCAPES[character] ?? character;
    if (result.length + next.length > longest - 1) return `${result}…`;
    result += next;
  }
  return result;
}

export interface GitHubStatus {
  state: 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';
  /** Plain words, not yet cut. */
  description: string;
}

/** The status of a GitHub Deployment after this change. */
export function githubStatus({ change, deployment }: Notice): GitHubStatus {
  const { outcome = 'failed', failure, verified, warnings } = deployment;
  const emergency = warnings.some(({ code }) => code === 'EMERGENCY') ? 'EMERGENCY: ' : '';
  const say = (state: GitHubStatus['state'], words: string): GitHubStatus => ({
    state,
    description: `${emergency}${words}`,
  });
  if (change === 'started') return say('in_progress', 'it is starting');
  if (change === 'slow') return say('in_progress', 'it is taking too long; the work goes on');
  const { state, words } = ENDED[outcome];
  if (outcome === 'succeeded') {
    return say(state, verified === false ? 'it runs, but could not be verified' : 'it runs');
  }
  return say(state, `it ${words.replaceAll('*', '')}${failure ? `. ${failure.message}` : ''}`);
}
