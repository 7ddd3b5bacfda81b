import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SIGNAL } from '../../domain/messages.js';
import type { ReleaseRequest } from '../../domain/release/release.js';
import { createReleases, gate, releaseRequest, releaseScript, releaseWorkers } from '../support/releases.js';
import type { ReleaseScript } from '../support/releases.js';
import type { Calls } from '../support/scripted.js';
import { eventually, failing } from '../support/scripted.js';
import type { TestTemporal } from '../support/temporal.js';
import { connect } from '../support/temporal.js';

let temporal: TestTemporal;
let workers: { stop(): Promise<void> };
let acts: ReleaseScript;
let releases: ReturnType<typeof createReleases>;
const calls: Calls = [];
const TUNING = { watchdogMs: 300, release: { watchdogMs: 500, changelogMs: 1_000 } };

let app: string;
let count = 0;

beforeAll(async () => {
  temporal = await connect();
  acts = releaseScript();
  workers = await releaseWorkers(temporal, acts, calls);
  releases = createReleases(temporal, TUNING);
});
afterAll(async () => {
  await workers.stop();
  await temporal.close();
});
beforeEach(() => {
  calls.splice(0);
  count += 1;
  app = `app${count}`;
});
afterEach(() => Object.assign(acts, releaseScript()));

/** Without services: what is asked here is who goes when. */
const request = (change: Partial<ReleaseRequest> = {}): ReleaseRequest =>
  releaseRequest({ app, releaseOnly: true, ...change });

async function refusal(
  sent: Promise<unknown>,
): Promise<{ type: unknown; details: unknown; message: string }> {
  try {
    await sent;
  } catch (error) {
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    if (!(cause instanceof ApplicationFailure)) throw error;
    return { type: cause.type, details: cause.details?.[0], message: cause.message };
  }
  throw new Error('it was not refused');
}

/** Releases wait in `tagImages` until they are let through. */
function closeGate() {
  const held = gate();
  acts.tagImages = async () => {
    await held.hold();
    return { put: [] };
  };
  return held.open;
}

const tagged = (): number => calls.filter(({ name }) => name === 'tagImages').length;
const running = (id: string) =>
  eventually(async () => expect((await releases.view(app)).running?.id).toBe(id));

describe('ten people in the same second', () => {
  it('get ten dates, and their releases run one after the other', async () => {
    const asked = Array.from({ length: 10 }, (_, i) => request({ actor: `person${i}` }));
    const answers = await Promise.all(asked.map((one) => releases.request(one)));
    expect(new Set(answers.map(({ gitTag }) => gitTag)).size).toBe(10);
    expect(new Set(answers.map(({ imageTag }) => imageTag)).size).toBe(10);
    expect(answers.every(({ again }) => !again)).toBe(true);
    const ended = await Promise.all(answers.map(({ id }) => releases.result(id)));
    expect(ended.map(({ outcome }) => outcome)).toEqual(ended.map(() => 'succeeded'));
    const spans = ended
      .map(({ startedAt = '', finishedAt = '' }) => ({ startedAt, finishedAt }))
      .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
    spans.slice(1).forEach((span, i) => expect(span.startedAt >= (spans[i]?.finishedAt ?? '')).toBe(true));
  }, 30_000);

  it('with one image make one release; the others are told of it', async () => {
    const asked = Array.from({ length: 5 }, () => request({ tag: 'one' }));
    const answers = await Promise.allSettled(asked.map((one) => releases.request(one)));
    const taken = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(taken).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 'rejected')
        expect((answer.reason as WorkflowUpdateFailedError).cause).toMatchObject({
          type: 'ALREADY_RELEASED',
          details: [{ id: taken[0]?.id }],
        });
    }
    await releases.result(taken[0]?.id ?? '');
    expect(tagged()).toBe(1);
  });
});

describe('a request', () => {
  it('that comes again, even ten times at once, is the same release', async () => {
    const one = request();
    const answers = await Promise.all(Array.from({ length: 10 }, () => releases.request(one)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ again }) => !again)).toHaveLength(1);
    await releases.result(answers[0]?.id ?? '');
    expect(await releases.request(one)).toEqual({ ...answers[0], again: true });
    expect((await refusal(releases.request({ ...one, tag: 'other' }))).type).toBe('KEY_REUSED');
    expect(tagged()).toBe(1);
  });

  it('for what was released is refused by each of its names, unless again', async () => {
    const one = request();
    const { id, gitTag, imageTag } = await releases.request(one);
    const { release = '' } = await releases.result(id);
    for (const tag of [one.tag, gitTag, imageTag, release]) {
      const refused = await refusal(releases.request(request({ tag })));
      expect(refused).toMatchObject({ type: 'ALREADY_RELEASED', details: { id } });
      expect(refused.message).toContain(id);
    }
    const again = await releases.request(request({ tag: one.tag, again: true }));
    expect(again.id).not.toBe(id);
    expect((await releases.result(again.id)).outcome).toBe('succeeded');
  });
});

