/** A promotion queue as text: what is where, what waits, and why. No I/O. */
import type {
  Approval,
  Merge,
  Promotion,
  PromotionQueueView,
  TestAttempt,
  Tests,
} from '../domain/promotion/promotion.js';
import { shortTag } from '../domain/summary.js';
import type { AppView } from './client.js';
import { duration, entryOf, plain, waitLine } from './render.js';

const RECENT = 5;
const LABEL = 13;

const line = (label: string, ...words: (string | undefined)[]): string =>
  `  ${label.padEnd(LABEL)}${words.filter(Boolean).join(' ')}`.trimEnd();

const shown = (lines: string[]): string[] => lines.map((one) => one.replace(/\S.*/s, plain));

export const promotionName = (app: string, release: string): string => `${app} @ ${shortTag(release)}`;

export const utc = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;

/** At any moment: what is where, what goes on, what waits and why, and how the last ones ended. */
export function queueLines(queue: PromotionQueueView, items: readonly AppView[], now: Date): string[] {
  const { app, policy, state, lock, current, waiting, waitingCount, recent } = queue;
  const of = (environment: string) => items.find((one) => one.app === app && one.environment === environment);
  const waits = waitLine(queue);
  return shown([
    `${app}  ${state}`,
    line('policy', `${policy.queue}, approval ${policy.approval}`),
    ...(['staging', 'production'] as const).map((name) => line(name, placeWords(of(name)))),
    ...(lock ? [line('locked', `by ${lock.by} since ${utc(lock.at)}: ${lock.reason}`)] : []),
    ...(waits ? [`  ${waits}`] : []),
    ...(current ? currentLines(current, waits, now) : [line('current', 'nothing is on its way')]),
    ...waitingLines(waiting, waitingCount, waits),
    ...recent.slice(0, RECENT).map((one, index) => line(index === 0 ? 'ended' : '', endedWords(one))),
  ]);
}

function placeWords(item: AppView | undefined): string {
  if (!item) return 'not known';
  const { release, tag, running, desired, lane } = item;
  const parts = [
    release ? shortTag(release) : 'its release is not known',
    ...(tag && tag !== release ? [`tag ${shortTag(tag)}`] : []),
    ...(running === undefined ? [] : [`${running}/${desired ?? '?'} tasks`]),
    ...(lane.running ? [`${lane.running.id} runs`] : []),
    ...(lane.lock ? [`its lane is locked by ${lane.lock.by}`] : []),
  ];
  return parts.join(', ');
}

function currentLines(promotion: Promotion, told: string, now: Date): string[] {
  const { release, stage, failedStage, merges, staging, tests, approval, production, by, reason } = promotion;
  const at = promotion.finishedAt ?? promotion.startedAt ?? promotion.queuedAt;
  const how = failedStage && stage === 'failed' ? `failed at ${failedStage}` : stage;
  const waits = waitLine(promotion);
  return [
    line('current', release, `${how}, since ${duration(now.getTime() - Date.parse(at))}`),
    ...mergeLines(merges),
    ...(staging ? [line('  to staging', staging)] : []),
    ...(tests ? testLines(tests) : []),
    ...(approval ? [line('  approved', approvalWords(approval))] : []),
    ...(production ? [line('  production', production)] : []),
    ...(by ? [line('  by', by, reason ? `: ${reason}` : '')] : []),
    ...failureLines(promotion),
    ...(waits && waits !== told ? [`    ${waits}`] : []),
  ];
}

const mergeLines = (merges: readonly Merge[]): string[] =>
  [...merges].reverse().map((merge, index) => line(index === 0 ? '  brings' : '', mergeWords(merge)));

/** `Mend the search (#12, alice)` */
export const mergeWords = ({ title, author, pullRequest }: Merge): string =>
  `${title} (${pullRequest ? `#${pullRequest}, ` : ''}${author})`;

