/**
 * One reader for all watches of a worker process: services of a cluster are read together, ten a call, when
 * the first of them is due. Throttling and outages make it slower; the watches only wait longer.
 */
import type { DescribeServicesCommandOutput } from '@aws-sdk/client-ecs';
import type { ServiceRead } from '../../domain/rollout/rollout.js';
import { isThrottling } from '../../clients/aws-calls.js';
import { awsErrorName, awsFailure } from '../aws-errors.js';
import type { Limiter } from './limiter.js';
import { missingService, toServiceRead } from './shapes.js';

/** DescribeServices takes no more. */
const BATCH = 10;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 10_000;
/** A refusal may be a policy that is just being mended, or a role that is being replaced. */
const REFUSED_FOR_MS = 60_000;

export interface ServiceKey {
  /** Name of the environment, whose client is used. */
  environment: string;
  /** Account, region and cluster: services with the same are read together. */
  group: string;
  cluster: string;
  service: string;
}

export interface EcsReader {
  /**
   * The next read of a service, begun about `at` (epoch milliseconds) or a little earlier, where a call to the
   * same cluster has room.
   * @throws ApplicationFailure where AWS has been refusing for a minute; the signal's reason
   */
  read(key: ServiceKey, options: { at: number; signal?: AbortSignal }): Promise<ServiceRead>;
}

export type DescribeServices = (input: {
  environment: string;
  cluster: string;
  services: string[];
}) => Promise<DescribeServicesCommandOutput>;

interface Waiting {
  key: ServiceKey;
  at: number;
  resolve(read: ServiceRead): void;
  reject(error: Error): void;
}

interface Group {
  failures: number;
  notBefore: number;
  refusedSince?: number;
}

export function createReader(deps: { describe: DescribeServices; limiter: Limiter }): EcsReader {
  const { describe, limiter } = deps;
  const waiting = new Set<Waiting>();
  const groups = new Map<string, Group>();
  let running = false;
  let wake = (): void => undefined;

  const groupOf = (name: string): Group => {
    const group = groups.get(name) ?? { failures: 0, notBefore: 0 };
    groups.set(name, group);
    return group;
  };
  const dueAt = (one: Waiting): number => Math.max(one.at, groupOf(one.key.group).notBefore);

  const take = (now: number): Waiting[] => {
    const due = [...waiting].sort((a, b) => dueAt(a) - dueAt(b));
    const [first] = due;
    if (!first || dueAt(first) > now) return [];
    const services = new Set<string>();
    const batch = due.filter(({ key }) => {
      if (key.group !== first.key.group) return false;
      if (services.size < BATCH) services.add(key.service);
      return services.has(key.service);
    });
    for (const one of batch) waiting.delete(one);
    return batch;
  };

  const send = async (batch: Waiting[]): Promise<void> => {
    const [first] = batch;
    if (!first) return;
    const { environment, cluster, group: name } = first.key;
    const group = groupOf(name);
    const begunAt = Date.now();
    try {
      const services = [...new Set(batch.map(({ key }) => key.service))];
      const answer = await describe({ environment, cluster, services });
      limiter.succeeded();
      Object.assign(group, { failures: 0, notBefore: 0, refusedSince: undefined });
      for (const one of batch) one.resolve(readOf(answer, one.key, begunAt));
    } catch (error) {
      failed(error, { batch, group, begunAt });
    }
  };

  const failed = (error: unknown, at: { batch: Waiting[]; group: Group; begunAt: number }): void => {
    const { batch, group, begunAt } = at;
    if (awsErrorName(error) === 'ClusterNotFoundException') {
      for (const one of batch) one.resolve(missingService(begunAt));
      return;
    }
    if (isThrottling(error)) limiter.throttled();
    const failure = awsFailure(error, 'DescribeServices');
    const now = Date.now();
    group.refusedSince = failure.nonRetryable ? (group.refusedSince ?? now) : undefined;
    if (group.refusedSince !== undefined && now - group.refusedSince >= REFUSED_FOR_MS) {
      for (const one of batch) one.reject(failure);
      return;
    }
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** group.failures);
    group.failures = Math.min(group.failures + 1, 10);
    group.notBefore = now + pause * (0.8 + Math.random() * 0.4);
    for (const one of batch) if (!ended.has(one)) waiting.add(one);
    start();
  };

  /** Given up by their watch while their call was on its way. */
  const ended = new WeakSet<Waiting>();

  const sleep = async (ms: number): Promise<void> => {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  const run = async (): Promise<void> => {
    while (waiting.size > 0) {
      const next = Math.min(...[...waiting].map(dueAt));
      const ms = next - Date.now();
      if (ms > 0) {
        await sleep(ms);
        continue;
      }
      await limiter.turn('watch');
      void send(take(Date.now()));
    }
    running = false;
  };

  const start = (): void => {
    wake();
    if (running) return;
    running = true;
    void run();
  };

  return {
    read: async (key, { at, signal }) => {
      signal?.throwIfAborted();
      return await new Promise<ServiceRead>((resolve, reject) => {
        const settle = (): void => signal?.removeEventListener('abort', abort);
        const one: Waiting = {
          key,
          at,
          resolve: (read) => {
            settle();
            resolve(read);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        };
        const abort = (): void => {
          ended.add(one);
          waiting.delete(one);
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', abort, { once: true });
        waiting.add(one);
        start();
      });
    },
  };
}

function readOf(answer: DescribeServicesCommandOutput, key: ServiceKey, begunAt: number): ServiceRead {
  const service = answer.services?.find(
    ({ serviceName, serviceArn }) => serviceName === key.service || serviceArn === key.service,
  );
  return service ? toServiceRead(service, begunAt) : missingService(begunAt);
}
