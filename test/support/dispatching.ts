/** Workflow of one activity, `dispatchTests`, tried again by a real server: what an attempt leaves for the next. */
import { proxyActivities } from '@temporalio/workflow';
import type { DispatchTestsInput, TestRunRef } from '../../domain/promotion/effects.js';

const { dispatchTests } = proxyActivities<{
  dispatchTests: (input: DispatchTestsInput) => Promise<TestRunRef>;
}>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '200ms', backoffCoefficient: 1 },
});

export const dispatching = async (input: DispatchTestsInput): Promise<TestRunRef> =>
  await dispatchTests(input);