describe('turns', () => {
  it('are waited for, with a reason', async () => {
    const open = closeGate();
    const [first, second] = [await releases.request(request()), await releases.request(request())];
    await running(first.id);
    const waits = await releases.read(second.id);
    expect(waits).toMatchObject({ state: 'running', waitingFor: { code: 'LANE_BUSY' } });
    expect(waits.startedAt).toBeUndefined();
    open();
    expect((await releases.result(second.id)).waitingFor).toBeUndefined();
  });

  it('are given back by one that is blocked, which queues again at a retry', async () => {
    acts.tagImages = failing('TAG_CONFLICT', 'no');
    const first = await releases.request(request());
    await releases.until(first.id, ({ state }) => state === 'blocked');
    const open = closeGate();
    const second = await releases.request(request());
    await running(second.id);
    await releases.retry(first.id);
    await releases.until(
      first.id,
      ({ state, waitingFor }) => state === 'running' && waitingFor?.code === 'LANE_BUSY',
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await releases.view(app)).running?.id).toBe(second.id);
    open();
    const [a, b] = [await releases.result(first.id), await releases.result(second.id)];
    expect([a.outcome, b.outcome]).toEqual(['succeeded', 'succeeded']);
    expect((a.finishedAt ?? '') > (b.finishedAt ?? '')).toBe(true);
  });

  it('can be given up before they come', async () => {
    const open = closeGate();
    const [first, second] = [await releases.request(request()), await releases.request(request())];
    await running(first.id);
    await releases.abandon(second.id);
    const ended = await releases.result(second.id);
    expect(ended).toMatchObject({ outcome: 'abandoned', failure: { code: 'STOPPED', exists: [] } });
    open();
    await releases.result(first.id);
  });

  it('go on when the one that runs is terminated', async () => {
    const open = closeGate();
    const [first, second] = [await releases.request(request()), await releases.request(request())];
    await eventually(() => expect(tagged()).toBe(1));
    await releases.handle(first.id).terminate('break glass');
    open();
    expect((await releases.result(second.id)).outcome).toBe('succeeded');
  });
});

describe('the entity survives', () => {
  it('being terminated: keys, images, dates and places are there again, nothing is released twice', async () => {
    const done = request();
    const first = await releases.request(done);
    await releases.result(first.id);
    const open = closeGate();
    const [a, b] = [request(), request({ again: true })];
    const [one, two] = [await releases.request(a), await releases.request(b)];
    await eventually(() => expect(tagged()).toBe(2));
    await releases.entity(app).terminate('break glass');

    expect(await releases.request(b)).toMatchObject({ id: two.id, again: true });
    expect(await releases.request(done)).toMatchObject({ id: first.id, again: true });
    expect(await refusal(releases.request(request({ tag: done.tag })))).toMatchObject({
      type: 'ALREADY_RELEASED',
    });
    const view = await releases.view(app);
    expect(view.running?.id).toBe(one.id);
    expect(view.waiting.map(({ id }) => id)).toEqual([two.id]);
    const next = await releases.request(request());
    expect(next.date > two.date).toBe(true);
    open();
    for (const { id } of [one, two, next]) expect((await releases.result(id)).outcome).toBe('succeeded');
    expect(tagged()).toBe(4);
  });

  it('being terminated while one runs, heard of by nobody: its end starts it again', async () => {
    const open = closeGate();
    const [one, two] = [await releases.request(request()), await releases.request(request())];
    await eventually(() => expect(tagged()).toBe(1));
    await releases.entity(app).terminate('break glass');
    open();
    for (const { id } of [one, two]) expect((await releases.result(id)).outcome).toBe('succeeded');
    const { tag } = await releases.read(one.id);
    expect(await refusal(releases.request(request({ tag })))).toMatchObject({ details: { id: one.id } });
  });

  it('being terminated while one is blocked: it holds no place, but its images', async () => {
    acts.tagImages = failing('TAG_CONFLICT', 'no');
    const one = request();
    const blocked = await releases.request(one);
    await releases.until(blocked.id, ({ state }) => state === 'blocked');
    await releases.entity(app).terminate('break glass');
    Object.assign(acts, releaseScript());
    expect(await refusal(releases.request(request({ tag: one.tag })))).toMatchObject({
      details: { id: blocked.id },
    });
    const other = await releases.request(request());
    expect((await releases.result(other.id)).outcome).toBe('succeeded');
    await releases.retry(blocked.id);
    expect((await releases.result(blocked.id)).outcome).toBe('succeeded');
  });

  it('continuing as new with releases running, waiting and blocked', async () => {
    const small = createReleases(temporal, { ...TUNING, continueAfterEvents: 25 });
    const open = closeGate();
    const first = request();
    const answers = [await small.request(first)];
    for (let i = 0; i < 5; i += 1) answers.push(await small.request(request()));
    open();
    for (const { id } of answers) expect((await small.result(id)).outcome).toBe('succeeded');
    const { raw } = await small.entity(app).describe();
    expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(raw.workflowExecutionInfo?.execution?.runId);
    expect(await small.request(first)).toEqual({ ...answers[0], again: true });
    expect(tagged()).toBe(6);
  }, 30_000);

  it('a signal of a release that it never knew', async () => {
    const one = await releases.request(request());
    await releases.result(one.id);
    const stray = { id: `${app}-2020.01.01.00.00.00`, state: 'ready', round: 0, tags: [] };
    await releases.entity(app).signal(SIGNAL.releaseState, stray);
    const two = await releases.request(request());
    expect((await releases.result(two.id)).outcome).toBe('succeeded');
  });
});
