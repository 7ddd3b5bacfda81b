/** What releases and rollbacks ask of a lane, from a worker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLaneReader, createRequests } from '../../activities/temporal/requests.js';
import type { Target } from '../../domain/deployment.js';
import { laneWorkflowId } from '../../domain/ids.js';
import { QUEUE, WORKFLOW } from '../../domain/messages.js';
import { failureOf } from '../support/failures.js';
import { createLanes } from '../support/lanes.js';
import { request } from '../support/requests.js';
import { script, scriptedWorkers } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

const target: Target = { app: 'api', environment: 'production' };
const mark = { release: 'f'.repeat(40), reason: 'errors', by: 'bob', at: '2026-01-01T00:00:00.000Z' };

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let requests: ReturnType<typeof createRequests>;
let lanes: ReturnType<typeof createLanes>;

beforeAll(async () => {
  temporal = await connect();
  workers = await scriptedWorkers(temporal, script());
  requests = createRequests(temporal.client);
  lanes = createLanes(temporal.client);
});
afterAll(async () => {
  await workers.stop();
  await temporal.close();
});

describe('a lane that was asked by a workflow', () => {
  it('makes one deployment of a request, however often it is sent, and tells its end', async () => {
    const one = request(target);
    expect(await requests.requestDeployment(one)).toEqual({ id: one.id, position: 0, again: false });
    expect(await requests.requestDeployment(one)).toEqual({ id: one.id, position: 0, again: false });
    await lanes.result(one.id);
    const { runId } = await lanes.handle(one.id).describe();
    await lanes.lane(target).terminate('break glass');
    // Whether the server answers for the run that is gone or a new one does: no second deployment comes of it.
    expect(await requests.requestDeployment(one)).toMatchObject({ id: one.id, position: 0 });
    await lanes.lock('a new run', target);
    await lanes.unlock(target);
    expect(await requests.requestDeployment(one)).toMatchObject({ id: one.id, again: true });
    expect((await lanes.handle(one.id).describe()).runId).toBe(runId);
    expect(await requests.deploymentEnd({ id: one.id })).toMatchObject({
      ...{ id: one.id, outcome: 'succeeded', verified: true, release: 'a'.repeat(40) },
    });
  });

  it('refuses with its own codes, for good', async () => {
    const one = request(target);
    await requests.requestDeployment(one);
    expect(await failureOf(requests.requestDeployment({ ...one, reason: 'other' }))).toMatchObject({
      ...{ type: 'KEY_REUSED', nonRetryable: true },
    });
    expect(await requests.markBad({ app: 'api', mark })).toEqual(mark);
    expect(await requests.markBad({ app: 'api', mark: { ...mark, by: 'carol' } })).toEqual(mark);
    expect(
      await failureOf(requests.requestDeployment(request({ ...target, tag: mark.release }))),
    ).toMatchObject({
      ...{ type: 'RELEASE_BAD', nonRetryable: true, details: [mark] },
    });
    const lock = await lanes.lock('freeze', target);
    expect(await failureOf(requests.requestDeployment(request(target)))).toMatchObject({
      ...{ type: 'LOCKED', nonRetryable: true, details: [lock] },
    });
  });
});

describe('the end of a deployment', () => {
  it('is not there while it runs, and is a failure where it never came to be', async () => {
    const staging = request({ app: 'never', environment: 'staging' });
    expect(await requests.deploymentEnd({ id: staging.id })).toMatchObject({
      ...{ outcome: 'failed', failure: { code: 'TERMINATED' } },
    });
  });
});

describe('a lane that is read', () => {
  const read = (app: string) => createLaneReader(temporal.client)({ app, environment: 'production' });

  it('tells what it holds, and nothing where it was never used', async () => {
    expect((await read('api'))?.bad).toEqual([mark]);
    expect(await read('unused')).toBeUndefined();
  });

  it('is read again where it has just been started: its bad marks are being recovered', async () => {
    await temporal.client.workflow.start(WORKFLOW.lane, {
      workflowId: laneWorkflowId({ app: 'fresh', environment: 'production' }),
      taskQueue: `${QUEUE.main}-that-nobody-takes`,
      args: [{ app: 'fresh', environment: 'production' }],
    });
    expect(await failureOf(read('fresh'))).toMatchObject({ type: 'NO_WORKER', nonRetryable: false });
  });
});