/** More than one attempt: each is shown, for ever. */
export function testLines({ attempts, ...tests }: Tests): string[] {
  return [
    line('  tests', testsWords(tests), tests.url),
    ...(attempts.length > 1 ? attempts.map((one) => line('', attemptWords(one))) : []),
  ];
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth'];
const ordinal = (attempt: number): string => ORDINALS[attempt - 1] ?? `${attempt}th`;

/** `passed at the second attempt` */
export function testsWords({ state, attempt }: Pick<Tests, 'state' | 'attempt'>): string {
  if (state === 'running') return attempt > 1 ? `running, ${ordinal(attempt)} attempt` : 'running';
  return attempt > 1 ? `${state} at the ${ordinal(attempt)} attempt` : state;
}

export const attemptWords = ({ attempt, state, detail, url }: TestAttempt): string =>
  [`attempt ${attempt} ${state}${detail && detail !== state ? `: ${detail}` : ''}`, url]
    .filter(Boolean)
    .join('  ');

const approvalWords = ({ by, at, override, reason }: Approval): string =>
  `by ${by} at ${utc(at)}${override ? ', by override' : ''}${reason ? `: ${reason}` : ''}`;

function failureLines({ failure }: Promotion): string[] {
  if (!failure) return [];
  const { text } = entryOf(failure.code);
  return [
    line('  reason', `${text} [${failure.code}]`),
    ...(failure.message && failure.message !== text ? [line('', failure.message)] : []),
  ];
}

function waitingLines(waiting: readonly Promotion[], count: number, told: string): string[] {
  const lines = waiting.flatMap((one, index) => {
    const waits = waitLine(one);
    return [
      line(index === 0 ? `waiting (${count})` : '', one.release, newest(one)),
      ...(waits && waits !== told ? [line('', waits)] : []),
    ];
  });
  const rest = count - waiting.length;
  return rest > 0 ? [...lines, line('', `and ${rest} more`)] : lines;
}

const newest = ({ merges }: Promotion): string => {
  const last = merges.at(-1);
  return last ? mergeWords(last) : '';
};

function endedWords(promotion: Promotion): string {
  const { stage, release, carriedBy, failure, by, finishedAt } = promotion;
  const why = carriedBy
    ? `, carried by ${carriedBy}`
    : failure
      ? `: ${failure.message || entryOf(failure.code).text}`
      : '';
  const when = finishedAt ? ` at ${utc(finishedAt)}` : '';
  return `${shortTag(release)} ${stage}${by ? ` by ${by}` : ''}${when}${why}  ${newest(promotion)}`;
}

const shortDigest = (digest: string): string => digest.replace(/^(sha256:[0-9a-f]{12}).*/, '$1');

/** Rule 6: what was approved, by its evidence. */
export function approvedLines(app: string, release: string, approval: Approval | undefined): string[] {
  const digests = Object.entries(approval?.digests ?? {}).map(
    ([repository, digest]) => `${repository} ${shortDigest(digest)}`,
  );
  return shown([
    `approved ${app} @ ${release}`,
    ...digests.map((words, index) => line(index === 0 ? 'digests' : '', words)),
    ...(approval ? [line('tests', approval.tests)] : []),
    ...(approval?.override ? [line('override', approval.reason)] : []),
  ]);
}

/** How it ended, and what can be done where it was not promoted. */
export function promotionReport(promotion: Promotion, took: string): string[] {
  const { app, release, stage, failedStage, carriedBy, by, reason, staging, production } = promotion;
  const what = promotionName(app, release);
  if (stage === 'promoted') return shown([`✓ ${what} promoted in ${took}`]);
  const deployment =
    failedStage === 'production' ? production : failedStage === 'staging' ? staging : undefined;
  const how = stage === 'failed' && failedStage ? `failed at ${failedStage}` : stage;
  return shown([
    `✗ ${what} ${how} after ${took}`,
    ...failureLines(promotion),
    ...(carriedBy ? [line('carried by', carriedBy)] : []),
    ...(by ? [line('by', by, reason ? `: ${reason}` : '')] : []),
    ...(promotion.tests && failedStage === 'testing' ? testLines(promotion.tests) : []),
    ...(deployment ? [line('deployment', `${deployment} (sluice watch ${deployment})`)] : []),
    ...(stage === 'failed'
      ? [
          line(
            'what to do',
            `sluice promote retry ${app}, or merge what mends it, or sluice promote resolve ${app} restore-staging`,
          ),
        ]
      : []),
  ]);
}
