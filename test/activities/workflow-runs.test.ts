import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDispatchTests, type PACE } from '../../activities/github/workflow-dispatch.js';
import { createWorkflowRuns, type FollowedRun } from '../../activities/github/workflow-runs.js';
import type { Config } from '../../domain/config/config.js';
import type {
  DispatchTestsInput,
  FollowTestsInput,
  TestRunRef,
  TestsEnded,
} from '../../domain/promotion/effects.js';
import { testsMarker } from '../../domain/promotion/test-inputs.js';
import { failureOf } from '../support/failures.js';
import { startFakeGitHub, type Answer, type FakeGitHub } from '../support/fake-github.js';
import { activityEnvironment, configOf } from '../support/images.js';

interface Run {
  id: number;
  html_url: string;
  name: string;
  display_title: string;
  created_at: string;
  run_attempt: number;
  status: string;
  conclusion: string | null;
}

const MARKER = testsMarker('api.abc', 1);
const RELEASE = 'a'.repeat(40);

let config: Config;
let github: FakeGitHub;
let runs: Run[];
/** How the workflow names its runs. */
let runName: (inputs: Record<string, string>) => string;
/** Whether the server gives the run's id. */
let tellsRun: boolean;
/** Of a new run, before it is listed. */
let lagMs: number;

const runOf = (given: Partial<Run> = {}): Run => {
  const id = given.id ?? 100 + runs.length;
  const defaults = { name: 'Playwright', display_title: 'Playwright', run_attempt: 1, status: 'queued' };
  const at = { created_at: new Date().toISOString(), conclusion: null };
  return { id, html_url: `https://github.test/runs/${id}`, ...defaults, ...at, ...given };
};
/** In this test's list, also where it comes after the test. */
const show = (run: Run, afterMs: number): void => {
  const list = runs;
  if (afterMs === 0) list.push(run);
  else setTimeout(() => list.push(run), afterMs).unref();
};
const dispatched = (): number => github.asked.filter(({ method }) => method === 'POST').length;

beforeEach(async () => {
  config = configOf([], {
    environments: {
      staging: { service: 's', template: 't', family: 'f', url: 'https://staging.test' },
    },
  });
  runs = [];
  runName = ({ sluice = '' }) => `Playwright ${sluice}`;
  tellsRun = true;
  lagMs = 0;
  github = await startFakeGitHub(config, {
    'POST /actions/workflows/*/dispatches': ({ body }, workflow): Answer => {
      if (workflow !== 'playwright.yml') return { status: 404, body: { message: 'Not Found' } };
      const inputs = (body['inputs'] ?? {}) as Record<string, string>;
      const undeclared = Object.keys(inputs).filter((name) => !['url', 'sluice'].includes(name));
      if (undeclared.length > 0) {
        return {
          status: 422,
          body: { message: `Unexpected inputs provided: ${JSON.stringify(undeclared)}` },
        };
      }
      const run = runOf({ display_title: runName(inputs), created_at: new Date().toISOString() });
      show(run, lagMs);
      if (!tellsRun) return { status: 204 };
      return {
        body: { workflow_run_id: run.id, run_url: 'https://api.github.test/1', html_url: run.html_url },
      };
    },
    'GET /actions/workflows/*/runs': ({ query }, workflow): Answer => {
      if (workflow !== 'playwright.yml') return { status: 404, body: { message: 'Not Found' } };
      const [per, page] = [Number(query.get('per_page')), Number(query.get('page'))];
      const since = Date.parse((query.get('created') ?? '').replace('>=', ''));
      const all = runs.filter(({ created_at: at }) => Date.parse(at) >= since).reverse();
      expect([query.get('event'), query.get('branch')]).toEqual(['workflow_dispatch', 'main']);
      return { body: { total_count: all.length, workflow_runs: all.slice((page - 1) * per, page * per) } };
    },
    'GET /actions/runs/*': (_, id): Answer => {
      const run = runs.find((one) => String(one.id) === id);
      return run ? { body: run } : { status: 404, body: { message: 'Not Found' } };
    },
  });
});
afterEach(async () => {
  await github.close();
  expect(github.wrong).toEqual([]);
});

