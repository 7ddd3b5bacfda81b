import type { Lock } from '../../domain/messages.js';
import type { Promotion, PromotionQueueView, Resolution } from '../../domain/promotion/promotion.js';
import type { AppView } from '../client.js';
import type { CliContext } from '../context.js';
import { EXIT, UsageError } from '../context.js';
import { followPromotion } from '../follow-promotion.js';
import { plain, waitLine } from '../render.js';
import { approvedLines, promotionName, queueLines } from '../render-promotion.js';
import type { AskOptions } from './deploy.js';

export interface ApproveOptions extends AskOptions {
  override?: boolean;
}

export interface Reasoned {
  reason: string;
  json?: boolean;
}

interface Named {
  app: string;
  /** Exactly as the queue has it. */
  release?: string;
}

const path = (app: string, action = ''): string => `/api/promotions/${encodeURIComponent(app)}${action}`;
const lockPath = (app: string): string => `/api/locks/promotions/${encodeURIComponent(app)}`;

/** What is where, what waits, and why; of every promoted app where none is named. */
export async function status(
  { client, io }: CliContext,
  app: string | undefined,
  { json }: { json?: boolean } = {},
): Promise<number> {
  if (app !== undefined && json) {
    io.out(JSON.stringify(await client.get<PromotionQueueView>(path(app))));
    return EXIT.success;
  }
  // The name is checked first: an unknown app's answer says which there are.
  const named = app === undefined ? [] : [await client.get<PromotionQueueView>(path(app))];
  const { items } = await client.get<{ items: AppView[] }>('/api/apps');
  const promoted = [...new Set(items.filter(({ promotion }) => promotion).map((item) => item.app))];
  const queues =
    app === undefined
      ? await Promise.all(promoted.map((name) => client.get<PromotionQueueView>(path(name))))
      : named;
  if (json) io.out(JSON.stringify({ items: queues }));
  else if (queues.length === 0) io.out('No app is promoted: none runs in both staging and production.');
  else {
    const blocks = queues.map((queue) => queueLines(queue, items, io.now()));
    for (const line of blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))) io.out(line);
  }
  return EXIT.success;
}

/** Lets production have exactly what is named, or what is current now, and follows it. */
export async function approve(context: CliContext, named: Named, options: ApproveOptions): Promise<number> {
  const { io } = context;
  const queue = await forward(context, named, 'approve', options);
  if (!options.json) {
    const found = promotionOf(queue.view, queue.release);
    for (const line of approvedLines(queue.view.app, queue.release, found?.approval)) io.out(line);
  }
  return finish(context, queue, options);
}

/** Tries the failed stage of exactly what is named, or of what is current now, and follows it. */
export async function retry(context: CliContext, named: Named, options: ApproveOptions): Promise<number> {
  const queue = await forward(context, named, 'retry', options);
  const stage = promotionOf(queue.view, queue.release)?.stage;
  if (!options.json && options.wait) {
    context.io.out(`retried ${promotionName(queue.view.app, queue.release)}${stage ? `: ${stage}` : ''}`);
  }
  return finish(context, queue, options);
}

interface Forwarded {
  view: PromotionQueueView;
  release: string;
}

async function forward(
  context: CliContext,
  { app, release: given }: Named,
  action: 'approve' | 'retry',
  { override, reason }: ApproveOptions,
): Promise<Forwarded> {
  if (override && reason === undefined) throw new UsageError('Give --reason with --override');
  const release = given ?? (await currentOf(context, app)).release;
  const view = await context.client.send<PromotionQueueView>('POST', path(app, `/${action}`), {
    release,
    ...(override ? { override } : {}),
    ...(reason === undefined ? {} : { reason }),
  });
  return { view, release };
}

