/** What Prometheus reads of the API; all names: docs/metrics.md. */
import { Counter, Histogram, Registry } from 'prom-client';
import type { OnAwsCall } from '../clients/aws-calls.js';

/** Codes of answers that Temporal's absence, or its workers', cost. */
export const OUTAGES = ['TEMPORAL_DOWN', 'NO_WORKER', 'TOO_LATE'] as const;

export interface Metrics {
  registry: Registry;
  onAwsCall: OnAwsCall;
  /** Seconds. */
  requests: Histogram<'method' | 'route' | 'status'>;
  accepted: Counter<'app' | 'environment' | 'kind'>;
  /** By `OUTAGES`. */
  temporalErrors: Counter<'code'>;
  /** Source `github` or `ecs`; outcomes: accepted, again, ignored, refused, unavailable. */
  webhooks: Counter<'source' | 'event' | 'outcome'>;
}

export function createMetrics(registry = new Registry()): Metrics {
  const registers = [registry];
  const awsCalls = new Counter({
    name: 'sluice_aws_calls_total',
    help: 'Calls of AWS by how they ended',
    labelNames: ['service', 'operation', 'result'],
    registers,
  });
  const temporalErrors = new Counter({
    name: 'sluice_temporal_errors_total',
    help: 'Requests that could not be answered for want of Temporal or its workers',
    labelNames: ['code'],
    registers,
  });
  // A series that begins at 1 has not increased, so a rule would not see the first one.
  for (const code of OUTAGES) temporalErrors.inc({ code }, 0);
  return {
    registry,
    onAwsCall: (call) => awsCalls.inc({ ...call }),
    requests: new Histogram({
      name: 'sluice_http_request_duration_seconds',
      help: 'Time to answer, by route; streams not included',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    accepted: new Counter({
      name: 'sluice_deployments_accepted_total',
      help: 'Deployments that were accepted, repeated requests not counted',
      labelNames: ['app', 'environment', 'kind'],
      registers,
    }),
    temporalErrors,
    webhooks: new Counter({
      name: 'sluice_webhooks_total',
      help: 'Webhooks by who sent them, event, and what became of them',
      labelNames: ['source', 'event', 'outcome'],
      registers,
    }),
  };
}
