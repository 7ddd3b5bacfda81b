/**
 * What Prometheus reads of a worker, beside the SDK's own metrics and at the same address. Taken at the border of
 * the activities, so that none of them knows of it. All names: docs/metrics.md. The exporter adds `_total` to counters.
 */
import { Context } from '@temporalio/activity';
import type { MetricMeter } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { OnAwsCall } from '../clients/aws-calls.js';
import type { Conclusion } from '../activities/temporal/messenger.js';
import type { Config } from '../domain/config/config.js';
import { KINDS, OUTCOMES } from '../domain/deployment.js';
import type { Deployment } from '../domain/deployment.js';
import { detectionSeconds } from '../domain/rollout/detection.js';
import type { Glance, Stabilised } from '../domain/effects.js';

/** Seconds. A rollout takes minutes, a wait may take hours; to see one that has ended takes less than a second. */
export const BUCKETS = {
  sluice_deployment_duration_seconds: [30, 60, 120, 180, 300, 450, 600, 900, 1_800, 3_600],
  sluice_deployment_wait_seconds: [1, 10, 60, 300, 900, 3_600, 14_400, 86_400],
  sluice_detection_seconds: [0.1, 0.2, 0.5, 0.8, 1, 2, 5, 10, 30],
};

export interface WorkerMetrics {
  inbound: ActivityInboundCallsInterceptor;
  onAwsCall: OnAwsCall;
}

/** @param apps whose deployments may end here; a build worker ends none */
export function createWorkerMetrics(meter: MetricMeter, apps: Config['apps']): WorkerMetrics {
  const ended = meter.createCounter('sluice_deployments_ended', undefined, 'Deployments by outcome');
  // A series that begins at 1 has not increased, so a rule would not see the first one.
  for (const tags of endings(apps)) ended.add(0, tags);
  const histogram = (name: keyof typeof BUCKETS, help: string) =>
    meter.createHistogram(name, 'float', undefined, help);
  const duration = histogram('sluice_deployment_duration_seconds', 'From its turn to its end');
  const wait = histogram('sluice_deployment_wait_seconds', 'From acceptance to its turn');
  const detection = histogram(
    'sluice_detection_seconds',
    'From ECS’s word that it is at rest to the verdict',
  );
  const calls = meter.createCounter('sluice_aws_calls', undefined, 'Calls of AWS by how they ended');

  const onEnd = ({ app, environment, kind, outcome = 'failed', ...times }: Deployment): void => {
    const tags = { app, environment, kind };
    ended.add(1, { ...tags, outcome });
    const { queuedAt, startedAt, finishedAt } = times;
    if (!startedAt || !finishedAt) return;
    duration.record(between(startedAt, finishedAt), { ...tags, outcome });
    wait.record(between(queuedAt, startedAt), tags);
  };
  const onVerdict = (seen: Stabilised, by: 'watch' | 'event'): void => {
    const seconds = detectionSeconds(seen, new Date().toISOString());
    if (seconds !== undefined) detection.record(seconds, { by });
  };

  return {
    onAwsCall: ({ service, operation, result }) => calls.add(1, { service, operation, result }),
    inbound: {
      async execute(input, next) {
        const result = await next(input);
        switch (Context.current().info.activityType) {
          case 'conclude':
            onEnd((input.args[0] as Conclusion).notice.deployment);
            break;
          case 'stabilise':
            onVerdict(result as Stabilised, 'watch');
            break;
          case 'glance': {
            const { stabilised } = result as Glance;
            if (stabilised) onVerdict(stabilised, 'event');
          }
        }
        return result;
      },
    },
  };
}

const endings = (apps: Config['apps']): Record<'app' | 'environment' | 'kind' | 'outcome', string>[] =>
  Object.entries(apps).flatMap(([app, { environments }]) =>
    Object.keys(environments).flatMap((environment) =>
      KINDS.flatMap((kind) => OUTCOMES.map((outcome) => ({ app, environment, kind, outcome }))),
    ),
  );

const between = (from: string, to: string): number => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
