/** The real stack for one file of tests: what people ask of the API, and what is counted at the AWS side. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { Client } from '@temporalio/client';
import { createTemporal } from '../../clients/temporal.js';
import { deploymentWorkflowId } from '../../domain/ids.js';
import type { DeploymentView } from '../../domain/view.js';
import type { Began, Call, ServiceRef, Timings } from '../../sandbox/aws/index.js';
import { AWS_KEYS, clusterOf, serviceOf, SERVICES } from '../../sandbox/settings.js';
import type { RunningProcess } from '../../sandbox/processes.js';
import type { ProcessName, Stack, StackOptions } from '../../sandbox/stack.js';
import { startStack } from '../../sandbox/stack.js';
import type { Answer, Ask, Asked, Person } from './ask.js';
import { askAt } from './ask.js';

export interface Lane {
  app: 'api' | 'frontend';
  environment: 'staging' | 'production';
}

export const API_STAGING: Lane = { app: 'api', environment: 'staging' };
export const API_PRODUCTION: Lane = { app: 'api', environment: 'production' };
export const FRONTEND_STAGING: Lane = { app: 'frontend', environment: 'staging' };
export const FRONTEND_PRODUCTION: Lane = { app: 'frontend', environment: 'production' };
export const LANES = [API_STAGING, API_PRODUCTION, FRONTEND_STAGING, FRONTEND_PRODUCTION];

/** A rollout of some tenths of a second. */
const QUICK: Partial<Timings> = {
  ...{ tick: 20, pull: 60, start: 60, exit: 30, unhealthy: 200 },
  ...{ drain: 80, retry: 40, settle: 40 },
};

/** For `beforeAll`: a loaded machine starts four processes slowly. */
export const START_MS = 120_000;
/** For waits: far above what anything here takes, so that only what never comes fails. */
const PATIENCE_MS = 60_000;

export type { Answer, Asked, Person };

/** What changed at a service since the ledger was opened. */
export interface Ledger {
  /** Revisions of its family, ARNs, oldest first. */
  registered: string[];
  /** Deployments that began, by what; one UpdateService that took effect is one `UpdateService`. */
  began: Began['by'][];
  history: Began[];
}

export interface Site extends Stack {
  client: Client;
  /** Whether an activity of this type has completed in a deployment's history. */
  completed(id: string, activity: string): Promise<boolean>;
  ask: Ask;
  /** Every body that was answered, as text. */
  answers: string[];
  /** Makes the app's image set without a build. @returns its tag, which is its release too */
  images(app: Lane['app'], options?: { labels?: Record<string, string> }): string;
  /** @returns the id. @throws unless it was accepted */
  deploy(lane: Lane, what: { tag: string } | { commit: string }, asked?: Asked): Promise<string>;
  read(id: string): Promise<DeploymentView>;
  /** The deployment as it ended. */
  ended(id: string, withinMs?: number): Promise<DeploymentView>;
  /** Polls the API until the deployment is as wanted. */
  becomes(id: string, what: string, wanted: (view: DeploymentView) => boolean): Promise<DeploymentView>;
  /** In the middle of its watch: the rollout has been read at least once. */
  watched(id: string): Promise<DeploymentView>;
  stopIt(id: string, reason?: string): Promise<void>;
  ledger(lane: Lane): () => Ledger;
  /** A call that a fault has just struck. */
  struck(operation: string, count?: number): Promise<Call[]>;
  /** PRIMARY is COMPLETED and alone. */
  calm(lane: Lane): Promise<void>;
  /** Of the AWS side, to look there. */
  ecs: ECSClient;
  /** What the version endpoint reports. */
  release(lane: Lane): Promise<string | undefined>;
  /** The newest process of each kind. */
  newest: Record<ProcessName, RunningProcess>;
  /** SIGKILL of the newest process of this kind. */
  kill(name: ProcessName): Promise<void>;
  /** A new one; `kill` ends it next. */
  revive(name: ProcessName, env?: NodeJS.ProcessEnv): Promise<void>;
}

export const refOf = ({ app, environment }: Lane): ServiceRef => ({
  cluster: clusterOf(environment),
  service: serviceOf(app, environment),
});

export const newTag = (): string => randomBytes(20).toString('hex');

/** @throws with what was waited for and what was there last */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`Waited ${withinMs / 1000} s in vain: ${what}`);
    await sleep(60);
  }
}