const INPUTS = { url: '{staging.url}', sluice: '{marker}' };
const inputOf = (given: Partial<DispatchTestsInput> = {}): DispatchTestsInput => ({
  app: 'shop',
  release: RELEASE,
  workflow: 'playwright.yml',
  inputs: INPUTS,
  marker: MARKER,
  since: new Date().toISOString(),
  ...given,
});

/** One attempt; `details` are the heartbeat that the attempt before left. */
const attempt = async (input: DispatchTestsInput, details?: unknown) => {
  const environment = new MockActivityEnvironment(
    details === undefined ? {} : { heartbeatDetails: details },
    { logger: new DefaultLogger('ERROR') },
  );
  const beats: unknown[] = [];
  environment.on('heartbeat', (beat: unknown) => beats.push(beat));
  const pace: typeof PACE = { lookForMs: 600, lookEveryMs: 50, recordedMs: 10 };
  const { dispatchTests } = createDispatchTests({ config, credentials: github.credentials }, pace);
  const running: Promise<TestRunRef> = environment.run(dispatchTests, input);
  return { running, last: () => beats.at(-1), environment };
};
const dispatch = async (input = inputOf(), details?: unknown) =>
  await (
    await attempt(input, details)
  ).running;

describe('dispatchTests', () => {
  it('dispatches on the branch with the configured inputs alone, and takes the id of the answer', async () => {
    const run = await dispatch();
    expect(run).toEqual({ id: 100, url: 'https://github.test/runs/100' });
    expect(github.asked.at(-1)?.body).toEqual({
      ref: 'main',
      inputs: { url: 'https://staging.test', sluice: MARKER },
      return_run_details: true,
    });
    await dispatch(inputOf({ inputs: {}, marker: testsMarker('api.abc', 2) }));
    expect(github.asked.at(-1)?.body['inputs']).toEqual({});
  });

  it('takes a run that is this attempt’s already, also on a later page and by its name', async () => {
    runs.push(runOf({ display_title: `Playwright ${MARKER}` }));
    for (let count = 0; count < 150; count += 1)
      runs.push(runOf({ display_title: `Playwright ${MARKER}${count}` }));
    expect(await dispatch()).toMatchObject({ id: 100 });
    runs = [runOf({ id: 7, name: `Tests (${MARKER})`, display_title: 'a commit' })];
    expect(await dispatch()).toMatchObject({ id: 7 });
    expect(dispatched()).toBe(0);
  });

  it('does not take one of another attempt, nor one that was there before', async () => {
    runs.push(runOf({ display_title: `Playwright ${testsMarker('api.abc', 11)}` }));
    runs.push(runOf({ display_title: `Playwright ${MARKER}`, created_at: '2020-01-01T00:00:00Z' }));
    expect(await dispatch()).toMatchObject({ id: 102 });
    expect(dispatched()).toBe(1);
  });

  it('finds by its marker what a server does not name', async () => {
    tellsRun = false;
    lagMs = 200;
    runs.push(runOf());
    const running = dispatch();
    await expect.poll(dispatched, { timeout: 10_000 }).toBe(1);
    // Newer than ours, and somebody else's.
    runs.push(runOf({ id: 555 }));
    expect(await running).toMatchObject({ id: 101 });
  });

  it('refuses where the run cannot be told from others, and says what to do', async () => {
    tellsRun = false;
    const failure = await failureOf(dispatch(inputOf({ inputs: { url: '{staging.url}' } })));
    expect(failure).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
    expect(failure.message).toContain('apps.shop.tests.github.inputs.<input>: "{marker}"');
    runName = () => 'Playwright';
    const second = await failureOf(dispatch());
    expect(second).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
    expect(second.message).toContain('run-name of playwright.yml');
  });

  it('waits on where GitHub took it and shows no run yet', async () => {
    tellsRun = false;
    lagMs = 60_000;
    const failure = await failureOf(dispatch());
    expect(failure).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: false });
  });
});

