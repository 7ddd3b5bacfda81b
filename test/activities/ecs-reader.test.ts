import type { DescribeServicesCommandOutput } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLimiter } from '../../activities/ecs/limiter.js';
import { createReader } from '../../activities/ecs/reader.js';
import type { DescribeServices, EcsReader, ServiceKey } from '../../activities/ecs/reader.js';

const key = (n: number, cluster = 'one'): ServiceKey => ({
  environment: 'staging',
  group: ` us-east-1 ${cluster}`,
  cluster,
  service: `service-${n}`,
});
const answer = (services: string[]): DescribeServicesCommandOutput => ({
  $metadata: {},
  services: services.map((serviceName) => ({ serviceName, status: 'ACTIVE', desiredCount: 1 })),
});
const throttled = Object.assign(new Error('Rate exceeded'), {
  name: 'ThrottlingException',
  $metadata: { httpStatusCode: 400 },
});
const denied = Object.assign(new Error('no'), {
  name: 'AccessDeniedException',
  $metadata: { httpStatusCode: 400 },
});

interface Sent {
  at: number;
  cluster: string;
  services: string[];
}

function setup(
  callsPerSecond: number,
  respond: (sent: Sent, n: number) => Promise<DescribeServicesCommandOutput>,
) {
  const sent: Sent[] = [];
  const describeServices: DescribeServices = async ({ cluster, services }) => {
    const one = { at: Date.now(), cluster, services };
    sent.push(one);
    return await respond(one, sent.length);
  };
  const limiter = createLimiter(callsPerSecond);
  return { sent, limiter, reader: createReader({ describe: describeServices, limiter }) };
}

const promptly = async ({ services }: Sent): Promise<DescribeServicesCommandOutput> => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return answer(services);
};

/** A watch that reads every 800 ms; tells when its reads began. */
function follow(reader: EcsReader, of: ServiceKey, until: number): number[] {
  const reads: number[] = [];
  void (async () => {
    while (Date.now() < until) {
      const last = reads.at(-1);
      const { begunAt } = await reader.read(of, { at: last === undefined ? Date.now() : last + 800 });
      reads.push(begunAt);
    }
  })();
  return reads;
}

