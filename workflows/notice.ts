/**
 * Workflow `notice/{deployment id}`: tells people of a deployment's changes, on each channel in order, each
 * retried on its own. Nobody waits for it (rule 8). It ends when every channel has told of the end, or given up.
 */
import { condition, defineSignal, log, patched, setHandler } from '@temporalio/workflow';
import type { Notice } from '../domain/messages.js';
import { SIGNAL } from '../domain/messages.js';
import { nextNotice, type NoticePlace } from '../domain/notice.js';
import { deliveries } from './effects.js';
import { wordsOf } from './failure.js';

/** Longer than any deployment lives: one that was terminated never tells its end. */
const GIVEN_UP_AFTER = '7 days';

/** `deliver` is the log. */
const CHANNELS = ['deliver', 'noticeGitHub', 'noticeSlack'] as const;

export async function notice(first?: Notice): Promise<void> {
  const arrived: Notice[] = first ? [first] : [];
  setHandler(defineSignal<[Notice]>(SIGNAL.notice), (one) => void arrived.push(one));
  if (!patched('notice-channels')) return await tellTheLog(arrived);

  const inbox: Inbox = { arrived, isClosed: false };
  await Promise.all([waitForEnd(inbox), ...CHANNELS.map((channel) => tellAll(channel, inbox))]);
}

interface Inbox {
  /** All of them, in order of arrival: a handful in a deployment's life. */
  arrived: Notice[];
  /** The end is there, or will not come. */
  isClosed: boolean;
}

async function waitForEnd(inbox: Inbox): Promise<void> {
  const { arrived } = inbox;
  for (let seen = 0; !arrived.some(isEnd); seen = arrived.length) {
    const more = () => arrived.length > seen;
    if (!(await condition(more, GIVEN_UP_AFTER, { summary: 'the next change' }))) break;
  }
  inbox.isClosed = true;
}

const isEnd = ({ change }: Notice): boolean => change === 'ended';

/** One channel that fails holds up no other. */
async function tellAll(channel: (typeof CHANNELS)[number], inbox: Inbox): Promise<void> {
  let told: NoticePlace | undefined;
  const next = () => nextNotice(inbox.arrived, told);
  for (;;) {
    await condition(() => inbox.isClosed || next() !== undefined);
    const one = next();
    if (!one) return;
    try {
      await deliveries[channel](one);
    } catch (error) {
      log.warn('A notice was given up', { channel, change: one.change, error: wordsOf(error) });
    }
    told = one;
  }
}

/** Before there were channels; histories of then are replayed by it. */
async function tellTheLog(waiting: Notice[]): Promise<void> {
  for (;;) {
    if (!(await condition(() => waiting.length > 0, GIVEN_UP_AFTER, { summary: 'the next change' }))) return;
    const next = waiting.shift();
    if (!next) continue;
    try {
      await deliveries.deliver(next);
    } catch (error) {
      log.warn('A notice was given up', { change: next.change, error: wordsOf(error) });
    }
    if (next.change === 'ended' && waiting.length === 0) return;
  }
}