describe('an attempt after one that is not known', () => {
  it.each([
    ['at once', 0],
    ['late', 250],
  ])('takes its run, which came %s', async (_, lag) => {
    lagMs = lag;
    github.before = ({ method }) => {
      if (method !== 'POST') return undefined;
      github.before = undefined;
      // Carried out; its answer is lost.
      show(runOf({ display_title: `Playwright ${MARKER}` }), lag);
      return { isLost: true };
    };
    const input = inputOf();
    const first = await attempt(input);
    const failure = await failureOf(first.running);
    expect(failure).toMatchObject({ type: 'GITHUB_DOWN', nonRetryable: false });
    expect(Number(failure.nextRetryDelay)).toBeGreaterThanOrEqual(5_000);
    expect(await dispatch(input, first.last())).toMatchObject({ id: 100 });
    expect(dispatched()).toBe(1);
  });

  it('takes the run of a worker that died after the effect', async () => {
    const input = inputOf();
    const first = await attempt(input);
    await first.running;
    expect(first.last()).toMatchObject({ sentAt: expect.any(String) as string });
    expect(await dispatch(input, first.last())).toMatchObject({ id: 100 });
    // Also where nothing of the first attempt is known.
    expect(await dispatch(input)).toMatchObject({ id: 100 });
    expect(dispatched()).toBe(1);
  });

  it('sends again what was never carried out, beside runs of other attempts', async () => {
    github.before = ({ method }) => {
      if (method !== 'POST') return undefined;
      github.before = undefined;
      return { isLost: true };
    };
    const input = inputOf();
    const first = await attempt(input);
    await failureOf(first.running);
    runs.push(runOf({ display_title: `Playwright ${testsMarker('web.xyz', 1)}` }));
    expect(await dispatch(input, first.last())).toMatchObject({ id: 101 });
    expect(dispatched()).toBe(2);
  });

  it.each([
    ['no input with the marker', {}],
    ['a run-name without it', INPUTS],
  ])('sends nothing where one of the runs may be ours: %s', async (_, inputs) => {
    const input = inputOf({ inputs });
    runs.push(runOf());
    const failure = await failureOf(dispatch(input, { sentAt: new Date().toISOString() }));
    expect(failure).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
    expect(dispatched()).toBe(0);
  });

  it('sends at once where the first only looked', async () => {
    github.before = () => ((github.before = undefined), { status: 502, body: {} });
    const input = inputOf();
    const first = await attempt(input);
    expect(await failureOf(first.running)).toMatchObject({ type: 'GITHUB_DOWN', nonRetryable: false });
    expect(first.last()).toBeUndefined();
    runs.push(runOf());
    expect(await dispatch(input, first.last())).toMatchObject({ id: 101 });
  });

  it('ends when it is cancelled', async () => {
    tellsRun = false;
    lagMs = 60_000;
    const { running, environment } = await attempt(inputOf());
    await expect.poll(dispatched, { timeout: 10_000 }).toBe(1);
    environment.cancel();
    await expect(running).rejects.toThrow(CancelledFailure);
  });
});

describe('a configuration that GitHub refuses', () => {
  it.each([
    ['a workflow that is not there', { workflow: 'other.yml' }, 'GitHub answers 404'],
    [
      'an input that is not declared',
      { inputs: { browser: 'x' } },
      'Unexpected inputs provided: ["browser"]',
    ],
  ])('%s', async (_, given, text) => {
    const failure = await failureOf(dispatch(inputOf(given)));
    expect(failure).toMatchObject({ type: 'GITHUB_FAILED', nonRetryable: true });
    expect(failure.message).toContain(text);
    expect(failure.message).toMatch(
      /Check that \S+ is on main, has the trigger workflow_dispatch, and declares the inputs/,
    );
  });

  it('a placeholder that nobody knows', async () => {
    const failure = await failureOf(dispatch(inputOf({ inputs: { url: '{production.url}' } })));
    expect(failure).toMatchObject({ type: 'BAD_REQUEST', nonRetryable: true });
    expect(github.asked).toEqual([]);
  });

  it('a token that may not: waits, and says which permission', async () => {
    github.before = ({ method }) =>
      method === 'POST' ? { status: 403, body: { message: 'Resource not accessible' } } : undefined;
    const failure = await failureOf(dispatch());
    expect(failure).toMatchObject({ type: 'GITHUB_REFUSED', nonRetryable: false });
    expect(failure.message).toContain('Actions: write');
  });
});

