import { describe, expect, it } from 'vitest';
import { CODES, isCode, REJECTIONS } from '../../domain/codes.js';
import { OUTCOMES, STEPS } from '../../domain/deployment.js';
import type { Stabilised } from '../../domain/effects.js';
import {
  buildWorkflowId,
  deploymentId,
  deploymentIdOfWorkflow,
  deploymentWorkflowId,
  laneWorkflowId,
  parseDeploymentId,
} from '../../domain/ids.js';
import * as progress from '../../domain/progress.js';
import { activitySummary, deploymentMarkdown, headline, shortTag } from '../../domain/summary.js';
import { request } from '../support/requests.js';

const at = '2026-01-01T00:00:00.000Z';

describe('ids', () => {
  it('are the same with dots and with slashes', () => {
    const id = deploymentId({ app: 'ingestion_server', environment: 'staging' }, 'abc123');
    expect(id).toBe('staging.ingestion_server.abc123');
    expect(deploymentWorkflowId(id)).toBe('deployment/staging/ingestion_server/abc123');
    expect(deploymentIdOfWorkflow(deploymentWorkflowId(id))).toBe(id);
    expect(parseDeploymentId(id)).toEqual({
      app: 'ingestion_server',
      environment: 'staging',
      unique: 'abc123',
    });
    expect(laneWorkflowId({ app: 'api', environment: 'production' })).toBe('lane/production/api');
    expect(buildWorkflowId('api', 'f'.repeat(40))).toBe(`build/api/${'f'.repeat(40)}`);
  });

  it.each([
    '',
    'staging.api',
    'staging.api.x.y',
    'staging/api/abcdef',
    'Staging.api.abcdef',
    "staging.api.ab'cd",
    '..abcd',
  ])('refuse %j', (id) => expect(parseDeploymentId(id)).toBeUndefined());
});

describe('a record', () => {
  it('is readable from acceptance on: queued, authorised, nothing to build', () => {
    const record = progress.accepted(request({ tag: 'rel-1' }));
    expect(record.state).toBe('queued');
    expect(record.steps.map(({ name }) => name)).toEqual([...STEPS]);
    expect(record.steps.map(({ state }) => state).slice(0, 3)).toEqual(['done', 'skipped', 'pending']);
    expect(record).not.toHaveProperty('limits');
    expect(record).not.toHaveProperty('checkActor');
  });

  it('says when a merge, not a person, authorises it', () => {
    const [authorise] = progress.accepted(request({ checkActor: false })).steps;
    expect(authorise?.detail).toContain('authorised by what it belongs to');
  });

  it('closes with the running step failed and the rest skipped', () => {
    let record = progress.takeTurn(progress.accepted(request()), at);
    record = progress.finishStep(progress.beginStep(record, 'validate', at), 'validate', at);
    record = progress.beginStep(record, 'look', at);
    record = progress.finish(record, progress.failureEnding('look', 'SERVICE_GONE', 'gone'), at);
    expect(record.outcome).toBe('failed');
    expect(Object.fromEntries(record.steps.map(({ name, state }) => [name, state]))).toEqual({
      authorise: 'done',
      build: 'skipped',
      validate: 'done',
      look: 'failed',
      register: 'skipped',
      update: 'skipped',
      stabilise: 'skipped',
      verify: 'skipped',
    });
    expect(record.finishedAt).toBe(at);
  });

  it('leaves the dossier out of the memo, and all but five events', () => {
    const events = Array.from({ length: 50 }, (_, i) => ({ at, message: `event ${i}` }));
    const rollout = {
      desired: 1,
      running: 1,
      pending: 0,
      failed: 0,
      previousRunning: 0,
      events,
      updatedAt: at,
    };
    const record = { ...progress.accepted(request()), rollout, dossier: { events, stoppedTasks: [] } };
    const memo = progress.forMemo(record);
    expect(memo).not.toHaveProperty('dossier');
    expect(memo.rollout?.events.at(-1)?.message).toBe('event 49');
    expect(memo.rollout?.events).toHaveLength(5);
  });
});

describe('outcomes', () => {
  it.each(REJECTIONS.map((code) => [code]))('%s is a rejection', (code) => {
    expect(progress.failureEnding('validate', code, 'x').outcome).toBe('rejected');
  });

  it('is a failure with every other code', () => {
    for (const code of Object.keys(CODES).filter(isCode)) {
      if (REJECTIONS.includes(code)) continue;
      expect(progress.failureEnding('look', code, 'x').outcome).toBe('failed');
    }
  });

  it.each([
    ['rolled-back', 'rolled-back', 'ROLLED_BACK'],
    ['rollback-failed', 'failed', 'ROLLBACK_FAILED'],
    ['tasks-failed', 'failed', 'TASKS_FAILED'],
    ['superseded', 'superseded', 'SUPERSEDED'],
    ['service-gone', 'failed', 'SERVICE_GONE'],
    ['timed-out', 'timed-out', 'TIMED_OUT'],
  ] as const)('of the verdict %s is %s', (verdict, outcome, code) => {
    const rollout = {
      desired: 1,
      running: 1,
      pending: 0,
      failed: 0,
      previousRunning: 0,
      events: [],
      updatedAt: at,
    };
    const stabilised: Stabilised = { verdict, message: 'read', rollout, now: 'arn:other' };
    const ending = progress.verdictEnding(stabilised);
    expect(ending?.outcome).toBe(outcome);
    expect(ending?.failure).toEqual({ step: 'stabilise', code, message: 'read' });
    expect(ending?.supersededBy).toBe(verdict === 'superseded' ? 'arn:other' : undefined);
    expect(OUTCOMES).toContain(ending?.outcome);
  });
});

describe('texts for the Temporal UI', () => {
  it.each([
    [
      'register',
      { app: 'api', environment: 'staging', tag: 'a'.repeat(40) },
      'register api → staging @ aaaaaaa',
    ],
    ['buildImages', { app: 'api', commit: 'b'.repeat(40) }, 'build images api @ bbbbbbb'],
    ['conclude', { lane: { app: 'api', environment: 'staging' } }, 'conclude api → staging'],
    [
      'noticeSlack',
      { deployment: { app: 'api', environment: 'production', tag: 'rel-1' } },
      'notice slack api → production @ rel-1',
    ],
    ['findEnded', { ids: ['x'] }, 'find ended'],
    ['deliver', undefined, 'deliver'],
  ])('name the activity %s and what it is about', (name, input, line) => {
    expect(activitySummary(name, input)).toBe(line);
  });

  it('shorten commits and nothing else', () => {
    expect(shortTag('0123456789'.repeat(4))).toBe('0123456');
    expect(shortTag('rel-2026.01.01.00.00.00')).toBe('rel-2026.01.01.00.00.00');
    expect(headline(request())).toBe('deploy api → staging @ aaaaaaa by alice');
  });

  it('let nothing that ECS said break out of its line', () => {
    const record = progress.finish(
      progress.accepted(request()),
      progress.failureEnding('look', 'AWS_REFUSED', 'bad `thing`\n# heading'),
      at,
    );
    expect(deploymentMarkdown(record)).toContain('`AWS_REFUSED` bad  thing # heading');
  });
});
