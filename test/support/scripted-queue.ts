/**
 * Workflow `promotionQueue` that answers by a script: what the API makes of each answer and refusal is shown on
 * a real server. The release, or the reason, that comes in says what it does; what came in stands in the memo.
 */
import { ApplicationFailure } from '@temporalio/common';
import { condition, defineUpdate, setHandler, sleep, upsertMemo } from '@temporalio/workflow';
import type { Lock } from '../../domain/messages.js';
import { MEMO, UPDATE } from '../../domain/messages.js';
import type { PromotionQueueView } from '../../domain/promotion/promotion.js';

interface Told {
  by: string;
  key: string;
  release?: string;
  reason?: string;
}

const AT = '2026-03-01T10:00:00.000Z';
/** What is current: everything else is refused as not there. */
export const CURRENT = 'a'.repeat(40);
/** Longer than the other commands may take, and within what approve may. */
const LOOKS_MS = 3_500;

/** A webhook that touches nothing: finished as soon as it is taken. */
export async function delivery(): Promise<void> {}

export async function promotionQueue({ app }: { app: string }): Promise<void> {
  const told: (Told & { update: string })[] = [];
  const tried = new Set<string>();
  const locks: (Told & { update: string; lock: Lock })[] = [];
  const isDone = (update: string, input: Told): boolean =>
    told.some((one) => JSON.stringify(one) === JSON.stringify({ update, ...input }));
  let lock: Lock | undefined;
  const view = (): PromotionQueueView => ({
    ...{ app, policy: { queue: 'every-merge', approval: 'required' }, state: lock ? 'locked' : 'busy' },
    ...(lock ? { lock } : {}),
    current: {
      ...{ id: `${app}.${CURRENT}`, app, release: CURRENT, merges: [], stage: 'testing', queuedAt: AT },
    },
    ...{ waiting: [], waitingCount: 0, recent: [] },
  });
  const publish = (): void => upsertMemo({ [MEMO.promotions]: view(), told });

  const refuse = (code: string, details?: object): never => {
    throw ApplicationFailure.create({
      ...{ type: code, message: `refused: ${code}`, nonRetryable: true },
      ...(details ? { details: [details] } : {}),
    });
  };
  /** A code for a release, or for a reason, is refused with it. */
  const check = ({ release, reason }: Told): void => {
    for (const text of [release, reason]) if (text && /^[A-Z_]+$/.test(text)) refuse(text);
    if (release !== undefined && release !== CURRENT) refuse('NOT_FOUND');
  };

  for (const update of ['approve', 'reject', 'cancel', 'retryPromotion', 'resolve', 'reportTests'] as const) {
    setHandler(
      defineUpdate<PromotionQueueView, [Told]>(UPDATE[update]),
      async (input) => {
        if (isDone(update, input)) return view();
        if (input.reason === 'slow') await sleep(LOOKS_MS);
        // As a fresh read does it: the update was taken by then.
        if (input.reason === 'throttled once' && !tried.has(input.key)) {
          tried.add(input.key);
          refuse('AWS_DOWN');
        }
        told.push({ update, ...input });
        publish();
        return view();
      },
      { validator: check },
    );
  }
  const answered = (update: string, { key, reason }: Told): Lock | undefined => {
    const seen = locks.find((one) => one.update === update && one.key === key);
    return seen && seen.reason !== reason ? refuse('KEY_REUSED') : seen?.lock;
  };
  setHandler(defineUpdate<Lock, [Told]>(UPDATE.lock), (input) => {
    const done = answered('lock', input);
    if (done) return done;
    if (lock) return refuse('LOCKED', { ...lock });
    lock = { reason: input.reason ?? '', by: input.by, at: AT };
    locks.push({ update: 'lock', ...input, lock });
    publish();
    return lock;
  });
  setHandler(defineUpdate<Lock, [Told]>(UPDATE.unlock), (input) => {
    const done = answered('unlock', input);
    if (done) return done;
    const lifted = lock ?? refuse('NOT_LOCKED');
    told.push({ update: 'unlock', ...input });
    locks.push({ update: 'unlock', ...input, lock: lifted });
    lock = undefined;
    publish();
    return lifted;
  });
  publish();
  await condition(() => false);
}