describe('followTests', () => {
  const until = (ms: number): string => new Date(Date.now() + ms).toISOString();
  const follow = (given: Partial<FollowTestsInput> = {}, lookMs = 20) => {
    const environment = activityEnvironment();
    const beats: FollowedRun[] = [];
    environment.on('heartbeat', (beat: FollowedRun) => beats.push(beat));
    const { followTests } = createWorkflowRuns({ config, credentials: github.credentials }, () => lookMs);
    const run = { id: 7, url: 'https://github.test/runs/7' };
    const input = { app: 'shop', run, until: until(20_000), ...given };
    const running: Promise<TestsEnded> = environment.run(followTests, input);
    return { running, beats, environment };
  };

  it('tells how the run goes, and how it ended', async () => {
    const run = runOf({ id: 7, status: 'queued' });
    runs.push(run);
    const { running, beats } = follow();
    run.status = 'in_progress';
    await expect
      .poll(() => beats.at(-1), { timeout: 10_000 })
      .toEqual({ run: { status: 'in_progress', url: run.html_url } });
    Object.assign(run, { status: 'completed', conclusion: 'success' });
    expect(await running).toEqual({ state: 'passed', url: run.html_url, detail: 'passed' });
  });

  it('takes a re-run for what it is', async () => {
    runs.push(runOf({ id: 7, status: 'completed', conclusion: 'success', run_attempt: 2 }));
    expect(await follow().running).toMatchObject({ detail: 'passed at attempt 2 of the run' });
  });

  it('is inconclusive after its limit, by a fresh read', async () => {
    const run = runOf({ id: 7, status: 'in_progress' });
    runs.push(run);
    expect(await follow({ until: until(200) }).running).toEqual({
      state: 'inconclusive',
      url: run.html_url,
      detail: 'it did not end in time: the run is in_progress',
    });
    Object.assign(run, { status: 'completed', conclusion: 'failure' });
    expect(await follow({ until: until(-60_000) }).running).toMatchObject({ state: 'failed' });
  });

  it('waits out an outage and a limit, and does not ask before it may', async () => {
    const run = runOf({ id: 7, status: 'completed', conclusion: 'failure' });
    runs.push(run);
    const faults: Answer[] = [
      { status: 502, body: {} },
      { isLost: true },
      { status: 403, body: {}, headers: { 'retry-after': '1' } },
    ];
    let at = 0;
    github.before = () => faults[at++];
    const { running, environment } = follow({ until: until(600) });
    // The first fault asks for 15 s: the limit comes first, and by then GitHub is down still.
    expect(await running).toEqual({
      state: 'inconclusive',
      url: run.html_url,
      detail: 'it is not known whether it ended in time: GitHub does not answer',
    });
    expect(github.asked).toHaveLength(2);
    environment.cancel();
    const patient = follow({ until: until(600_000) });
    await expect.poll(() => github.asked.length, { timeout: 10_000 }).toBe(3);
    await sleep(300);
    expect(github.asked).toHaveLength(3);
    patient.environment.cancel();
    await expect(patient.running).rejects.toThrow(CancelledFailure);
  });

  it('goes on after a fault', async () => {
    runs.push(runOf({ id: 7, status: 'completed', conclusion: 'success' }));
    github.before = () => {
      github.before = undefined;
      return { status: 503, body: {}, headers: { 'retry-after': '1' } };
    };
    expect(await follow().running).toMatchObject({ state: 'passed' });
    expect(github.asked).toHaveLength(2);
  });

  it('waits for a run that GitHub does not show yet', async () => {
    const { running } = follow();
    await expect.poll(() => github.asked.length, { timeout: 10_000 }).toBeGreaterThan(2);
    runs.push(runOf({ id: 7, status: 'completed', conclusion: 'cancelled' }));
    expect(await running).toMatchObject({ state: 'inconclusive', detail: 'the run was cancelled' });
  });
});

describe('readTestRun', () => {
  it('is one look', async () => {
    const { readTestRun } = createWorkflowRuns({ config, credentials: github.credentials });
    const run = { id: 7, url: 'https://github.test/runs/7' };
    expect(await failureOf(activityEnvironment().run(readTestRun, { run }))).toMatchObject({
      type: 'GITHUB_FAILED',
    });
    runs.push(runOf({ id: 7, status: 'in_progress' }));
    expect(await activityEnvironment().run(readTestRun, { run })).toEqual({
      id: 7,
      url: 'https://github.test/runs/7',
      attempt: 1,
      status: 'in_progress',
      conclusion: null,
    });
  });
});
