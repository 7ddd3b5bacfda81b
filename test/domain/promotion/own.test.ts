/** Rule 9 for stages `staging` and `production`, and a restore: what their deployment waits for is said by the queue. */
import { describe, expect, it } from 'vitest';
import type { Code } from '../../../domain/codes.js';
import * as events from '../../../domain/promotion/events.js';
import type { OwnDeployment } from '../../../domain/promotion/read.js';
import { asks, ownOf, viewOf } from '../../../domain/promotion/state.js';
import { waitingFor } from '../../../domain/view.js';
import { A, B, FOREIGN, Played, START } from './played.js';

const MINUTE = 60_000;

/** A queue whose reads tell of its own deployment: queued, and waiting with this code where one is given. */
function at(stage: 'staging' | 'production', code?: Code): Played {
  const one = new Played().merges(A);
  one.own = () => ({});
  one.until(stage);
  one.told();
  return holds(one, code);
}

function holds(one: Played, code?: Code, state: OwnDeployment['state'] = 'queued'): Played {
  const since = one.now;
  one.own = () => ({
    ...{ id: ownOf(one.q) ?? '', state },
    ...(code ? { waitingFor: waitingFor(code, since, `because of ${code}`) } : {}),
  });
  return one;
}

const due = (one: Played): number => (events.nextTime(one.q) ?? Infinity) - Date.parse(one.now);

describe.each(['staging', 'production'] as const)('%s', (stage) => {
  it('asks for its own deployment', () => {
    const one = at(stage);
    expect(asks(one.q).own).toBe(one.current?.[stage]);
  });

  it.each(['LOCKED', 'LANE_BUSY', 'AWS_DOWN', 'GITHUB_DOWN', 'SERVICE_GONE', 'VERSION_UNKNOWN'] as const)(
    'says that its deployment waits with %s, since when and who can end it; not when it goes on',
    (code) => {
      const one = at(stage, code).later(MINUTE).look();
      expect(viewOf(one.q)).toMatchObject({
        state: 'waiting',
        waitingFor: waitingFor(code, START, `because of ${code}`),
        current: { stage, waitingFor: { code } },
      });
      holds(one).look();
      expect(viewOf(one.q)).toMatchObject({ state: 'busy' });
      expect(one.current).not.toHaveProperty('waitingFor');
    },
  );

  it('a build that runs is no wait', () => {
    expect(at(stage, 'BUILDING').look().waits).toBeUndefined();
  });

  it('what another deployment waits for is not its own', () => {
    const one = at(stage, 'LOCKED');
    const { own } = one;
    one.own = () => ({ ...own?.(), id: 'staging.api.other' });
    expect(one.look().waits).toBeUndefined();
  });

  it('is looked at again within a minute until it has its turn, and not any more then', () => {
    const one = at(stage);
    for (let times = 0; times < 10; times += 1) {
      expect(due(one)).toBeLessThanOrEqual(MINUTE);
      one.later(due(one)).step(events.timePasses);
      expect(one.q.look).toBe(true);
      if (times === 5) holds(one, 'LOCKED');
      one.look();
    }
    expect(one.waits).toBe('LOCKED');
    expect(one.q.waitingFor).toBeUndefined();
    holds(one, undefined, 'running').look();
    expect(one.q.again).toBeUndefined();
  });

  it('a lock is told to who merged, then to the maintainers', () => {
    const one = at(stage, 'LOCKED').look();
    one.later(60 * MINUTE).step(events.timePasses);
    one.later(180 * MINUTE).step(events.timePasses);
    expect(one.told()).toEqual([
      ['waiting', A],
      ['escalated', A],
    ]);
  });

  it('waits no more when it has ended', () => {
    const one = at(stage, 'LOCKED').look();
    one.own = () => ({});
    one.ends('stopped').look();
    expect(one.current).toMatchObject({ stage: 'failed' });
    expect(one.waits).toBeUndefined();
  });

  it('reads that do not tell of it change nothing', () => {
    const one = at(stage, 'LOCKED').look();
    delete one.own;
    expect(one.later(MINUTE).look().waits).toBe('LOCKED');
    expect(one.q.again).toBeUndefined();
  });
});

it('a restore that waits is said at the queue', () => {
  const one = new Played().runs('staging', FOREIGN).merges(A).look();
  expect(one.resolve('restore-staging')).toBeUndefined();
  holds(one, 'LOCKED').look().later(MINUTE).merges(B).look();
  expect(viewOf(one.q)).toMatchObject({ state: 'waiting', waitingFor: { code: 'LOCKED', since: START } });
  expect(due(one)).toBeLessThanOrEqual(MINUTE);
  expect(holds(one, undefined, 'running').look().waits).toBeUndefined();
});
