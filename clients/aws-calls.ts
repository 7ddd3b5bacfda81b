/** What was asked of AWS, for metrics: each call once, by how it ended. */
import type { ECRClient } from '@aws-sdk/client-ecr';
import type { ECSClient } from '@aws-sdk/client-ecs';

export interface AwsCall {
  service: 'ecs' | 'ecr';
  /** `DescribeServices` */
  operation: string;
  result: 'ok' | 'throttled' | 'refused' | 'failed';
}

export type OnAwsCall = (call: AwsCall) => void;

const THROTTLED = new Set([
  'BandwidthLimitExceeded',
  'PriorRequestNotComplete',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

interface AwsError {
  name?: unknown;
  $metadata?: { httpStatusCode?: unknown };
}

const asAwsError = (error: unknown): AwsError => (typeof error === 'object' && error !== null ? error : {});

/** By name or status 429. */
export function isThrottling(error: unknown): boolean {
  const { name, $metadata } = asAwsError(error);
  return (typeof name === 'string' && THROTTLED.has(name)) || $metadata?.httpStatusCode === 429;
}

export function observe(client: ECSClient | ECRClient, service: AwsCall['service'], onCall: OnAwsCall): void {
  // The two clients' stacks differ in types alone, and nothing of what passes is looked at.
  const stack = client.middlewareStack as ECSClient['middlewareStack'];
  stack.add(
    (next, { commandName }) =>
      async (args) => {
        const operation = (commandName ?? 'unknown').replace(/Command$/, '');
        try {
          const answer = await next(args);
          onCall({ service, operation, result: 'ok' });
          return answer;
        } catch (error) {
          onCall({ service, operation, result: resultOf(error) });
          throw error;
        }
      },
    { step: 'initialize', name: 'sluiceCalls' },
  );
}

function resultOf(error: unknown): AwsCall['result'] {
  if (isThrottling(error)) return 'throttled';
  const status = asAwsError(error).$metadata?.httpStatusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? 'refused' : 'failed';
}
