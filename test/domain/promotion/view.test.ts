import { describe, expect, it } from 'vitest';
import type { Promotion, PromotionQueueView } from '../../../domain/promotion/promotion.js';
import type { QueueOverlay } from '../../../domain/promotion/view.js';
import {
  idleQueue,
  overlayQueue,
  overlayTests,
  promisedTicket,
  summaryOf,
} from '../../../domain/promotion/view.js';
import { waitingFor } from '../../../domain/view.js';

const AT = '2026-03-01T10:00:00.000Z';
const NOW = new Date('2026-03-01T10:01:00.000Z');
const RELEASE = 'a'.repeat(40);
const POLICY = { queue: 'latest', approval: 'required' } as const;

const promotion: Promotion = {
  ...{ id: `api.${RELEASE}`, app: 'api', release: RELEASE, merges: [], queuedAt: AT },
  stage: 'awaiting-approval',
  waitingFor: waitingFor('APPROVAL', AT, 'approve it'),
};
const view = (change: Partial<PromotionQueueView> = {}): PromotionQueueView => ({
  ...idleQueue('api', POLICY),
  ...{ state: 'waiting', current: promotion, waitingFor: waitingFor('APPROVAL', AT, 'approve it') },
  ...change,
});
const overlaid = (change: Partial<QueueOverlay> = {}): PromotionQueueView =>
  overlayQueue({ view: view(), pending: [], status: 'RUNNING', now: NOW, ...change });

describe('overlayQueue', () => {
  it('is the record while everything goes its way', () => {
    expect(overlaid()).toEqual(view());
    expect(overlaid({ workflowTaskSince: '2026-03-01T10:00:58.000Z' })).toEqual(view());
    const running = { type: 'read', attempt: 1, scheduledAt: AT, startedAt: AT };
    expect(overlaid({ pending: [running] })).toEqual(view());
  });

  it('says first that no worker takes the work', () => {
    expect(overlaid({ workflowTaskSince: AT })).toMatchObject({
      state: 'waiting',
      waitingFor: { code: 'NO_WORKER', since: AT },
    });
    const pending = [{ type: 'read', attempt: 1, scheduledAt: AT }];
    expect(overlaid({ pending }).waitingFor?.code).toBe('NO_WORKER');
    const locked = view({ state: 'locked', lock: { reason: 'r', by: 'bob', at: AT } });
    expect(overlaid({ view: locked, workflowTaskSince: AT }).state).toBe('locked');
  });

  it('says what an attempt failed for where the record waits for nothing itself', () => {
    const pending = [
      {
        type: 'read',
        attempt: 3,
        scheduledAt: AT,
        startedAt: AT,
        lastFailure: { type: 'AWS_DOWN', message: '' },
      },
    ];
    const { waitingFor: _waits, ...busy } = view({ state: 'busy' });
    expect(overlaid({ view: busy, pending })).toMatchObject({
      state: 'waiting',
      waitingFor: { code: 'AWS_DOWN' },
    });
    expect(overlaid({ pending }).waitingFor?.code).toBe('APPROVAL');
  });

  it('says that its workflow was ended, and what starts it anew', () => {
    const ended = overlaid({ status: 'TERMINATED', closedAt: AT });
    expect(ended).toMatchObject({ state: 'waiting', waitingFor: { code: 'TERMINATED', since: AT } });
    expect(ended.waitingFor?.detail).toContain('starts it anew');
    expect(overlaid({ status: 'CONTINUED_AS_NEW' })).toEqual(view());
  });
});

describe('overlayTests', () => {
  const running = view({ state: 'busy', current: { ...promotion, stage: 'testing' } });
  const at = (scheduledAt: string, startedAt?: string) => ({
    now: NOW,
    pending: [{ type: 'runTestCommand', attempt: 1, scheduledAt, ...(startedAt ? { startedAt } : {}) }],
  });

  it('says that no build worker takes the tests', () => {
    const shown = overlayTests(running, at(AT));
    expect(shown).toMatchObject({ state: 'waiting', waitingFor: { code: 'NO_BUILD_WORKER', since: AT } });
    expect(shown.current?.waitingFor).toEqual(shown.waitingFor);
  });

  it('says nothing of tests that run, or were only just asked for', () => {
    expect(overlayTests(running, at(AT, AT))).toEqual(running);
    expect(overlayTests(running, at('2026-03-01T10:00:58.000Z'))).toEqual(running);
    expect(overlayTests(running, { now: NOW, pending: [] })).toEqual(running);
  });
});

describe('summaryOf', () => {
  it('is the queue in one line', () => {
    expect(summaryOf(idleQueue('api', POLICY))).toEqual({ state: 'idle', waiting: 0 });
    const lock = { reason: 'r', by: 'bob', at: AT };
    expect(summaryOf(view({ waitingCount: 3, lock, state: 'locked' }))).toEqual({
      ...{ state: 'locked', stage: 'awaiting-approval', release: RELEASE, waiting: 3, lock },
      waitingFor: promotion.waitingFor,
    });
    const { waitingFor: _waits, ...quiet } = view();
    expect(summaryOf(quiet).waitingFor?.code).toBe('APPROVAL');
  });
});

describe('promisedTicket', () => {
  const id = 'staging.api.pqs1zaaaa';
  const merge = { sha: RELEASE, title: 'One', author: 'dave', mergedBy: 'carol', position: 1 };
  const staging = view({ current: { ...promotion, stage: 'staging', staging: id, merges: [merge] } });
  const approval = { by: 'alice', at: AT, release: RELEASE, digests: {}, tests: 'no tests are configured' };
  const production = view({ current: { ...promotion, stage: 'production', production: id, approval } });

  it('is the deployment that the queue has decided for, before its lane knows it', () => {
    const ticket = { id, tag: RELEASE, queuedAt: AT, ready: false };
    expect(promisedTicket(staging, id)).toEqual({ ...ticket, kind: 'deploy', actor: 'carol' });
    expect(promisedTicket(production, id)).toEqual({ ...ticket, kind: 'promotion', actor: 'alice' });
  });

  it('is none where it was another stage’s, or another deployment', () => {
    expect(promisedTicket(staging, 'staging.api.other')).toBeUndefined();
    expect(promisedTicket(view({ current: { ...promotion, staging: id } }), id)).toBeUndefined();
    expect(promisedTicket(idleQueue('api', POLICY), id)).toBeUndefined();
  });
});
