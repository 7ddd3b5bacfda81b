import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createDispatchTests, PACE } from '../../activities/github/workflow-dispatch.js';
import type { DispatchTestsInput, TestRunRef } from '../../domain/promotion/effects.js';
import { testsMarker } from '../../domain/promotion/test-inputs.js';
import { startFakeGitHub, type Answer, type FakeGitHub } from '../support/fake-github.js';
import { configOf } from '../support/images.js';
import { connect, type TestTemporal } from '../support/temporal.js';

interface Run {
  id: number;
  html_url: string;
  display_title: string;
  created_at: string;
}

const MARKER = testsMarker('shop.abc', 1);

let temporal: TestTemporal;
let github: FakeGitHub;
let runs: Run[];

beforeAll(async () => {
  temporal = await connect();
}, 60_000);
afterAll(() => temporal.close());
beforeEach(async () => {
  runs = [];
  github = await startFakeGitHub(configOf([]), {
    'GET /actions/workflows/*/runs': (): Answer => ({
      body: { total_count: runs.length, workflow_runs: runs },
    }),
    'POST /actions/workflows/*/dispatches': ({ body }): Answer => {
      const { sluice = '' } = (body['inputs'] ?? {}) as { sluice?: string };
      const id = 100 + runs.length;
      const at = { html_url: `https://github.test/runs/${id}`, created_at: new Date().toISOString() };
      runs.push({ id, display_title: `Playwright ${sluice}`, ...at });
      return { isLost: true };
    },
  });
});
afterEach(() => github.close());

const dispatched = async (inputs: Record<string, string>): Promise<TestRunRef> => {
  const { dispatchTests } = createDispatchTests(
    { config: configOf([]), credentials: github.credentials },
    { ...PACE, lookForMs: 1_000, lookEveryMs: 100 },
  );
  const worker = await temporal.createWorker({
    taskQueue: 'dispatching',
    workflowsPath: fileURLToPath(new URL('../support/dispatching.ts', import.meta.url)),
    activities: { dispatchTests },
    maxHeartbeatThrottleInterval: '1s',
  });
  const input: DispatchTestsInput = {
    app: 'shop',
    release: 'a'.repeat(40),
    workflow: 'playwright.yml',
    inputs,
    marker: MARKER,
    since: new Date().toISOString(),
  };
  return await worker.runUntil(
    temporal.client.workflow.execute('dispatching', {
      args: [input],
      taskQueue: 'dispatching',
      workflowId: `dispatching-${Object.keys(inputs).length}`,
    }) as Promise<TestRunRef>,
  );
};
const posts = (): number => github.asked.filter(({ method }) => method === 'POST').length;

it('dispatches once, though every answer is lost: the next attempt takes the run', async () => {
  expect(await dispatched({ sluice: '{marker}' })).toMatchObject({ id: 100 });
  expect(posts()).toBe(1);
});

it('dispatches once also where no run shows whose it is: the next attempt knows that one was sent', async () => {
  await expect(dispatched({})).rejects.toMatchObject({
    cause: { cause: { type: 'GITHUB_FAILED', nonRetryable: true } },
  });
  expect(posts()).toBe(1);
});
