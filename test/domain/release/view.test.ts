import { describe, expect, it } from 'vitest';
import type { Release } from '../../../domain/release/release.js';
import { accepted, beginStep, block, finish, takeTurn } from '../../../domain/release/progress.js';
import { overlayRelease } from '../../../domain/release/view.js';

const AT = '2026-03-01T10:00:00.000Z';
const now = new Date('2026-03-01T10:01:00.000Z');
const limits = { tellAfterMs: 1, giveUpAfterMs: 1, verifyMs: 1 };
const request = {
  app: 'api',
  tag: 'v1',
  actor: 'alice',
  unique: 'abcd',
  requestedAt: AT,
  releaseOnly: false,
  limits,
};
const date = '2026.03.01.10.00.00';
const names = { date, gitTag: `api-${date}`, imageTag: `rel-${date}` };
const running: Release = beginStep(takeTurn(accepted({ request, names }), AT), 'publish', AT);
const seen = (change: Partial<Parameters<typeof overlayRelease>[0]> = {}): Release =>
  overlayRelease({ release: running, pending: [], status: 'RUNNING', now, ...change });

describe('overlayRelease', () => {
  it('is the record itself where nothing is known better', () => {
    expect(seen()).toEqual(running);
    const finished = finish(running, { outcome: 'succeeded' }, AT);
    expect(seen({ release: finished, status: 'TERMINATED' })).toEqual(finished);
  });

  it('says what a step is tried again for, and since when', () => {
    const activity = { type: 'publishRelease', attempt: 3, scheduledAt: AT, startedAt: AT };
    const failed = { ...activity, lastFailure: { type: 'GITHUB_DOWN', message: 'GitHub answers 502' } };
    expect(seen({ pending: [failed] }).waitingFor).toMatchObject({
      ...{ code: 'GITHUB_DOWN', since: AT, detail: 'GitHub answers 502' },
    });
    expect(seen({ pending: [activity] }).waitingFor).toBeUndefined();
  });

  it('says that no worker takes its work, but not at once', () => {
    const activity = { type: 'publishRelease', attempt: 1, scheduledAt: AT };
    expect(seen({ pending: [activity] }).waitingFor).toMatchObject({ code: 'NO_WORKER', since: AT });
    expect(seen({ workflowTaskSince: AT }).waitingFor).toMatchObject({ code: 'NO_WORKER', since: AT });
    const soon = new Date(Date.parse(AT) + 1_000);
    expect(seen({ pending: [activity], now: soon }).waitingFor).toBeUndefined();
  });

  it('has ended where its workflow was ended from outside, at the step that was next', () => {
    const message = 'no permission';
    const blocked = block(running, { step: 'publish', code: 'GITHUB_REFUSED', message }, AT);
    expect(seen({ release: blocked, status: 'TERMINATED', closedAt: AT })).toMatchObject({
      ...{ state: 'finished', outcome: 'abandoned', finishedAt: AT },
      failure: { step: 'publish', code: 'TERMINATED' },
    });
    expect(seen({ status: 'FAILED' })).toMatchObject({ failure: { step: 'validate' } });
  });
});
