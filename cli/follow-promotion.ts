/** Follows a promotion, and the deployments that are its stages, until it ends. */
import type { Promotion, PromotionQueueView } from '../domain/promotion/promotion.js';
import type { ShownDeployment } from './client.js';
import { Problem } from './client.js';
import type { CliContext, Io } from './context.js';
import { EXIT } from './context.js';
import { pause } from './pause.js';
import { duration, plain, Teller, waitLine } from './render.js';
import { attemptWords, promotionName, promotionReport, testsWords } from './render-promotion.js';

export interface FollowPromotionOptions {
  /** The queue's answer to the command: told as it is, before it is asked again. */
  first: PromotionQueueView;
  id: string;
  json?: boolean;
  everyMs?: number;
}

const EVERY_MS = 1_000;
const ENDS: readonly string[] = ['promoted', 'failed', 'rejected', 'superseded', 'cancelled'];

/** @returns the exit code: 0 only where it was promoted */
export async function followPromotion(context: CliContext, options: FollowPromotionOptions): Promise<number> {
  const { client, io } = context;
  const { first, id, json, everyMs = EVERY_MS } = options;
  const { app } = first;
  const since = io.now();
  const teller = new PromotionTeller(since);
  let view = first;
  let wasApproved = false;
  try {
    for (;;) {
      const promotion = find(view, id);
      const isVoid = wasApproved && promotion?.stage === 'awaiting-approval' && !promotion.approval;
      wasApproved = promotion?.approval !== undefined;
      if (!json && promotion) await show({ context, teller, promotion, queue: view });
      if (!promotion || isVoid || ENDS.includes(promotion.stage)) {
        return conclude({ io, promotion, app, id, since, isVoid, json: json ?? false });
      }
      await pause(everyMs, io.interrupted);
      if (io.interrupted.aborted) break;
      view = await client.get<PromotionQueueView>(`/api/promotions/${encodeURIComponent(app)}`);
    }
  } finally {
    io.live?.clear();
  }
  io.err(`No longer watching; ${id} goes on. See how it stands: sluice promote status ${app}`);
  return EXIT.interrupted;
}

const find = ({ current, waiting, recent }: PromotionQueueView, id: string): Promotion | undefined =>
  [...(current ? [current] : []), ...waiting, ...recent].find((one) => one.id === id);

function conclude(of: {
  io: Io;
  promotion: Promotion | undefined;
  app: string;
  id: string;
  since: Date;
  isVoid: boolean;
  json: boolean;
}): number {
  const { io, promotion, app, id, since, isVoid, json } = of;
  io.live?.clear();
  if (!promotion) {
    io.err(`✗ ${id} has ended, too long ago for the queue to tell how: sluice history ${app} production`);
    return EXIT.failure;
  }
  if (json) io.out(JSON.stringify(promotion));
  else if (isVoid) for (const line of voidLines(promotion)) io.out(line);
  else {
    const took = duration(io.now().getTime() - since.getTime());
    for (const line of promotionReport(promotion, took)) io.out(line);
  }
  return promotion.stage === 'promoted' ? EXIT.success : EXIT.failure;
}

/** Rule 6: what was approved is not what staging, or production, is now. */
const voidLines = (promotion: Promotion): string[] => [
  plain(`✗ ${promotionName(promotion.app, promotion.release)}: its approval is void, nothing was deployed`),
  ...(promotion.waitingFor ? [`  ${plain(waitLine(promotion))}`] : []),
];

async function show(of: {
  context: CliContext;
  teller: PromotionTeller;
  promotion: Promotion;
  queue: PromotionQueueView;
}): Promise<void> {
  const { context, teller, promotion, queue } = of;
  const { io } = context;
  print(io, teller.next(promotion, queue, io.now()));
  const { stage, staging, production } = promotion;
  const id = stage === 'staging' ? staging : stage === 'production' ? production : undefined;
  const deployment = id ? await deploymentOf(context, id) : undefined;
  if (deployment) print(io, teller.deployment(deployment, io.now()));
  if (!ENDS.includes(stage)) io.live?.show(teller.live(promotion, queue, io.now(), io.live.width()));
}

function print(io: Io, lines: string[]): void {
  if (lines.length > 0) io.live?.clear();
  for (const line of lines) io.out(line);
}

/** It is about to be accepted, or long forgotten: the promotion itself still tells. */
async function deploymentOf({ client }: CliContext, id: string): Promise<ShownDeployment | undefined> {
  try {
    return await client.get<ShownDeployment>(`/api/deployments/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  }
}

/** A line for everything that was not told before; the lines of its deployments are indented below it. */
class PromotionTeller {
  readonly #told = new Set<string>();
  readonly #deployments = new Map<string, Teller>();
  readonly #since: number;
  #last = '';
  #wait = '';

  constructor(since: Date) {
    this.#since = since.getTime();
  }

  next(promotion: Promotion, queue: PromotionQueueView, now: Date): string[] {
    const { stage, tests, staging, production } = promotion;
    const deployment = stage === 'staging' ? staging : stage === 'production' ? production : undefined;
    const at = `stage ${stage}${deployment ? ` (${deployment})` : ''}`;
    const stages = at === this.#last ? [] : [at];
    this.#last = at;
    const attempts = (tests?.attempts ?? [])
      .map((one) => `tests: ${attemptWords(one)}`)
      .filter((words) => !this.#told.has(words));
    for (const words of attempts) this.#told.add(words);
    const wait = waitOf(promotion, queue);
    const waits = wait === this.#wait || wait === '' ? [] : [wait];
    this.#wait = wait;
    return [...stages, ...attempts, ...waits].map(
      (words) => `${this.#elapsed(now).padStart(7)}  ${plain(words)}`,
    );
  }

  deployment(view: ShownDeployment, now: Date): string[] {
    const teller = this.#deployments.get(view.id) ?? new Teller();
    this.#deployments.set(view.id, teller);
    return teller.next(view, now).map((line) => `         ${line.trimStart()}`);
  }

  /** The line that is written over again and again on a terminal. */
  live(promotion: Promotion, queue: PromotionQueueView, now: Date, width: number): string {
    const { stage, tests } = promotion;
    const doing = stage === 'testing' && tests ? `tests ${testsWords(tests)}` : '';
    const parts = [this.#elapsed(now), stage, doing, waitOf(promotion, queue)];
    return plain(parts.filter((part) => part !== '').join(' · ')).slice(0, Math.max(10, width - 1));
  }

  #elapsed = (now: Date): string => duration(now.getTime() - this.#since);
}

/** What holds the queue holds its current promotion. */
const waitOf = (promotion: Promotion, queue: PromotionQueueView): string =>
  (queue.current?.id === promotion.id ? waitLine(queue) : '') || waitLine(promotion);
