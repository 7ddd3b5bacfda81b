/** `limits.callsPerSecond`: one budget of ECS reads for all watches of a worker. */

/** While both wait, reads of tasks get every third call: neither starves the other. */
const WATCHES_FIRST = 2;
/** Calls leave evenly spaced, with some room: one that is late on its way must not make a second too full. */
const SPARE = 1.1;
const SLOWEST = 0.2;

export type CallKind = 'watch' | 'tasks';

export interface Limiter {
  /** Resolves when a call may be sent now. */
  turn(kind: CallKind, signal?: AbortSignal): Promise<void>;
  /** AWS throttles: slower for a while. */
  throttled(): void;
  succeeded(): void;
}

export function createLimiter(callsPerSecond: number): Limiter {
  const waiting: Record<CallKind, (() => void)[]> = { watch: [], tasks: [] };
  let rate = callsPerSecond;
  let nextAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let watchesInARow = 0;

  const choose = (): (() => void) | undefined => {
    const tasksTurn = waiting.watch.length === 0 || watchesInARow >= WATCHES_FIRST;
    const kind: CallKind = tasksTurn && waiting.tasks.length > 0 ? 'tasks' : 'watch';
    watchesInARow = kind === 'watch' ? watchesInARow + 1 : 0;
    return waiting[kind].shift();
  };

  const grant = (): void => {
    timer = undefined;
    const now = performance.now();
    if (waiting.watch.length + waiting.tasks.length === 0) return;
    if (now >= nextAt) {
      nextAt = now + (1000 / rate) * SPARE;
      choose()?.();
    }
    if (waiting.watch.length + waiting.tasks.length > 0) {
      timer = setTimeout(grant, Math.max(0, nextAt - performance.now()));
    }
  };

  return {
    turn: async (kind, signal) => {
      signal?.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => {
          waiting[kind] = waiting[kind].filter((other) => other !== go);
          reject(signal?.reason as Error);
        };
        const go = (): void => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        signal?.addEventListener('abort', abort, { once: true });
        waiting[kind].push(go);
        if (!timer) grant();
      });
    },
    throttled: () => {
      rate = Math.max(SLOWEST, rate * 0.7);
    },
    succeeded: () => {
      rate = Math.min(callsPerSecond, rate + callsPerSecond * 0.1);
    },
  };
}