/** Without Docker, whether there is one or not: what it would add here is time. */
export async function openSite(options: Omit<StackOptions, 'docker'> = {}): Promise<Site> {
  const stack = await startStack({ ...options, docker: false, timings: { ...QUICK, ...options.timings } });
  const { aws } = stack;
  const answers: string[] = [];
  const credentials = { accessKeyId: AWS_KEYS.id, secretAccessKey: AWS_KEYS.secret };
  const ecs = new ECSClient({ endpoint: aws.url, region: 'us-east-1', credentials });
  const newest = { ...stack.processes };
  const { client, close: disconnect } = createTemporal({ address: stack.temporal.address });

  const ask = askAt(stack.apiUrl, answers);
  const read: Site['read'] = async (id) => {
    const { status, body, text } = await ask('GET', `/api/deployments/${id}`);
    if (status !== 200) throw new Error(`${id} could not be read: ${status} ${text}`);
    return body as DeploymentView;
  };
  const becomes: Site['becomes'] = async (id, what, wanted) => {
    let last: DeploymentView | undefined;
    const look = async (): Promise<DeploymentView | false> => {
      last = await read(id);
      if (wanted(last)) return last;
      if (last.state === 'finished') throw new Error(`${id} never was ${what}: ${JSON.stringify(last)}`);
      return false;
    };
    return until(`${id} is ${what}`, look).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${JSON.stringify(last)}`);
    });
  };

  return {
    ...stack,
    ask,
    answers,
    newest,
    client,
    ecs,
    close: async () => {
      ecs.destroy();
      await disconnect();
      await stack.close();
    },
    completed: async (id, activity) => {
      const { events } = await client.workflow.getHandle(deploymentWorkflowId(id)).fetchHistory();
      const scheduled = (events ?? []).flatMap(({ eventId, activityTaskScheduledEventAttributes: one }) =>
        one?.activityType?.name === activity ? [String(eventId)] : [],
      );
      return (events ?? []).some(({ activityTaskCompletedEventAttributes: one }) =>
        scheduled.includes(String(one?.scheduledEventId)),
      );
    },
    images: (app, { labels = {} } = {}) => {
      const tag = newTag();
      const [first, ...others] = Object.values(SERVICES[app].containers);
      // As in the sample: what does not start is the first container.
      if (first) aws.image({ repository: first, tag, release: tag, labels });
      for (const repository of others) aws.image({ repository, tag, release: tag });
      return tag;
    },
    deploy: async ({ app, environment }, what, asked) => {
      const body = { app, environment, ...what };
      const answer = await ask('POST', '/api/deployments', { ...asked, body });
      if (answer.status !== 202) throw new Error(`Not accepted: ${answer.status} ${answer.text}`);
      return answer.body.id as string;
    },
    read,
    becomes,
    ended: async (id, withinMs = PATIENCE_MS) => {
      let last: DeploymentView | undefined;
      const look = async (): Promise<DeploymentView | false> => {
        last = await read(id);
        return last.state === 'finished' && last;
      };
      return until(`${id} ends`, look, withinMs).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${JSON.stringify(last)}`);
      });
    },
    watched: (id) =>
      becomes(id, 'watched', ({ step, rollout }) => step === 'stabilise' && rollout !== undefined),
    stopIt: async (id, reason) => {
      const answer = await ask('POST', `/api/deployments/${id}/stop`, { body: reason ? { reason } : {} });
      if (answer.status !== 202) throw new Error(`Not stopped: ${answer.status} ${answer.text}`);
    },
    ledger: (lane) => {
      const family = serviceOf(lane.app, lane.environment);
      const revisions = aws.revisions({ family }).length;
      const begun = aws.standing(refOf(lane)).history.length;
      return () => {
        const history = aws.standing(refOf(lane)).history.slice(begun);
        return {
          registered: aws.revisions({ family }).slice(revisions),
          began: history.map(({ by }) => by),
          history,
        };
      };
    },
    struck: (operation, count = 1) => {
      const before = aws.calls({ operation }).filter(({ fault }) => fault).length;
      return until(`${operation} is struck`, () => {
        const struck = aws.calls({ operation }).filter(({ fault }) => fault);
        return struck.length >= before + count && struck.slice(before);
      });
    },
    calm: async (lane) => {
      await until(`${lane.app} is stable`, () => aws.standing(refOf(lane)).stableAt !== undefined);
    },
    release: async (lane) => {
      const response = await fetch(`${aws.serviceUrl(refOf(lane))}/version.json`);
      return ((await response.json()) as { release?: string }).release;
    },
    kill: (name) => newest[name].kill(),
    revive: async (name, env) => {
      newest[name] = await stack.start(name, env);
    },
  };
}
