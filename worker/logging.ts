/** One JSON line a message on standard error; Temporal's own go through the same logger. */
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger as TemporalLogger } from '@temporalio/worker';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { BUCKETS } from './metrics.js';

/** `LOG_LEVEL`: trace, debug, info (default), warn, error, silent. */
export const createLog = (name: string): Logger =>
  pino({ name, level: process.env['LOG_LEVEL'] ?? 'info' }, pino.destination(2));

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/**
 * Once a process, before any connection.
 * @param metricsAddress `WORKER_METRICS_ADDRESS`, `host:port`: Prometheus reads `/metrics` there; absent: nowhere
 * @throws where the address cannot be listened on
 */
export function installRuntime(log: Logger, metricsAddress?: string): void {
  const child = log.child({ component: 'temporal' });
  const write = (
    level: keyof typeof LEVELS,
    message: string,
    meta?: Record<string | symbol, unknown>,
  ): void => child[LEVELS[level]](meta ?? {}, message);
  const logger: TemporalLogger = {
    log: (level, message, meta) => write(level, message, meta),
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('DEBUG', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
  Runtime.install({
    logger,
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
      ...(metricsAddress ? { metrics: { prometheus: prometheus(metricsAddress) } } : {}),
    },
  });
}

const prometheus = (bindAddress: string) => ({
  bindAddress,
  countersTotalSuffix: true,
  unitSuffix: true,
  useSecondsForDurations: true,
  histogramBucketOverrides: BUCKETS,
});
