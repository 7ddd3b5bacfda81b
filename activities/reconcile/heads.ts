/** What the queues know of the branch, and what they are told of it. */
import type { Client } from '@temporalio/client';
import { Context } from '@temporalio/activity';
import { promotionsEntity, signalEntity } from '../../clients/entities.js';
import type { Config } from '../../domain/config/config.js';
import { promotionWorkflowId } from '../../domain/ids.js';
import { hasQueue, isRouted } from '../../domain/merges/routes.js';
import { MEMO, SIGNAL } from '../../domain/messages.js';
import type { KnownHead, KnownHeads } from '../../domain/merges/reconcile.js';
import { isCommit } from '../../domain/tags.js';
import { mapLimited } from '../docker/limited.js';
import { describe } from '../temporal/missing.js';
import type { LaneReader } from '../temporal/requests.js';
import type { TellPromotions } from './merges.js';

export interface HeadsDeps {
  config: Config;
  client: Client;
  readLane: LaneReader;
  tellPromotions(input: TellPromotions): Promise<void>;
}

const STAGING = 'staging';
/** Calls of Temporal at a time. */
const AT_ONCE = 10;

export function createHeads({ config, client, readLane, tellPromotions }: HeadsDeps) {
  const apps = Object.entries(config.apps);
  const queues = apps.filter(([, app]) => hasQueue(app)).map(([app]) => app);

  async function knownHead(app: string): Promise<KnownHead> {
    const memo = (await describe(client, promotionWorkflowId(app)))?.memo;
    const head = (memo?.[MEMO.promotionState] as { head?: unknown } | undefined)?.head;
    if (typeof head === 'string' && isCommit(head)) return { app, head };
    const live = (await readLane({ app, environment: STAGING }))?.live;
    return live && isCommit(live.release) ? { app, baseline: live.release } : { app };
  }

  async function look(app: string): Promise<void> {
    await signalEntity(client, promotionsEntity(app), { signal: SIGNAL.look });
  }

  return {
    /** An app that cannot be read now is left out: the next pass reads it. */
    async knownHeads(): Promise<KnownHeads> {
      const read = await eachApp(queues, knownHead);
      return {
        queues: read.flatMap(({ answer }) => (answer ? [answer] : [])),
        others: apps.filter(([, app]) => isRouted(app)).map(([app]) => app),
      };
    },

    /** Every queue looks afresh at both of its environments; one that is not there is started. @returns those not told */
    lookAfresh: async (): Promise<string[]> => untold(await eachApp(queues, look)),

    /** @returns those not told */
    async tellQueues({ told }: { told: TellPromotions[] }): Promise<string[]> {
      const news = new Map(told.map((one) => [one.app, one]));
      const tell = async (app: string): Promise<void> => {
        const one = news.get(app);
        if (one) await tellPromotions(one);
      };
      return untold(await eachApp([...news.keys()], tell));
    },
  };
}

interface Done<T> {
  app: string;
  answer?: T;
  failed?: true;
}

/** One that fails keeps none of the others. */
async function eachApp<T>(apps: readonly string[], work: (app: string) => Promise<T>): Promise<Done<T>[]> {
  const { cancellationSignal: signal, log } = Context.current();
  return await mapLimited({ items: apps, limit: AT_ONCE, signal }, async (app, _, ends): Promise<Done<T>> => {
    ends.throwIfAborted();
    try {
      return { app, answer: await work(app) };
    } catch (error) {
      log.warn('An app is left out of this pass', {
        app,
        error: error instanceof Error ? error.name : typeof error,
      });
      return { app, failed: true };
    }
  });
}

const untold = (done: readonly Done<unknown>[]): string[] =>
  done.filter(({ failed }) => failed).map(({ app }) => app);
