/**
 * Workflow `notice/{promotion id}`: tells people of a promotion's changes, on each channel in order, each retried on
 * its own. Nobody waits for it (rule 8). It ends when every channel has told of the end, or given up, and begins
 * anew where the promotion goes on (retry).
 */
import { condition, defineSignal, isCancellation, log, setHandler } from '@temporalio/workflow';
import type { PromotionNews } from '../domain/messages.js';
import { SIGNAL } from '../domain/messages.js';
import { commentNews } from '../domain/promotion/comment.js';
import { isSameNews, nextNews } from '../domain/promotion/notice.js';
import { deliveries } from './effects.js';
import { wordsOf } from './failure.js';

/** What comes later begins another run. */
const SILENT_FOR = '7 days';
/** A run that was told of so much makes room for the next one. */
const MOST = 100;

export async function promotionNotice(): Promise<void> {
  const inbox: Inbox = { arrived: [], isClosed: false };
  setHandler(defineSignal<[PromotionNews]>(SIGNAL.promotionNews), (news) => {
    if (!inbox.arrived.some((one) => isSameNews(one, news))) inbox.arrived.push(news);
  });
  await Promise.all([
    waitForEnd(inbox),
    tellAll(inbox, 'the log', (news) => deliveries.deliverPromotion(news)),
    tellAll(inbox, 'Slack', (news) => deliveries.promotionSlack(news)),
    tellAll(inbox, 'GitHub', comment),
  ]);
}

interface Inbox {
  /** All of them, in order of arrival. */
  arrived: PromotionNews[];
  /** The end is there, or nothing comes for long. */
  isClosed: boolean;
}

async function waitForEnd(inbox: Inbox): Promise<void> {
  const { arrived } = inbox;
  const isDone = (): boolean => arrived.at(-1)?.change === 'ended' || arrived.length >= MOST;
  for (let seen = 0; !isDone(); seen = arrived.length) {
    const more = () => arrived.length > seen;
    if (!(await condition(more, SILENT_FOR, { summary: 'the next change' }))) break;
  }
  inbox.isClosed = true;
}

/** One channel that fails holds up no other. */
async function tellAll(
  inbox: Inbox,
  channel: string,
  tell: (news: PromotionNews) => Promise<void>,
): Promise<void> {
  const { arrived } = inbox;
  let from = 0;
  for (;;) {
    await condition(() => inbox.isClosed || from < arrived.length);
    const index = nextNews(arrived, from);
    const news = index === undefined ? undefined : arrived[index];
    if (index === undefined || !news) return;
    await orGiveUp({ channel, change: news.change }, () => tell(news));
    from = index + 1;
  }
}

/** One pull request whose comment cannot be written keeps none of the others. */
async function comment(news: PromotionNews): Promise<void> {
  for (const one of commentNews(news)) {
    const about = { channel: 'GitHub', change: news.change, pullRequest: one.pullRequest };
    await orGiveUp(about, () => deliveries.promotionComment(one));
  }
}

async function orGiveUp(about: Record<string, unknown>, tell: () => Promise<void>): Promise<void> {
  try {
    await tell();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('A notice was given up', { ...about, error: wordsOf(error) });
  }
}