async function finish(
  context: CliContext,
  { view, release }: Forwarded,
  { wait, json }: ApproveOptions,
): Promise<number> {
  const found = promotionOf(view, release);
  if (!wait || !found) {
    context.io.out(json ? JSON.stringify(view) : (found?.id ?? promotionName(view.app, release)));
    return EXIT.success;
  }
  return followPromotion(context, { first: view, id: found.id, ...(json ? { json } : {}) });
}

const promotionOf = ({ current, waiting, recent }: PromotionQueueView, release: string) =>
  [...(current ? [current] : []), ...waiting, ...recent].find((one) => one.release === release);

async function currentOf({ client }: CliContext, app: string): Promise<Promotion> {
  const { current, waitingFor } = await client.get<PromotionQueueView>(path(app));
  if (current) return current;
  const waits = waitingFor ? ` (the queue ${waitLine({ waitingFor })})` : '';
  throw new UsageError(`${app} has no current promotion${waits}: sluice promote status ${app}`);
}

/** Ends the current promotion. */
export async function reject(context: CliContext, named: Named, options: Reasoned): Promise<number> {
  const release = named.release ?? (await currentOf(context, named.app)).release;
  return end(context, { ...named, release }, { ...options, action: 'reject', done: 'rejected' });
}

/** Ends one that waits. */
export async function cancel(context: CliContext, named: Named, options: Reasoned): Promise<number> {
  const release = named.release ?? (await onlyWaiting(context, named.app));
  return end(context, { ...named, release }, { ...options, action: 'cancel', done: 'cancelled' });
}

async function onlyWaiting({ client }: CliContext, app: string): Promise<string> {
  const { waiting } = await client.get<PromotionQueueView>(path(app));
  const [one, ...more] = waiting;
  if (one && more.length === 0) return one.release;
  const what = one ? `Name one: ${waiting.map(({ release }) => release).join(', ')}` : 'nothing waits';
  throw new UsageError(one ? what : `${app}: ${what}`);
}

async function end(
  { client, io }: CliContext,
  { app, release }: Required<Named>,
  { reason, json, action, done }: Reasoned & { action: string; done: string },
): Promise<number> {
  const view = await client.send<PromotionQueueView>('POST', path(app, `/${action}`), { release, reason });
  const stage = promotionOf(view, release)?.stage;
  // A staging deployment that runs is stopped before its promotion has ended.
  const words = stage && stage !== done ? `is being ${done} (${stage})` : `is ${done}`;
  answer(io, view, `${promotionName(app, release)} ${words}`, json);
  return EXIT.success;
}

/** Says what is right where environments differ. */
export async function resolve(
  { client, io }: CliContext,
  { app, choice }: { app: string; choice: Resolution },
  { reason, json }: Reasoned,
): Promise<number> {
  const view = await client.send<PromotionQueueView>('POST', path(app, '/resolve'), { choice, reason });
  answer(io, view, `${app}: ${choice} is under way`, json);
  return EXIT.success;
}

function answer(io: CliContext['io'], view: PromotionQueueView, words: string, json = false): void {
  if (json) return io.out(JSON.stringify(view));
  io.out(plain(words));
  const waits = waitLine(view);
  if (waits) io.out(`  ${plain(waits)}`);
}

/** Lets no stage start. */
export async function lock(
  { client, io }: CliContext,
  app: string,
  { reason, json }: Reasoned,
): Promise<number> {
  const held = await client.send<Lock>('PUT', lockPath(app), { reason });
  io.out(json ? JSON.stringify(held) : `the promotions of ${app} are locked by ${held.by}`);
  return EXIT.success;
}

/** Lets what the lock held go on. */
export async function unlock(
  { client, io }: CliContext,
  app: string,
  { reason, json }: Partial<Reasoned>,
): Promise<number> {
  await client.send<void>('DELETE', lockPath(app), reason === undefined ? {} : { reason });
  io.out(json ? JSON.stringify({ app, locked: false }) : `the promotions of ${app} are unlocked`);
  return EXIT.success;
}