const mostInASecond = (times: number[]): number =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length));
const gaps = (times: number[]): number[] => times.slice(1).map((at, n) => at - (times[n] ?? 0));
const percentile = (values: number[], p: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * p)] ?? 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the shared reader', () => {
  it('reads services of a cluster together, ten a call, and each once', async () => {
    const { sent, reader } = setup(10, promptly);
    const reads = Array.from({ length: 25 }, (_, n) => reader.read(key(n), { at: Date.now() }));
    const twice = reader.read(key(0), { at: Date.now() });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await Promise.all([...reads, twice])).toHaveLength(26);
    expect(sent.map(({ services }) => services.length)).toEqual([10, 10, 5]);
    expect(new Set(sent.flatMap(({ services }) => services)).size).toBe(25);
  });

  it('keeps clusters apart', async () => {
    const { sent, reader } = setup(10, promptly);
    const reads = [reader.read(key(1), { at: Date.now() }), reader.read(key(2, 'two'), { at: Date.now() })];
    await vi.advanceTimersByTimeAsync(500);
    await Promise.all(reads);
    expect(sent.map(({ cluster }) => cluster)).toEqual(['one', 'two']);
  });

  it('reads one service about every 0.8 s', async () => {
    const { reader } = setup(5, promptly);
    const reads = follow(reader, key(1), Date.now() + 10_000);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(reads.length).toBeGreaterThanOrEqual(12);
    for (const gap of gaps(reads)) expect(gap).toBeLessThan(850);
  });

  it('serves a hundred watches with ten calls a second, each at least every 1.5 s', async () => {
    const { sent, reader } = setup(10, promptly);
    const until = Date.now() + 20_000;
    const reads = Array.from({ length: 100 }, (_, n) => follow(reader, key(n), until));
    await vi.advanceTimersByTimeAsync(22_000);
    expect(mostInASecond(sent.map(({ at }) => at))).toBeLessThanOrEqual(10);
    const all = reads.flatMap(gaps);
    expect(percentile(all, 0.95)).toBeLessThan(1_500);
    expect(Math.max(...all)).toBeLessThan(2_500);
  });

  it('shares the budget between clusters', async () => {
    const { sent, reader } = setup(5, promptly);
    const until = Date.now() + 10_000;
    for (let n = 0; n < 20; n++) follow(reader, key(n, `cluster-${n}`), until);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(mostInASecond(sent.map(({ at }) => at))).toBeLessThanOrEqual(5);
    expect(new Set(sent.map(({ cluster }) => cluster)).size).toBe(20);
  });

  it('waits out throttling, slower, and no watch hears of it', async () => {
    const { sent, reader } = setup(10, async (one, n) => {
      if (n % 3 === 0) throw throttled;
      return await promptly(one);
    });
    const until = Date.now() + 20_000;
    const reads = Array.from({ length: 30 }, (_, n) => follow(reader, key(n), until));
    await vi.advanceTimersByTimeAsync(25_000);
    for (const times of reads) {
      expect(times.length).toBeGreaterThan(8);
      expect(Math.max(...gaps(times))).toBeLessThan(5_000);
    }
    expect(mostInASecond(sent.map(({ at }) => at))).toBeLessThanOrEqual(10);
  });

  it('asks seldom during an outage, and goes on after it', async () => {
    let down = true;
    const { sent, reader } = setup(10, async (one) => {
      if (down) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      return await promptly(one);
    });
    const read = reader.read(key(1), { at: Date.now() });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sent.length).toBeLessThan(25);
    down = false;
    await vi.advanceTimersByTimeAsync(15_000);
    await expect(read).resolves.toMatchObject({ status: 'ACTIVE' });
  });

  it('tells a refusal only when it has lasted', async () => {
    const { reader } = setup(10, async () => Promise.reject(denied));
    const read = reader.read(key(1), { at: Date.now() });
    const settled = vi.fn();
    read.then(settled, settled);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(read).rejects.toMatchObject({ type: 'AWS_REFUSED' });
  });

  it('tells a service and a cluster that are not there', async () => {
    const { reader } = setup(10, async ({ cluster }) => {
      if (cluster === 'none')
        throw Object.assign(new Error('x'), {
          name: 'ClusterNotFoundException',
          $metadata: { httpStatusCode: 400 },
        });
      return Promise.resolve({ $metadata: {}, services: [], failures: [{ arn: 'x', reason: 'MISSING' }] });
    });
    const reads = Promise.all([
      reader.read(key(1), { at: Date.now() }),
      reader.read(key(1, 'none'), { at: Date.now() }),
    ]);
    await vi.advanceTimersByTimeAsync(500);
    expect((await reads).map(({ status }) => status)).toEqual(['MISSING', 'MISSING']);
  });

  it('lets a watch go at once, also while its call is on its way', async () => {
    const { sent, reader } = setup(10, async () => await new Promise(() => undefined));
    const ends = new AbortController();
    const read = reader.read(key(1), { at: Date.now(), signal: ends.signal });
    const later = reader.read(key(2), { at: Date.now() + 5_000, signal: ends.signal });
    const rejected = Promise.allSettled([read, later]);
    await vi.advanceTimersByTimeAsync(100);
    ends.abort();
    expect((await rejected).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(sent).toHaveLength(1);
  });

  it('starts again after it had nothing to read', async () => {
    const { sent, reader } = setup(10, promptly);
    for (let n = 0; n < 3; n++) {
      const read = reader.read(key(n), { at: Date.now() });
      await vi.advanceTimersByTimeAsync(1_000);
      await read;
    }
    expect(sent).toHaveLength(3);
  });
});

describe('the limiter', () => {
  it('gives reads of tasks every third call while watches wait', async () => {
    const limiter = createLimiter(10);
    const order: string[] = [];
    const take = async (kind: 'watch' | 'tasks'): Promise<void> => {
      await limiter.turn(kind);
      order.push(kind);
    };
    const turns = [
      ...Array.from({ length: 6 }, () => take('watch')),
      ...Array.from({ length: 3 }, () => take('tasks')),
    ];
    await vi.advanceTimersByTimeAsync(2_000);
    await Promise.all(turns);
    expect(order).toEqual(['watch', 'watch', 'tasks', 'watch', 'watch', 'tasks', 'watch', 'watch', 'tasks']);
  });

  it('drops a turn that nobody waits for any more', async () => {
    const limiter = createLimiter(1);
    const ends = new AbortController();
    const first = limiter.turn('tasks');
    const second = limiter.turn('tasks', ends.signal);
    const third = limiter.turn('tasks');
    const gone = expect(second).rejects.toThrow();
    ends.abort();
    await gone;
    await vi.advanceTimersByTimeAsync(1_100);
    await expect(Promise.all([first, third])).resolves.toHaveLength(2);
  });
});
